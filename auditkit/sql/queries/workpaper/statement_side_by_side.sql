-- The statement of each job, month, vendor or type, one column for each row. NULL: what has none.
select key as "{scope}",
    {columns}
from statement
where scope = '{scope}'
group by key
order by key nulls last
