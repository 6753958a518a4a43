-- One row of sync_run. Parameters: one for each column.
insert into sync_run by name
select cast($sync_id as integer) as sync_id, $started_at as started_at, $finished_at as finished_at,
    $environment as environment, $account as account, $status as status, $reason as reason, $is_offline as is_offline,
    $read_at as read_at, $notices as notices
