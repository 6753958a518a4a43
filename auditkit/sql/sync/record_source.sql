-- One row of sync_source: what the sync counted, and the control totals of what was typed. The total of Aimsio is over
-- leaves, so that no child counts twice; amounts that are NULL count as 0.00. Parameters: one for each other column.
insert into sync_source by name
with control as (
    select 'nrb' as subject_type, coalesce(sum(total_after_markup) filter (where is_leaf), 0) as total,
        json_object('vendor_tax', cast(coalesce(sum(vendor_tax) filter (where is_leaf), 0) as varchar)) as other_sums,
        min(created_on) as first_on, max(created_on) as last_on
    from nrb
    union all
    select 'invoice', coalesce(sum(total), 0), json_object(
            'subtotal', cast(coalesce(sum(subtotal), 0) as varchar), 'tax', cast(coalesce(sum(tax), 0) as varchar),
            'due', cast(coalesce(sum(due), 0) as varchar)),
        min(created_on), max(created_on)
    from invoice
)
select cast($sync_id as integer) as sync_id, $source as source, $records as records, $subject_type as subject_type,
    $listed as listed, $fetched as fetched, $resumed as resumed, $unchanged as unchanged, $changed as changed,
    (select count(*) from quarantine where subject_type = $subject_type and field <> '(record)') as quarantined,
    $unread as unread, $vanished as vanished, $verified_again as verified_again,
    $changed_unversioned as changed_unversioned, $oldest_verified_at as oldest_verified_at,
    $lists as lists, $method as method, $end_of_list as end_of_list, $count_meaning as count_meaning, $id_hash as id_hash, control.total as control_total, control.other_sums,
    control.first_on, control.last_on,
    $calls as calls, $retries as retries, $throttled as throttled, $clock_skew_seconds as clock_skew_seconds
from control where control.subject_type = $subject_type
