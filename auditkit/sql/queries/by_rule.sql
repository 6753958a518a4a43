-- Findings and money at risk by rule, also of rules that found nothing. A NULL amount adds nothing.
with last_state as (
    select * from finding_history qualify row_number() over (partition by fingerprint order by rowid desc) = 1
), cleared as (
    select rule_id, count(*) as cleared from last_state
    where state = 'cleared' and sync_id = (select sync_id from audit_run)
    group by rule_id
)
select r.rule_id, r.severity, count(f.rule_id) as findings, count(*) filter (f.change = 'new') as new,
    count(*) filter (f.change = 're-opened') as reopened, count(*) filter (f.state = 'accepted') as accepted,
    coalesce(any_value(c.cleared), 0) as cleared, coalesce(sum(abs(f.amount_at_risk)), 0) as amount_at_risk, r.title
from rule as r
left join finding as f on f.rule_id = r.rule_id
left join cleared as c on c.rule_id = r.rule_id
group by r.rule_id, r.severity, r.title
order by severity_rank(r.severity), r.rule_id
