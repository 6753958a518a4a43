-- The invoices behind a finding.
select * from invoice_status where jnid in (
{subject_invoices}
)
order by jnid
