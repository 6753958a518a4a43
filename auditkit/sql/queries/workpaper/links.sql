-- Which NRB is on which invoice and line, and how that is known. `on_issued` and
-- `difference` are NULL where the line is not on an issued invoice.
select k.nrb_guid, s.job_number, s.vendor_code, n.origin_reference, k.jnid, i.number as invoice, i.state, k.position,
    t.name as line, t.description, k.method, how_linked(k.method) as how, k.component, k.invoiced_amount, s.total,
    s.state as nrb_state,
    case when k.position is not null and i.state = 'issued' then k.invoiced_amount end as on_issued,
    case when k.position is not null and i.state = 'issued' and s.billable and not s.internal
        then k.invoiced_amount - k.nrb_amount end as difference
from link as k
left join nrb_status as s on s.guid = k.nrb_guid
left join nrb as n on n.guid = k.nrb_guid
left join invoice_status as i on i.jnid = k.jnid
left join invoice_item as t on t.jnid = k.jnid and t.position = k.position
order by k.nrb_guid, k.jnid, k.position nulls first, k.method
