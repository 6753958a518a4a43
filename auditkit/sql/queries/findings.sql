-- Findings by priority, the largest first. Each parameter that is NULL filters nothing, but without a $state cleared ones are left
-- out. What no longer fires is known from its history alone: its evidence is NULL, and in the kept snapshots.
with last_state as (
    select * from finding_history qualify row_number() over (partition by fingerprint order by rowid desc) = 1
), seen as (
    select fingerprint, min(as_of) filter (state <> 'cleared') as first_seen from finding_history group by fingerprint
), every as (
    select rule_id, severity, subject_type, subject_id, job_number, amount_at_risk, reason, evidence, fingerprint,
        state, first_seen, change, reopened_because
    from finding
    union all
    select c.rule_id, r.severity, r.subject, c.subject_id, c.job_number, c.amount_at_risk, c.reason, null,
        c.fingerprint, c.state, s.first_seen, 'cleared', null
    from last_state as c
    join seen as s on s.fingerprint = c.fingerprint
    left join rule as r on r.rule_id = c.rule_id
    where c.state = 'cleared' and c.fingerprint not in (select fingerprint from finding)
)
select * from every
where ($rule is null or rule_id = $rule)
    and ($severity is null or severity = $severity)
    and case when $state is null then state <> 'cleared' else state = $state end
    and ($job is null or folded(job_number) = folded($job))
    and (not $new or change in ('new', 're-opened'))
order by severity_rank(severity), rule_id, abs(amount_at_risk) desc, subject_id
