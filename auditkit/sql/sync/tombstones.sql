-- A tombstone for each record that vanished, none for one that is listed again. What cannot be read is NULL. {table}, {key},
-- {subject}: the source's raw table, its key, and what a record is called in tables; {name}, {job}, {total}: the fields that
-- describe it. Parameters: $sync_id. Needs the macros of warehouse/reading.sql.

delete from raw.tombstone where subject_type = '{subject}' and subject_id in (select id from listed_now);

insert into raw.tombstone by name
with gone as (
    select {key} as subject_id, digest, last_sync,
        read_body(body, '{{"{name}": "JSON", "{job}": "JSON", "{total}": "JSON", "is_active": "JSON", "exact": "DECIMAL(1,0)"}}') as token
    from {table} where {key} in (select id from gone_now) and last_sync = $sync_id - 1
)
select '{subject}' as subject_type, subject_id, digest, last_sync, $sync_id as vanished_sync,
    read_text(cast(token."{name}" as varchar)) as name, read_text(cast(token."{job}" as varchar)) as job_number,
    read_money(cast(token."{total}" as varchar)) as total, read_flag(cast(token.is_active as varchar)) as is_active
from gone;
