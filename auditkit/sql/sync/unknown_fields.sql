-- The top-level fields that a source sent in this sync. {table}: the source's raw table. Parameters: $sync_id.
select distinct unnest(json_keys(body)) as name from {table}
where last_sync = $sync_id and json_valid(body) and json_type(body) = 'OBJECT' order by name
