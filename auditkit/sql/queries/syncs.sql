-- Every read of this home, in order.
select sync_id, started_at, finished_at, status from sync_run order by sync_id
