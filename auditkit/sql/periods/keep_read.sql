-- Make a trial copy what a kept read ($sync_id) knew: its versions of records are current, and nothing later is there.
delete from raw.nrb_body where not $sync_id between first_sync and last_sync;
delete from raw.invoice_body where not $sync_id between first_sync and last_sync;
update raw.nrb_body set last_sync = $sync_id;
update raw.invoice_body set last_sync = $sync_id;
delete from raw.tombstone where vanished_sync > $sync_id;
delete from raw.unread;
delete from finding_history where sync_id > $sync_id;
delete from sync_source where sync_id > $sync_id;
delete from sync_run where sync_id > $sync_id;
