-- The newest sync's record of an invoice, as JSON. One row, or none.
select body from raw.invoice_body where jnid = $id and last_sync = (select max(sync_id) from sync_run)
