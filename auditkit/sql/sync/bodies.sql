-- The bodies that the sync before held of some records. {table}, {key}: the source's raw table and its key.
-- Parameters: $sync_id, $ids.
select {key}, body from {table} where last_sync = $sync_id - 1 and {key} in (select unnest($ids))
