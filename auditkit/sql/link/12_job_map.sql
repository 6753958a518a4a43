-- Which Aimsio job is which JobNimbus job: what job_map.csv says; else equal numbers; else numbers of one key, then of one key
-- without its prefix, where these are alone on both sides. A JobNimbus job in job_map.csv is what the file says and nothing else.
-- out: aimsio_job_number text, jobnimbus_job_number text, source text
with aimsio as (
    select folded(job_number) as job, min(job_number) as job_number, min(reference_key(job_number)) as job_key,
        min(key_without_prefix(reference_key(job_number))) as loose_key
    from nrb where folded(job_number) is not null
    group by folded(job_number)
), jobnimbus as (
    select folded(number) as job, min(number) as job_number, min(reference_key(number)) as job_key,
        min(key_without_prefix(reference_key(number))) as loose_key
    from invoice_related where folded(type) = 'job' and folded(number) is not null
    group by folded(number)
), equal_number as (
    select a.job as aimsio, j.job as jobnimbus from aimsio as a join jobnimbus as j on j.job = a.job
), equal_key as (
    select min(a.job) as aimsio, min(j.job) as jobnimbus
    from aimsio as a join jobnimbus as j on j.job_key = a.job_key
    group by a.job_key having count(*) = 1
), mapped as (
    select aimsio, jobnimbus, 'equal number' as source from equal_number
    union all
    select k.aimsio, k.jobnimbus, 'equal key' from equal_key as k
    where not exists (select 1 from equal_number as e where e.aimsio = k.aimsio or e.jobnimbus = k.jobnimbus)
), loose as (
    select min(a.job) as aimsio, min(j.job) as jobnimbus
    from aimsio as a
    join jobnimbus as j on j.loose_key = a.loose_key
    where not exists (select 1 from mapped as m where m.aimsio = a.job or m.jobnimbus = j.job)
    group by a.loose_key having count(*) = 1
), every as (
    select aimsio, jobnimbus, source from mapped
    union all
    select aimsio, jobnimbus, 'key without prefix' from loose
)
select distinct f.aimsio_job_number, f.jobnimbus_job_number, 'job_map.csv' as source
from job_map_file as f
union all
select a.job_number, j.job_number, e.source
from every as e
join aimsio as a on a.job = e.aimsio
join jobnimbus as j on j.job = e.jobnimbus
where not exists (select 1 from job_map_file as f where folded(f.jobnimbus_job_number) = e.jobnimbus)
