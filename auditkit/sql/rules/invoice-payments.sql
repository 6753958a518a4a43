-- id: invoice-payments
-- title: Payments do not sum to the amount paid
-- assertion: accuracy
-- severity: low
-- subject: invoice
-- out: subject_id text, job_number text, amount_at_risk money, reason text, number text, total_paid money, payments money, payment_count int
-- why: The invoice shows another amount as paid than its payments make: one is missing or was entered twice.
-- remedy: Compare the payments with the bank, then correct the invoice.
-- note: Issued invoices with payments that all have an amount, by more than $tolerance. JobNimbus does not document the fields of a payment; where one
--   has no readable amount the invoice is silent. NULL total_paid: silent.
with read as (
    select jnid, json_extract_string(body, '$.amount') as written from payment
), summed as (
    select jnid, count(*) as payment_count,
        count(case when regexp_matches(written, '^-?[0-9]{1,15}([.][0-9]{1,2}0*)?$') then 1 end) as readable,
        sum(cast(case when regexp_matches(written, '^-?[0-9]{1,15}([.][0-9]{1,2}0*)?$') then written end as decimal(18, 2))) as payments
    from read group by jnid
)
select i.jnid as subject_id, s.job_number, abs(i.total_paid - p.payments) as amount_at_risk,
    'its payments sum to ' || cast(p.payments as text) as reason, i.number, i.total_paid, p.payments, p.payment_count
from summed as p
join invoice as i on i.jnid = p.jnid
join invoice_status as s on s.jnid = i.jnid and s.state = 'issued'
where p.readable = p.payment_count and abs(i.total_paid - p.payments) > $tolerance
