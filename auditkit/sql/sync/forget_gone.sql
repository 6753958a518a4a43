-- Forget which version is held of a record that is no longer in the raw table. {table}, {key}, {subject}: the source's raw
-- table, its key, and what a record is called in tables. Parameters: $sync_id.
delete from raw.held
where subject_type = '{subject}' and subject_id not in (select {key} from {table} where last_sync = $sync_id)
