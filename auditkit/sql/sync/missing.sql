-- The ids that the sync before held and this one does not list. {table}, {key}: the source's raw table and its key.
-- Parameters: $sync_id.
select {key} from {table}
where last_sync = $sync_id - 1 and {key} not in (select id from listed_now)
order by {key}
