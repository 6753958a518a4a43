-- id: invoice-paid-open
-- title: Payment status contradicts the balance
-- assertion: accuracy
-- severity: medium
-- subject: invoice
-- out: subject_id text, job_number text, amount_at_risk money, reason text, number text, status_name text, due money, total_paid money, paid_in_full_on date
-- key: reason
-- why: A closed invoice with a balance is not collected; a paid one without its date of payment is chased.
-- remedy: Compare the payments with the bank, then correct status, payment or date.
-- note: Issued invoices: Closed or Paid while more than $tolerance is due; or nothing due and something paid, but no date of payment in full.
--   NULL due: silent. A deposit that was paid before it was invoiced is normal. amount_at_risk is what is due, else what was paid.
with judged as (
    select i.jnid, s.job_number, i.number, i.status_name, i.due, i.total_paid, i.paid_in_full_on,
        case when folded(i.status_name) in ('closed', 'paid') and abs(i.due) > $tolerance then 'closed or paid, but not all is settled'
            when i.due = 0 and i.total_paid > 0 and i.paid_in_full_on is null then 'paid, but without a date of payment in full'
            end as reason
    from invoice as i
    join invoice_status as s on s.jnid = i.jnid and s.state = 'issued'
)
select jnid as subject_id, job_number, case when due <> 0 then abs(due) else total_paid end as amount_at_risk, reason,
    number, status_name, due, total_paid, paid_in_full_on
from judged
where reason is not null
