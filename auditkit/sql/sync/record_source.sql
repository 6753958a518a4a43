-- One row of sync_source: what the sync counted, and the control totals of what was typed (control_totals.sql, which is put
-- into it). Parameters: one for each other column.
insert into sync_source by name
with control as (
    {control_totals}
)
select cast($sync_id as integer) as sync_id, $source as source, $records as records, $subject_type as subject_type,
    $listed as listed, $fetched as fetched, $resumed as resumed, $unchanged as unchanged, $changed as changed,
    (select count(*) from quarantine where subject_type = $subject_type and field <> '(record)') as quarantined,
    $unread as unread, $vanished as vanished, $verified_again as verified_again,
    $changed_unversioned as changed_unversioned, $oldest_verified_at as oldest_verified_at, $lists as lists,
    $method as method, $end_of_list as end_of_list, $count_meaning as count_meaning, $id_hash as id_hash, control.*,
    $calls as calls, $retries as retries, $throttled as throttled, $clock_skew_seconds as clock_skew_seconds
from control
