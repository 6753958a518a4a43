-- Whose data the newest read holds. No row before the first read.
select environment, account from sync_run order by sync_id desc limit 1
