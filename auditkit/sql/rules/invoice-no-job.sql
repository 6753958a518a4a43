-- id: invoice-no-job
-- title: Invoice whose job is not known
-- assertion: classification
-- severity: medium
-- subject: invoice
-- out: subject_id text, job_number text, amount_at_risk money, reason text, number text, jobs text
-- key: reason
-- why: Without its job its revenue cannot be held against any cost: the job looks under-billed, and this invoice stands alone.
-- remedy: Relate the invoice to its job in JobNimbus, or write the pair of job numbers into job_map.csv.
-- note: Issued invoices. Fires when none of its related jobs is in job_map.csv, has the number of an Aimsio job, or names exactly one in
--   its name. An invoice with several jobs is silent as soon as one is known. NULL numbers and names resolve nothing.
with job as (
    select jnid, position, number, name, related_id from invoice_related where folded(type) = 'job'
), aimsio as (
    select usable_reference(job_number) as token from nrb where job_number is not null group by usable_reference(job_number)
), known as (
    select j.jnid from job as j join job_map as m on folded(m.jobnimbus_job_number) = folded(j.number)
    union all
    select j.jnid from job as j join job_map as m on folded(m.jobnimbus_job_number) = folded(j.related_id)
    union all
    select t.jnid from related_token as t join aimsio as a on a.token = t.token
    group by t.jnid, t.position having count(*) = 1
), named as (
    select jnid, string_agg(coalesce(number, name, related_id), ', ' order by position) as jobs from job group by jnid
)
select s.jnid as subject_id, s.job_number, s.total as amount_at_risk,
    case when n.jnid is null then 'no related job' else 'no Aimsio job is known for it' end as reason, s.number, n.jobs
from invoice_status as s
left join named as n on n.jnid = s.jnid
where s.state = 'issued' and not exists (select 1 from known as k where k.jnid = s.jnid)
