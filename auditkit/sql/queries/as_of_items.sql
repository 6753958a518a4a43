-- Each cost as of the end of a period ($period_end), the most money first. A NULL date counts as dated by then.
with item as (
{item}
), label as (
{label}
)
select i.guid, l.label, l.words, l.not_billed, i.amount, i.job_number, s.vendor_code, i.accounting_date, i.billed_on, v.number as invoice,
    i.certain
from item as i
join label as l on l.label = i.label
join nrb_status as s on s.guid = i.guid
left join invoice as v on v.jnid = i.jnid
order by l.position, abs(i.amount) desc, i.guid
