-- id: invoice-total
-- title: Footing error: subtotal and tax to total
-- assertion: accuracy
-- severity: high
-- subject: invoice
-- out: subject_id text, job_number text, amount_at_risk money, reason text, number text, subtotal money, tax money, total money, difference money
-- key: difference
-- why: The total that the client pays does not follow from subtotal and tax.
-- remedy: Open the invoice and save it again; if the difference remains, correct the tax.
-- note: Issued invoices, by more than $tolerance. A NULL total fires. NULL tax counts as 0, NULL subtotal as the sum of the lines.
select i.jnid as subject_id, i.job_number, abs(coalesce(i.total, 0) - i.subtotal - i.tax) as amount_at_risk,
    case when i.total is null then 'no total' else 'subtotal and tax are ' || cast(i.subtotal + i.tax as text) end as reason,
    i.number, i.subtotal, i.tax, i.total, coalesce(i.total, 0) - i.subtotal - i.tax as difference
from invoice_status as i
where i.state = 'issued' and (i.total is null or abs(i.total - i.subtotal - i.tax) > $tolerance)
