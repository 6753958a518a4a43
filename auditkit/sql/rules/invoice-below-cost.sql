-- id: invoice-below-cost
-- title: Invoice below its cost
-- assertion: valuation
-- severity: low
-- subject: invoice
-- out: subject_id text, job_number text, amount_at_risk money, reason text, number text, subtotal money, cost money
-- why: The client is charged less than what the work cost, by JobNimbus' own figures.
-- remedy: Check prices and quantities of the lines, and whether a deposit was deducted.
-- note: Issued invoices whose cost is above the subtotal. A final invoice after a deposit, and a credit, are false alarms: those with a negative
--   line are silent. A NULL cost, or a cost or subtotal of 0.00 or less: silent. By more than $tolerance.
select i.jnid as subject_id, s.job_number, i.cost - s.subtotal as amount_at_risk,
    'it charges ' || cast(s.subtotal as text) || ' for a cost of ' || cast(i.cost as text) as reason, i.number, s.subtotal, i.cost
from invoice as i
join invoice_status as s on s.jnid = i.jnid and s.state = 'issued'
where s.subtotal > 0 and i.cost - s.subtotal > $tolerance
    and not exists (select 1 from invoice_item as t where t.jnid = i.jnid and t.amount < 0)
