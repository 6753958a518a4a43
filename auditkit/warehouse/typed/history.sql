-- raw.tombstone, raw.nrb_body → vanished, nrb_version. Parameters: none. A field that cannot be read here is NULL.

insert into vanished by name
with body as (
    select 'nrb' as subject_type, guid as subject_id, digest, body from raw.nrb_body
    union all
    select 'invoice', jnid, digest, body from raw.invoice_body
), buried as (
    select distinct t.*, b.body from raw.tombstone as t
    join body as b on b.subject_type = t.subject_type and b.subject_id = t.subject_id and b.digest = t.digest
), token as (
    select *, case when subject_type = 'nrb' then read_body(body, nrb_spec()) end as nrb,
        case when subject_type = 'invoice' then read_body(body, invoice_spec()) end as invoice
    from buried
)
select subject_type, subject_id, digest, last_sync, vanished_sync,
    read_text(cast(coalesce(nrb."nrbName", invoice."number") as varchar)) as name,
    read_text(cast(nrb."nrbJobOrderNumber" as varchar)) as job_number,
    read_money(cast(coalesce(nrb."nrbTotalAfterMarkup", invoice."total") as varchar)) as total
from token
order by subject_type, subject_id;

insert into nrb_version by name
with version as (
    select guid as subject_id, first_sync as position, last_sync, digest, read_body(body, nrb_version_spec()) as f
    from raw.nrb_body
    where guid in (select guid from raw.nrb_body group by guid having count(*) > 1)
), readable as (
    from version where f is not null
)
select v.subject_id as guid, v.position as first_sync, v.last_sync, v.digest,
    r.* exclude (subject_id, position, digest, is_irregular)
from nrb_version_read('readable') as r
join version as v on v.subject_id = r.subject_id and v.position = r.position
order by guid, first_sync;
