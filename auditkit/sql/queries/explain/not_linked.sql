-- Candidates that were not linked, and why.
select nrb_guid, jnid, position, method, reason from link_ambiguous
where nrb_guid in (
{subject_nrbs}
)
order by nrb_guid, jnid, position nulls first
