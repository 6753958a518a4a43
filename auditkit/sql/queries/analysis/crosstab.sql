-- Totals by key, one column for each value of another column; the last row and the last column are totals. Without a record: 0.
select case when grouping(s.{first}) = 0 then 'key' else 'total' end as level, {keys}{cells},
    coalesce(sum({added}), 0) as total
from {source} as s
group by grouping sets (({keys}), ())
order by grouping(s.{first}), {sorted}
