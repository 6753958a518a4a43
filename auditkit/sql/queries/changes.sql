-- What appeared, changed (field by field, as the JSON it came as) and vanished between the sync $since and the newest one. What
-- appeared or vanished is one row, and its field is NULL.
with newest as (
    select max(sync_id) as sync_id from sync_run
), old as (
    select * from raw.version where $since between first_sync and last_sync
), new as (
    select v.* from raw.version as v, newest where newest.sync_id between first_sync and last_sync
), pair as (
    select coalesce(old.subject_type, new.subject_type) as subject_type,
        coalesce(old.subject_id, new.subject_id) as subject_id, new.first_sync as sync_id,
        case when old.digest is null then 'appeared' when new.digest is null then 'vanished' else 'changed'
            end as change,
        old.body as old_body, new.body as new_body
    from old full join new on new.subject_type = old.subject_type and new.subject_id = old.subject_id
    where old.digest is distinct from new.digest
), old_field as (
    select subject_type, subject_id, f.key as field, cast(f.value as varchar) as before
    from pair, json_each(old_body) as f where change = 'changed' and json_valid(old_body)
), new_field as (
    select subject_type, subject_id, f.key as field, cast(f.value as varchar) as after
    from pair, json_each(new_body) as f where change = 'changed' and json_valid(new_body)
), field as (
    select subject_type, subject_id, field, before, after
    from old_field full join new_field using (subject_type, subject_id, field)
    where before is distinct from after
)
select p.change, p.subject_type, p.subject_id, p.sync_id, f.field, f.before, f.after
from pair as p
left join field as f on f.subject_type = p.subject_type and f.subject_id = p.subject_id and p.change = 'changed'
order by p.change, p.subject_type, p.subject_id, f.field
