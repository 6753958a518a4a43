-- Records by the band of a value: how many, and the sum of an amount. The bands are $labels with $lowers and $uppers. From the second
-- on each begins with its limit in $limits; what is above $last is in the last but one, NULL in the last. The total is a row.
with record as (
    select {value} as value, s.{amount} as amount
    from {source} as s
), placed as (
    select value, amount, case when value is null then len($labels) - 1
        else len(list_filter($limits, lambda limit_: value >= limit_)) + cast(value > $last as integer) end as place
    from record
), band as (
    select unnest(range(len($labels))) as place, unnest($labels) as band, unnest($lowers) as lower, unnest($uppers) as upper
), whole as (
    select count(*) as count, coalesce(sum(amount), 0) as total, min(value) as min, max(value) as max from record
), filled as (
    select place, count(*) as count, coalesce(sum(amount), 0) as total, min(value) as min, max(value) as max
    from placed group by place
), line as (
    select b.place, b.band, b.lower, b.upper, coalesce(f.count, 0) as count, coalesce(f.total, 0) as total, f.min, f.max
    from band as b left join filled as f on f.place = b.place
    union all
    select len($labels), 'total', null, null, count, total, min, max from whole
)
select l.band, l.lower, l.upper, l.count, round_to(100 * ratio(l.count, w.count), 100) as percent_of_count,
    l.total, round_to(100 * ratio(l.total, w.total), 100) as percent_of_total, l.min, l.max
from line as l cross join whole as w
order by l.place
