-- Cost not billed at the end of a period ($period_end), and not exported, by one key, with markup (…_total) and without it (…_cost: rate
-- × quantity and the vendor's tax; of a cost that was billed in part by then, the same share of it, rounded half up). A cost without rate
-- or quantity is in no sum of cost. A NULL date counts as dated by then.
with item as (
{item}
), label as (
{label}
), open_cost as (
    select i.guid, true as unbilled, i.amount from item as i join label as l on l.label = i.label where l.not_billed
    union all
    select f.subject_id, false, s.total from finding as f join nrb_status as s on s.guid = f.subject_id
    where f.rule_id = 'nrb-unexported'
), priced as (
    select {key} as {by}, o.unbilled, o.amount, s.total,
        total_after_markup(n.rate, n.quantity, 0, n.vendor_tax, 'SUB_TOTAL') as whole_cost
    from open_cost as o
    join nrb_status as s on s.guid = o.guid and (s.accounting_date is null or s.accounting_date <= $period_end)
    join nrb as n on n.guid = o.guid
), shared as (
    select *, case when amount = coalesce(total, 0) or total = 0 then whole_cost
        else money_div(whole_cost * in_cents(amount), in_cents(total)) end as cost
    from priced
)
select {by}, count(*) filter (unbilled) as unbilled, coalesce(sum(cost) filter (unbilled), 0) as unbilled_cost,
    coalesce(sum(amount) filter (unbilled), 0) as unbilled_total,
    count(*) filter (not unbilled) as unexported, coalesce(sum(cost) filter (not unbilled), 0) as unexported_cost,
    count(*) filter (cost is null) as cost_unknown
from shared
group by {by}
order by {order}
