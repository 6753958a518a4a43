-- id: invoice-subtotal
-- title: Footing error: lines to subtotal
-- assertion: accuracy
-- severity: high
-- subject: invoice
-- out: subject_id text, job_number text, amount_at_risk money, reason text, number text, line_total money, subtotal money, difference money
-- key: difference
-- why: The client is charged another amount than the lines explain.
-- remedy: Open the invoice and save it again; if the difference remains, correct the lines.
-- note: Issued invoices, by more than $tolerance. Labor that is charged beside the amounts of its lines counts (setting labor_in_amount).
--   NULL subtotal: nothing to compare. amount_at_risk is absolute; evidence holds both sides.
select i.jnid as subject_id, i.job_number, abs(i.subtotal - i.line_total) as amount_at_risk,
    'the lines sum to ' || cast(i.line_total as text) as reason,
    i.number, i.line_total, i.subtotal, i.subtotal - i.line_total as difference
from invoice_status as i
where i.state = 'issued' and abs(i.subtotal - i.line_total) > $tolerance
