-- id: job-unmapped
-- title: Cost on a job that no invoice belongs to
-- assertion: completeness
-- severity: low
-- subject: job
-- out: subject_id text, job_number text, amount_at_risk money, reason text, nrb_count int, first_cost date, last_cost date
-- why: Either nobody ever billed the job, or JobNimbus knows it under another number, and then cost and revenue never meet.
-- remedy: Bill the job, or write the pair of job numbers into job_map.csv.
-- note: Jobs with billable, non-internal leaves that no invoice in any state belongs to, by job_map.csv, number or name. NULL job:
--   nrb-missing-key. NULL totals count as 0.00.
with cost as (
    select job_key, min(job_number) as job_number, count(*) as nrb_count, sum(coalesce(total, 0)) as total,
        min(accounting_date) as first_cost, max(accounting_date) as last_cost
    from nrb_status
    where job_key is not null and billable and not internal
    group by job_key
), related as (
    select folded(number) as related_key from invoice_related where folded(type) = 'job'
    union all
    select folded(related_id) from invoice_related where folded(type) = 'job'
), aimsio as (
    select usable_reference(job_number) as token, min(job_key) as job_key from nrb_status
    where job_number is not null
    group by usable_reference(job_number)
), by_name as (
    select t.jnid, t.position, min(a.job_key) as job_key
    from related_token as t join aimsio as a on a.token = t.token
    group by t.jnid, t.position having count(*) = 1
), invoiced as (
    select folded(m.aimsio_job_number) as job_key
    from job_map as m join related as r on r.related_key = folded(m.jobnimbus_job_number)
    union all
    select job_key from by_name
    union all
    select job_key from invoice_status
)
select c.job_number as subject_id, c.job_number, c.total as amount_at_risk,
    'no invoice belongs to this job' as reason, c.nrb_count, c.first_cost, c.last_cost
from cost as c
where not exists (select 1 from invoiced as i where i.job_key = c.job_key)
