-- The pairs that the evidence could not decide, and why.
select nrb_guid, jnid, position, reason from undecided
where nrb_guid in (
{subject_nrbs}
)
order by nrb_guid, jnid, position
