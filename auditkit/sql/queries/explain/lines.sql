-- The lines of the invoices behind a finding; of a finding about a line, that line.
select t.jnid, t.position, t.name, t.description, t.quantity, t.price, t.amount from invoice_item as t
where t.jnid in (
{subject_invoices}
)
    and ($type <> 'invoice_item' or t.jnid || '/' || t.position = $id)
order by t.jnid, t.position
