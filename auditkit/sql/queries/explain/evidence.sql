-- What speaks for and against each pair of the NRBs and invoices behind a finding. NULL position: it speaks for the whole invoice.
select nrb_guid, jnid, position, kind, points, terms from evidence
where nrb_guid in (
{subject_nrbs}
)
    and jnid in (
{subject_invoices}
)
order by nrb_guid, points desc, jnid, position nulls first, kind
