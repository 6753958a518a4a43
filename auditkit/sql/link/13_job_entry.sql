-- The jobs that an invoice names, one row for each entry: the Aimsio job that it surely is (by job_map.csv, else by number), or NULL;
-- and how the entry itself is written.
-- out: jnid text, position int, entry_key text, written text, job_key text, source text
with job as (
    select jnid, position, folded(number) as number_key, folded(related_id) as related_key,
        coalesce(number, name, related_id) as written
    from invoice_related where folded(type) = 'job'
), known as (
    select folded(aimsio_job_number) as job_key, folded(jobnimbus_job_number) as jobnimbus_key, source from job_map
), filed as (
    select j.jnid, j.position, k.job_key, k.source from job as j join known as k on k.jobnimbus_key = j.number_key
    where k.source = 'job_map.csv'
    union
    select j.jnid, j.position, k.job_key, k.source from job as j join known as k on k.jobnimbus_key = j.related_key
    where k.source = 'job_map.csv'
), sure as (
    select jnid, position, job_key, source from filed
    union all
    select j.jnid, j.position, k.job_key, k.source
    from job as j join known as k on k.jobnimbus_key = j.number_key
    where k.source <> 'job_map.csv'
        and not exists (select 1 from filed as f where f.jnid = j.jnid and f.position = j.position)
)
select j.jnid, j.position, coalesce(j.number_key, j.related_key, folded(j.written)) as entry_key, j.written, s.job_key, s.source
from job as j
left join sure as s on s.jnid = j.jnid and s.position = j.position
