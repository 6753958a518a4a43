-- What speaks for and against each pair of the NRBs and invoices behind a finding, term by term: 3 points settle, 2 ask, 1 asks where
-- nothing settles. NULL position: it speaks for the whole invoice.
select e.nrb_guid, coalesce(i.number, e.jnid) || coalesce('/' || e.position, '') as line,
    concat_ws(': ', t.name, t.description) as line_text, t.amount as line_amount, e.kind, e.points, e.terms
from evidence as e
left join invoice as i on i.jnid = e.jnid
left join invoice_item as t on t.jnid = e.jnid and t.position = e.position
where e.nrb_guid in (
{subject_nrbs}
)
    and e.jnid in (
{subject_invoices}
)
order by e.nrb_guid, e.points desc, e.jnid, e.position nulls first, e.kind
