-- The invoice side of the statement: each line of an issued invoice, split over the NRBs that it carries.
-- out: jnid text, position int, nrb_guid text, method text, internal flag, billable flag, amount money
select t.jnid, t.position, k.nrb_guid, k.method, s.internal, s.billable,
    case when k.nrb_guid is null then coalesce(t.amount, 0) else k.invoiced_amount end as amount
from invoice_item as t
join invoice_status as i on i.jnid = t.jnid and i.state = 'issued'
left join link as k on k.jnid = t.jnid and k.position = t.position
left join nrb_status as s on s.guid = k.nrb_guid
