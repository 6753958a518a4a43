-- raw.tombstone, raw.unread, raw.nrb_body → vanished, quarantine, nrb_version. Parameters: $sync_id. A field that cannot be read
-- here is NULL, and its version is partly read. Needs the temporary table field (records.field_rows).

insert into quarantine by name
select u.subject_type, u.subject_id, '(record)' as field, v.digest, $sync_id as sync_id,
    'could not be read: ' || u.reason || case
        when v.digest is null then '; it is in no table'
        else '; shown as it was read in sync ' || cast(u.last_read_sync as varchar) end as reason
from raw.unread as u
left join raw.version as v
    on v.subject_type = u.subject_type and v.subject_id = u.subject_id and v.last_sync = $sync_id
order by u.subject_type, u.subject_id;

insert into vanished by name
select subject_type, subject_id, name, job_number, total, is_active, digest, last_sync, vanished_sync
from raw.tombstone
order by subject_type, subject_id;

insert into nrb_version by name
with version as (
    select guid as subject_id, first_sync as position, last_sync, digest, read_body(body, nrb_version_spec()) as f
    from raw.nrb_body
    where guid in (select guid from raw.nrb_body group by guid having count(*) > 1)
), readable as (
    from version where f is not null
), typed as (
    from nrb_version_read('readable')
), token as (
    select t.subject_id, t.position, unnest(nrb_version_tokens(v.f), recursive := true)
    from typed as t
    join version as v on v.subject_id = t.subject_id and v.position = t.position
    where t.is_irregular
), unread as (
    select distinct t.subject_id, t.position
    from token as t
    join field as d on d.record = 'nrb' and d.field = t.field
    where t.token is not null and expected(d.kind, t.token, read_number(t.token)) is not null
)
select v.subject_id as guid, v.position as first_sync, v.last_sync, v.digest,
    r.* exclude (subject_id, position, digest, is_irregular), u.subject_id is not null as partly_read
from typed as r
join version as v on v.subject_id = r.subject_id and v.position = r.position
left join unread as u on u.subject_id = r.subject_id and u.position = r.position
order by guid, first_sync;
