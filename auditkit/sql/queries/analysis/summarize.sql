-- Records by key: how many, and the sum, least and greatest of each amount. A NULL key is a key of its own; the last row is the total.
select case when grouping(s.{first}) = 0 then 'key' else 'total' end as level, {keys}, count(*) as count{figures}
from {source} as s
group by grouping sets (({keys}), ())
order by grouping(s.{first}), {sorted}
