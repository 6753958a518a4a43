-- The invoice side of the statement: each line of an issued invoice, split over the NRBs that it carries. A part is out of its
-- job or month where the NRB's is not the invoice's; none on both sides is the same.
-- out: jnid text, position int, nrb_guid text, method text, internal flag, billable flag, other_job flag, other_month flag,
--   amount money
select t.jnid, t.position, k.nrb_guid, k.method, s.internal, s.billable,
    s.job_key is distinct from i.job_key as other_job, s.month is distinct from i.month as other_month,
    case when k.nrb_guid is null then coalesce(t.amount, 0) else k.invoiced_amount end as amount
from invoice_item as t
join invoice_status as i on i.jnid = t.jnid and i.state = 'issued'
left join link as k on k.jnid = t.jnid and k.position = t.position
left join nrb_status as s on s.guid = k.nrb_guid
