-- JobNimbus jobs that no number decides and whose name holds the number of an Aimsio job: a suggestion to confirm in job_map.csv.
-- out: aimsio_job_number text, jobnimbus_job_number text, jobnimbus_job_name text, invoices int, confirmed flag
with aimsio as (
    select job_key, min(job_number) as job_number from nrb_leaf group by job_key
)
select a.job_number as aimsio_job_number, min(e.written) as jobnimbus_job_number, min(r.name) as jobnimbus_job_name,
    count(distinct s.jnid) as invoices, max(case when c.entry_key is null then 0 else 1 end) = 1 as confirmed
from job_suggested as s
join job_entry as e on e.jnid = s.jnid and e.position = s.position
join invoice_related as r on r.jnid = s.jnid and r.position = s.position
join aimsio as a on a.job_key = s.job_key
left join job_confirmed as c on c.entry_key = s.entry_key and c.job_key = s.job_key
group by s.entry_key, s.job_key, a.job_number
