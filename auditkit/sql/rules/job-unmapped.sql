-- id: job-unmapped
-- title: Job with cost and no invoice
-- assertion: completeness
-- severity: low
-- subject: job
-- out: subject_id text, job_number text, amount_at_risk money, reason text, nrb_count int, first_cost date, last_cost date, suggestion text
-- key: suggestion
-- why: Either the job was never billed, or JobNimbus knows it under another number, and then cost and revenue never meet.
-- remedy: Look for the job in JobNimbus. If it has another number there, write the pair into job_map.csv; else look for its costs on other invoices, and bill the job for what is on none.
-- note: Jobs with something to bill that no invoice in any state surely belongs to, and none of whose costs is on an invoice line. Counted are
--   billable, non-internal leaves, but not those of 0.00 or reversed ones; NULL totals count as 0.00. A job whose number is in an invoice that
--   could not be read is silent. suggestion: a JobNimbus job whose name holds the number. NULL job: nrb-missing-key.
with cost as (
    select job_key, min(job_number) as job_number, count(*) as nrb_count, sum(coalesce(total, 0)) as total,
        min(accounting_date) as first_cost, max(accounting_date) as last_cost, max(case when linked then 1 else 0 end) as linked
    from nrb_status
    where job_key is not null and billable and not internal and state not in ('nothing_to_bill', 'reversed')
    group by job_key
), suggested as (
    select folded(aimsio_job_number) as job_key,
        min(jobnimbus_job_number || coalesce(', ' || nullif(jobnimbus_job_name, jobnimbus_job_number), '')) as suggestion
    from job_suggestion
    group by folded(aimsio_job_number)
)
select c.job_number as subject_id, c.job_number, c.total as amount_at_risk,
    case when g.suggestion is null then 'no invoice belongs to this job'
        else 'no invoice surely belongs to this job; JobNimbus job ' || g.suggestion || ' may be it' end as reason,
    c.nrb_count, c.first_cost, c.last_cost, coalesce(g.suggestion, '') as suggestion
from cost as c
left join suggested as g on g.job_key = c.job_key
where c.linked = 0 and not exists (select 1 from invoice_job as j where j.job_key = c.job_key and j.sure)
    and not exists (
        select 1 from raw.partly_read as b where b.subject_type = 'invoice' and contains(lower(b.body), c.job_key)
    )
