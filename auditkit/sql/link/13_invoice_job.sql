-- The jobs of an invoice, one row each: by job_map.csv, by number, by a whole token of the job's name; else its own number.
-- job_map.csv may name several; a name that holds several Aimsio job numbers decides nothing.
-- out: jnid text, job_number text, job_key text, method text
with job as (
    select jnid, position, number, related_id, name from invoice_related where folded(type) = 'job'
), said as (
    select j.jnid, j.position, m.aimsio_job_number as job_number
    from job as j
    join job_map as m on folded(m.jobnimbus_job_number) = folded(j.number)
    where m.source = 'job_map.csv'
    union
    select j.jnid, j.position, m.aimsio_job_number
    from job as j
    join job_map as m on folded(m.jobnimbus_job_number) = folded(j.related_id)
    where m.source = 'job_map.csv'
), equal_number as (
    select j.jnid, j.position, m.aimsio_job_number as job_number
    from job as j
    join job_map as m on folded(m.jobnimbus_job_number) = folded(j.number)
    where m.source = 'equal number'
), aimsio as (
    select usable_reference(job_number) as token, min(job_number) as job_number
    from nrb where usable_reference(job_number) is not null
    group by usable_reference(job_number)
), by_name as (
    select t.jnid, t.position, min(a.job_number) as job_number
    from related_token as t join aimsio as a on a.token = t.token
    group by t.jnid, t.position having count(distinct a.token) = 1
), resolved as (
    select j.jnid,
        coalesce(m.job_number, e.job_number, n.job_number, j.number, j.name, j.related_id) as job_number,
        case when m.job_number is not null then 'job_map.csv' when e.job_number is not null then 'equal number'
            when n.job_number is not null then 'name' else 'unresolved' end as method
    from job as j
    left join said as m on m.jnid = j.jnid and m.position = j.position
    left join equal_number as e on e.jnid = j.jnid and e.position = j.position
    left join by_name as n on n.jnid = j.jnid and n.position = j.position
)
select jnid, min(job_number) as job_number, folded(job_number) as job_key, min(method) as method
from resolved
where job_number is not null
group by jnid, folded(job_number)
