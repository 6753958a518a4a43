-- The pairs that the evidence could not decide, and why. `auditkit link` decides them.
select u.nrb_guid, coalesce(i.number, u.jnid) || '/' || u.position as line, u.reason
from undecided as u
left join invoice as i on i.jnid = u.jnid
where u.nrb_guid in (
{subject_nrbs}
)
order by u.nrb_guid, u.jnid, u.position
