-- One job, both sides; none is dropped, and cost or invoices without a job are a row of their own. NULL totals count as 0.00.
-- variance: what issued lines charge for the job's billable leaves, less their total. rounding: the part of it that is rounding or
-- vendor tax of cost that is fully billed. free_line_total: what lines charge for cost that is internal or not billable.
-- undecided_total: leaves of which nobody can say yet whether they were billed.
-- A job whose leaves are on another job's invoice is not nrb-only; invoices of several jobs are judged by their jobs' rows.
-- out: job_number text, nrb_count int, nrb_total money, billable_total money, billed_total money, linked_total money,
--   unbilled_total money, undecided_total money, invoice_count int, invoice_total money, linked_line_total money,
--   free_line_total money, other_line_total money, variance money, rounding money, verdict text
with leaf as (
    select guid, coalesce(job_key, '') as job_key, coalesce(total, 0) as total, charged, left_over, state, billed_mark, linked,
        billable and not internal as counts
    from nrb_status
), cost as (
    select job_key, count(*) as nrb_count, sum(total) as nrb_total,
        count(case when counts then 1 end) as billable_count,
        sum(case when counts then total else 0 end) as billable_total,
        sum(case when billed_mark then total else 0 end) as billed_total,
        count(case when linked and charged <> 0 then 1 end) as linked_count,
        sum(case when linked and charged <> 0 then total else 0 end) as linked_total,
        sum(case when state in ('unbilled', 'not_on_invoice', 'not_found', 'on_void', 'on_draft') then total
            when state = 'billed_part' then left_over else 0 end) as unbilled_total,
        sum(case when state in ('undecided', 'marked_several', 'unreadable') then total else 0 end) as undecided_total,
        sum(case when counts then charged else 0 end) as linked_line_total,
        sum(case when counts then 0 else charged end) as free_line_total,
        sum(case when state = 'billed_full' then -left_over else 0 end) as rounding
    from leaf
    group by job_key
), invoiced as (
    select coalesce(job_key, '') as job_key, count(*) as invoice_count, sum(coalesce(total, 0)) as invoice_total
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
        coalesce(c.billed_total, 0) as billed_total, coalesce(c.linked_count, 0) as linked_count,
        coalesce(c.linked_total, 0) as linked_total, coalesce(c.unbilled_total, 0) as unbilled_total,
        coalesce(c.undecided_total, 0) as undecided_total, coalesce(c.linked_line_total, 0) as linked_line_total,
        coalesce(c.free_line_total, 0) as free_line_total,
        coalesce(c.rounding, 0) as rounding,
        coalesce(i.invoice_count, 0) as invoice_count, coalesce(i.invoice_total, 0) as invoice_total
    from cost as c full outer join invoiced as i on i.job_key = c.job_key
), summed as (
    select n.job_number, j.nrb_count, j.nrb_total, j.billable_count, j.billable_total, j.billed_total, j.linked_count,
        j.linked_total, j.unbilled_total, j.undecided_total, j.invoice_count, j.invoice_total, j.linked_line_total,
        j.free_line_total, coalesce(o.other_line_total, 0) as other_line_total, j.linked_line_total - j.billable_total as variance, j.rounding
    from job as j
    left join job_name as n on n.job_key = j.job_key
    left join other as o on o.job_key = j.job_key
)
select job_number, nrb_count, nrb_total, billable_total, billed_total, linked_total, unbilled_total, undecided_total,
    invoice_count, invoice_total, linked_line_total, free_line_total, other_line_total, variance, rounding,
    case when billable_count > 0 and invoice_count = 0 and linked_count = 0 then 'nrb-only'
        when nrb_count = 0 and job_number is distinct from '(several)' then 'invoice-only'
        when abs(variance - rounding + free_line_total) <= $tolerance then 'agrees'
        when abs(variance - rounding + free_line_total + undecided_total) <= $tolerance then 'undecided'
        when variance - rounding + free_line_total < 0 then 'under-billed' else 'over-billed' end as verdict
from summed
