-- Unbilled and unexported cost by one key, with markup (…_total) and without it (…_cost: rate × quantity and the vendor's tax). $until:
-- what is dated up to that day, or not at all; NULL: everything. A cost without rate or quantity is in no sum of cost.
with open_cost as (
    select {key} as {by}, f.rule_id = 'nrb-unbilled' as unbilled, s.total,
        total_after_markup(n.rate, n.quantity, 0, n.vendor_tax, 'SUB_TOTAL') as cost
    from finding as f
    join nrb_status as s on s.guid = f.subject_id
    join nrb as n on n.guid = f.subject_id
    where f.rule_id in ('nrb-unbilled', 'nrb-unexported')
        and ($until is null or s.accounting_date is null or s.accounting_date <= $until)
)
select {by}, count(*) filter (unbilled) as unbilled, coalesce(sum(cost) filter (unbilled), 0) as unbilled_cost,
    coalesce(sum(total) filter (unbilled), 0) as unbilled_total,
    count(*) filter (not unbilled) as unexported, coalesce(sum(cost) filter (not unbilled), 0) as unexported_cost,
    count(*) filter (cost is null) as cost_unknown
from open_cost
group by {by}
order by {order}
