-- The newest sync's own record of an NRB, as JSON. One row; none for an NRB that is not there, or only in its parent.
select body from raw.nrb_body where guid = $id and last_sync = (select max(sync_id) from sync_run)
