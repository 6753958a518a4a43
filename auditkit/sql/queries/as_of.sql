-- What was billed at the end of a period ($period_end), by label: costs, their money, and how many of them dates alone cannot tell.
with item as (
{item}
), label as (
{label}
)
select l.label, l.words, l.not_billed, count(i.guid) as items, coalesce(sum(i.amount), 0) as amount,
    count(i.guid) filter (not i.certain) as uncertain
from label as l left join item as i on i.label = l.label
group by l.position, l.label, l.words, l.not_billed
order by l.position
