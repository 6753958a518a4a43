-- Which NRB is on which invoice and line, and how that is known. `on_issued` is NULL where the invoice is not issued. `difference`:
-- what issued lines charge for a billable NRB, less its total; at the first of its lines, elsewhere NULL.
select k.nrb_guid, s.job_number, s.vendor_code, n.origin_reference, k.jnid, i.number as invoice, i.state, k.position,
    t.name as line, t.description, k.method, how_linked(k.method) as how, k.component, k.invoiced_amount, s.total,
    s.state as nrb_state,
    case when i.state = 'issued' then k.invoiced_amount end as on_issued,
    case when s.state in ('billed_full', 'billed_part', 'billed_over', 'charged_twice')
        and row_number() over (partition by k.nrb_guid order by k.state_rank, k.jnid, k.position) = 1
        then -s.left_over end as difference
from link as k
left join nrb_status as s on s.guid = k.nrb_guid
left join nrb as n on n.guid = k.nrb_guid
left join invoice_status as i on i.jnid = k.jnid
left join invoice_item as t on t.jnid = k.jnid and t.position = k.position
order by k.nrb_guid, k.jnid, k.position, k.method
