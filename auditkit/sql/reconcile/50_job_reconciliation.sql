-- One job, both sides; none is dropped, and cost or invoices without a job are a row of their own. NULL totals count as 0.00.
-- Variance: what issued lines charge for the job's leaves, less the total of its billable, non-internal leaves.
-- A job whose leaves stand on another job's invoice is not nrb-only; invoices of several jobs are judged by their jobs' rows.
-- out: job_number text, nrb_count int, nrb_total money, billable_total money, billed_total money, linked_total money,
--   unbilled_total money, invoice_count int, invoice_total money, linked_line_total money, other_line_total money,
--   variance money, verdict text
with cost as (
    select coalesce(job_key, '') as job_key, count(*) as nrb_count,
        sum(coalesce(total, 0)) as nrb_total,
        count(case when billable and not internal then 1 end) as billable_count,
        sum(case when billable and not internal then coalesce(total, 0) else 0 end) as billable_total,
        sum(case when billed_mark then coalesce(total, 0) else 0 end) as billed_total,
        sum(case when unbilled then coalesce(total, 0) else 0 end) as unbilled_total
    from nrb_status
    group by coalesce(job_key, '')
), linked as (
    select coalesce(s.job_key, '') as job_key, count(*) as linked_count, sum(p.amount) as linked_total,
        sum(p.invoiced_amount) as linked_line_total
    from nrb_part as p join nrb_status as s on s.guid = p.guid
    where p.linked and p.state = 'issued'
    group by coalesce(s.job_key, '')
), invoiced as (
    select coalesce(job_key, '') as job_key, count(*) as invoice_count,
        sum(coalesce(total, 0)) as invoice_total
    from invoice_status where state = 'issued'
    group by coalesce(job_key, '')
), other as (
    select coalesce(i.job_key, '') as job_key, sum(p.amount) as other_line_total
    from line_part as p join invoice_status as i on i.jnid = p.jnid
    where p.nrb_guid is null
    group by coalesce(i.job_key, '')
), job as (
    select coalesce(c.job_key, i.job_key) as job_key,
        coalesce(c.nrb_count, 0) as nrb_count, coalesce(c.nrb_total, 0) as nrb_total,
        coalesce(c.billable_count, 0) as billable_count, coalesce(c.billable_total, 0) as billable_total,
        coalesce(c.billed_total, 0) as billed_total, coalesce(c.unbilled_total, 0) as unbilled_total,
        coalesce(i.invoice_count, 0) as invoice_count, coalesce(i.invoice_total, 0) as invoice_total
    from cost as c full outer join invoiced as i on i.job_key = c.job_key
), summed as (
    select n.job_number, j.nrb_count, j.nrb_total, j.billable_count, j.billable_total, j.billed_total, j.unbilled_total,
        j.invoice_count, j.invoice_total,
        coalesce(k.linked_count, 0) as linked_count, coalesce(k.linked_total, 0) as linked_total,
        coalesce(k.linked_line_total, 0) as linked_line_total,
        coalesce(o.other_line_total, 0) as other_line_total,
        coalesce(k.linked_line_total, 0) - j.billable_total as variance
    from job as j
    left join job_name as n on n.job_key = j.job_key
    left join linked as k on k.job_key = j.job_key
    left join other as o on o.job_key = j.job_key
)
select job_number, nrb_count, nrb_total, billable_total, billed_total, linked_total, unbilled_total, invoice_count,
    invoice_total, linked_line_total, other_line_total, variance,
    case when billable_count > 0 and invoice_count = 0 and linked_count = 0 then 'nrb-only'
        when nrb_count = 0 and job_number is distinct from '(several)' then 'invoice-only'
        when abs(variance) <= $tolerance then 'agrees'
        when variance < 0 then 'under-billed' else 'over-billed' end as verdict
from summed
