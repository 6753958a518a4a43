-- Make a trial copy, whose versions are kept already, know nothing that is later than a kept read ($sync_id).
delete from raw.tombstone where vanished_sync > $sync_id;
delete from raw.unread;
delete from sync_run where sync_id > $sync_id;
