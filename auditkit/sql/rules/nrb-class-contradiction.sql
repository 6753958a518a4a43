-- id: nrb-class-contradiction
-- title: Billable status contradicts itself
-- assertion: classification
-- severity: medium
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text, is_billable flag, account_type text, is_internal flag
-- key: reason
-- why: Two fields contradict each other, so some reports charge the client and others do not.
-- remedy: Decide which is right and set both fields.
-- note: NULL on either side contradicts nothing; an internal NRB must not be billable, also where that is only the default.
select s.guid as subject_id, s.job_number, s.total as amount_at_risk,
    case when s.internal and s.billable then 'billable and internal'
        else 'is billable: ' || cast(n.is_billable as text) || ', account type: ' || n.account_type end as reason,
    n.is_billable, n.account_type, n.is_internal
from nrb_status as s
join nrb as n on n.guid = s.guid
where (s.internal and s.billable)
    or (n.is_billable and folded(n.account_type) <> 'billable')
    or (not n.is_billable and folded(n.account_type) = 'billable')
