-- Every rule that was run, with what it found. A NULL amount adds nothing.
select r.rule_id, r.severity, r.assertion, count(f.rule_id) as findings,
    count(*) filter (where f.state = 'accepted') as accepted, coalesce(sum(f.amount_at_risk), 0) as amount_at_risk,
    r.title, r.why, r.remedy, r.parameters, r.digest
from rule as r
left join finding as f on f.rule_id = r.rule_id
group by r.rule_id, r.severity, r.assertion, r.title, r.why, r.remedy, r.parameters, r.digest
order by severity_rank(r.severity), r.rule_id
