-- The NRBs behind a finding.
select * from nrb_status where guid in (
{subject_nrbs}
)
order by guid
