-- id: line-amount-difference
-- title: Charged another amount than the cost with mark-up
-- assertion: accuracy
-- severity: medium
-- subject: invoice_item
-- out: subject_id text, job_number text, amount_at_risk money, reason text, nrb_guid text, nrb_amount money, invoiced_amount money, difference money
-- why: The line carries the NRB, but for more or less than its total after mark-up.
-- remedy: Correct the line, or the NRB if the price was agreed.
-- note: Lines of issued invoices that carry billable, non-internal NRBs, each by its part. amount_at_risk is absolute; evidence signs it.
select k.jnid || '/' || cast(k.position as text) as subject_id, s.job_number,
    abs(k.invoiced_amount - k.nrb_amount) as amount_at_risk,
    case when k.invoiced_amount < k.nrb_amount then 'charged less than the NRB' else 'charged more than the NRB' end as reason,
    k.nrb_guid, k.nrb_amount, k.invoiced_amount, k.invoiced_amount - k.nrb_amount as difference
from link as k
join nrb_status as s on s.guid = k.nrb_guid and s.billable and not s.internal
join invoice_status as i on i.jnid = k.jnid and i.state = 'issued'
where k.position is not null and abs(k.invoiced_amount - k.nrb_amount) > $tolerance
