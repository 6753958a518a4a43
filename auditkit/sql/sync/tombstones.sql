-- A tombstone for each record that vanished, none for one that is listed again. What cannot be typed is NULL. {table}, {key},
-- {subject}: the source's raw table, its key, and what a record is called in tables; {name}, {job}, {total}: the fields that
-- describe it. Parameters: $sync_id.

delete from raw.tombstone where subject_type = '{subject}' and subject_id in (select id from listed_now);

insert into raw.tombstone by name
with gone as (
    select {key} as subject_id, digest, last_sync, case when json_valid(body) then
        json_transform(body, json_spec(['{name}', '{job}', '{total}', 'is_active'])) end as txt
    from {table} where {key} in (select id from gone_now) and last_sync = $sync_id - 1
)
select '{subject}' as subject_type, subject_id, digest, last_sync, $sync_id as vanished_sync,
    to_text(txt."{name}") as name, to_text(txt."{job}") as job_number, try_cast(txt."{total}" as decimal(18, 2)) as total,
    try_cast(txt.is_active as boolean) as is_active
from gone;
