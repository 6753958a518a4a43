-- The sources of the newest read, one row each. No row before the first.
select * from sync_source where sync_id = (select max(sync_id) from sync_run) order by source
