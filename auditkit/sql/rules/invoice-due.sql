-- id: invoice-due
-- title: Amount due is not total less paid
-- assertion: accuracy
-- severity: medium
-- subject: invoice
-- out: subject_id text, job_number text, amount_at_risk money, reason text, number text, total money, total_paid money, due money
-- why: Collections chase another amount than the client owes.
-- remedy: Check the payments against the bank, then correct the invoice.
-- note: Issued invoices. NULL total or due: nothing to compare; NULL paid counts as 0. Overpaid fires too.
select i.jnid as subject_id, s.job_number, greatest(abs(i.total - coalesce(i.total_paid, 0) - i.due), coalesce(i.total_paid, 0) - i.total) as amount_at_risk,
    case when i.total - coalesce(i.total_paid, 0) <> i.due
        then 'total less paid is ' || cast(i.total - coalesce(i.total_paid, 0) as text) else 'overpaid' end as reason,
    i.number, i.total, i.total_paid, i.due
from invoice as i
join invoice_status as s on s.jnid = i.jnid and s.state = 'issued'
where i.total - coalesce(i.total_paid, 0) <> i.due or (i.total_paid > i.total and i.total_paid > 0)
