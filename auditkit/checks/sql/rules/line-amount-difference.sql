-- id: line-amount-difference
-- title: Charged another amount than the cost with mark-up
-- assertion: accuracy
-- severity: medium
-- subject: invoice_item
-- out: subject_id text, job_number text, amount_at_risk money, reason text, nrb_guid text, nrb_amount money, invoiced_amount money, difference money
-- why: The line carries the NRB, but for more or less than its total after mark-up.
-- remedy: Correct the line, or the NRB if the price was agreed.
-- note: Lines of issued invoices that carry billable, non-internal NRBs, each by its part. amount_at_risk is absolute; evidence signs it.
select p.jnid || '/' || cast(p.position as text) as subject_id, s.job_number,
    abs(p.invoiced_amount - p.amount) as amount_at_risk,
    case when p.invoiced_amount < p.amount then 'charged less than the NRB' else 'charged more than the NRB' end as reason,
    p.guid as nrb_guid, p.amount as nrb_amount, p.invoiced_amount, p.invoiced_amount - p.amount as difference
from nrb_part as p
join nrb_status as s on s.guid = p.guid
where p.linked and p.billable and not p.internal and p.state = 'issued'
    and abs(p.invoiced_amount - p.amount) > $tolerance
