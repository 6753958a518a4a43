-- The Aimsio jobs of an invoice, one row each. Sure: by job_map.csv, by number, or confirmed by a reference. Not sure: a number in the
-- job's free text; such a job feeds no search by amount.
-- out: jnid text, job_key text, sure flag, source text
with found as (
    select jnid, job_key, true as sure, source from job_entry where job_key is not null
    union all
    select s.jnid, s.job_key, c.entry_key is not null as sure,
        case when c.entry_key is not null then 'job name and reference' else 'job name' end as source
    from job_suggested as s
    left join job_confirmed as c on c.entry_key = s.entry_key and c.job_key = s.job_key
)
select jnid, job_key, max(case when sure then 1 else 0 end) = 1 as sure, min(source) as source
from found
group by jnid, job_key
