-- id: invoice-due
-- title: Balance due is not total less payments
-- assertion: accuracy
-- severity: medium
-- subject: invoice
-- out: subject_id text, job_number text, amount_at_risk money, reason text, number text, total money, total_paid money, due money
-- why: Collections chase another amount than the client owes.
-- remedy: Check the payments against the bank, then correct the invoice.
-- note: Issued invoices, by more than $tolerance. NULL total or due: nothing to compare; NULL paid counts as 0. Overpaid fires too.
with compared as (
    select i.jnid, s.job_number, i.number, i.total, i.total_paid, i.due,
        i.total - coalesce(i.total_paid, 0) as open_amount, coalesce(i.total_paid, 0) - i.total as overpaid
    from invoice as i
    join invoice_status as s on s.jnid = i.jnid and s.state = 'issued'
)
select jnid as subject_id, job_number, greatest(abs(open_amount - due), overpaid) as amount_at_risk,
    case when abs(open_amount - due) > $tolerance then 'total less paid is ' || cast(open_amount as text) else 'overpaid' end as reason,
    number, total, total_paid, due
from compared
where abs(open_amount - due) > $tolerance or (overpaid > $tolerance and total_paid > 0)
