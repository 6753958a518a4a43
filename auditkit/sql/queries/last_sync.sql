-- The newest read. No row before the first.
select * from sync_run order by sync_id desc limit 1
