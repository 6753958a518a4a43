-- Every open or accepted finding with its rule and acceptance. NULL acceptance: it is open.
select f.rule_id, f.severity, f.state, f.job_number, f.subject_type, f.subject_id, f.amount_at_risk, f.reason, f.change,
    f.first_seen, a.note as accepted_because, a.who as accepted_by, a.until as accepted_until, r.why, f.evidence,
    f.fingerprint
from finding as f
left join rule as r on r.rule_id = f.rule_id
left join acceptance as a on a.fingerprint = f.fingerprint and f.state = 'accepted'
order by severity_rank(f.severity), f.rule_id, abs(f.amount_at_risk) desc, f.subject_id, f.fingerprint
