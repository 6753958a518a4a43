-- Control totals of the newest read, one row for each vendor.
with run as (select * from sync_run order by sync_id desc limit 1)
select 'Aimsio' as source, 'NRBs' as records, nrb_listed as listed, nrb_quarantined as quarantined,
    nrb_gone as vanished, nrb_total as total, nrb_first_on as first_on, nrb_last_on as last_on, nrb_lists as reads,
    left(nrb_id_hash, 12) as ids, status
from run
union all
select 'JobNimbus', 'invoices', invoice_listed, invoice_quarantined, invoice_gone, invoice_total, invoice_first_on,
    invoice_last_on, invoice_passes, left(invoice_id_hash, 12), status from run
