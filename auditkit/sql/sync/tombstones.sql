-- A tombstone for each record that vanished, none for one that is listed again. {table}, {key}, {subject}: the source's raw
-- table, its key, and what a record is called in tables. Parameters: $sync_id.

delete from raw.tombstone where subject_type = '{subject}' and subject_id in (select id from listed_now);

insert into raw.tombstone by name
select '{subject}' as subject_type, {key} as subject_id, digest, last_sync, $sync_id as vanished_sync
from {table} where {key} in (select id from gone_now) and last_sync = $sync_id - 1;
