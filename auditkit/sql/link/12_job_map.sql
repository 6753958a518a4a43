-- Which Aimsio job is which JobNimbus job: what job_map.csv says, else numbers that are equal after normalising and unique. The
-- file may give one job several others, on either side.
-- out: aimsio_job_number text, jobnimbus_job_number text, source text
with aimsio as (
    select normal_key(job_number) as job_key, min(job_number) as job_number
    from nrb where job_number is not null
    group by normal_key(job_number) having count(distinct folded(job_number)) = 1
), jobnimbus as (
    select normal_key(number) as job_key, min(number) as job_number
    from invoice_related where folded(type) = 'job' and number is not null
    group by normal_key(number) having count(distinct folded(number)) = 1
)
select distinct f.aimsio_job_number, f.jobnimbus_job_number, 'job_map.csv' as source
from job_map_file as f
union all
select a.job_number as aimsio_job_number, j.job_number as jobnimbus_job_number, 'equal number' as source
from aimsio as a join jobnimbus as j on j.job_key = a.job_key
where not exists (select 1 from job_map_file as f where folded(f.jobnimbus_job_number) = folded(j.job_number))
