-- Of a table of versions ({table}) keep those that a kept read ($sync_id) saw, and make them current.
delete from {table} where not $sync_id between first_sync and last_sync;
update {table} set last_sync = $sync_id;
