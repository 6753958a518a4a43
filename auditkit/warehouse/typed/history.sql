-- raw.tombstone, raw.unread, raw.nrb_body → vanished, quarantine, nrb_version. Parameters: $sync_id. What cannot be typed here
-- is NULL: it was, or will be, quarantined where it is current.

insert into quarantine by name
select u.subject_type, u.subject_id, '(record)' as field, v.digest, $sync_id as sync_id,
    'could not be read: ' || u.reason || case
        when v.digest is null then '; it is in no table'
        else '; shown as it was read in sync ' || cast(u.last_read_sync as varchar) end as reason
from raw.unread as u
left join raw.version as v
    on v.subject_type = u.subject_type and v.subject_id = u.subject_id and v.last_sync = $sync_id
order by u.subject_type, u.subject_id;

insert into vanished by name
select subject_type, subject_id, name, job_number, total, is_active, digest, last_sync, vanished_sync
from raw.tombstone
order by subject_type, subject_id;

insert into nrb_version by name
with several as (
    select guid from raw.nrb_body where json_valid(body) group by guid having count(*) > 1
), field as (
    select guid, first_sync, last_sync, digest, json_transform(body, json_spec([
        'nrbIsExported', 'nrbJobOrderNumber', 'nrbRate', 'nrbQuantity', 'nrbVendorTax', 'nrbUpcharge', 'nrbTotalAfterMarkup'
    ])) as txt
    from raw.nrb_body where json_valid(body) and guid in (select guid from several)
)
select guid, first_sync, last_sync, digest,
    try_cast(txt.nrbIsExported as boolean) as is_exported,
    to_text(txt.nrbJobOrderNumber) as job_number,
    try_cast(txt.nrbRate as decimal(24, 6)) as rate,
    try_cast(txt.nrbQuantity as decimal(24, 6)) as quantity,
    try_cast(txt.nrbVendorTax as decimal(18, 2)) as vendor_tax,
    try_cast(txt.nrbUpcharge as decimal(24, 6)) as upcharge_percent,
    try_cast(txt.nrbTotalAfterMarkup as decimal(18, 2)) as total_after_markup
from field
order by guid, first_sync;
