-- id: invoice-overdue
-- title: Past-due invoice
-- assertion: valuation
-- severity: low
-- subject: invoice
-- param: days int = 0
-- out: subject_id text, job_number text, amount_at_risk money, reason text, number text, due_date date, days_late int, late_bucket text, customer text
-- why: The older a claim, the less of it is paid.
-- remedy: Remind the client; write off what will not be paid.
-- note: Issued invoices with more than $tolerance due, more than $days after the due date on $as_of. NULL due: total less paid; NULL due date:
--   never late.
with claim as (
    select i.jnid, s.job_number, i.number, i.customer, i.due_date, coalesce(i.due, i.total - coalesce(i.total_paid, 0)) as due,
        days_between(i.due_date, $as_of) as days_late
    from invoice as i
    join invoice_status as s on s.jnid = i.jnid and s.state = 'issued'
)
select jnid as subject_id, job_number, due as amount_at_risk,
    'due for ' || cast(days_late as text) || ' days' as reason, number, due_date, days_late,
    age_band(days_late) as late_bucket, customer
from claim
where due > $tolerance and days_late > $days
