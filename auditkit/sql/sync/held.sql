-- How many records the sync before held. {table}: the source's raw table. Parameters: $sync_id.
select count(*) from {table} where last_sync = $sync_id - 1
