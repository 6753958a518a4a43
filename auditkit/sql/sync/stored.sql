-- How many records arrived in this sync, and how many of them are new or changed. {table}: the source's raw table.
-- Parameters: $sync_id.
select (select count(*) from newest) as arrived,
    (select count(*) from {table} where first_sync = $sync_id) as changed
