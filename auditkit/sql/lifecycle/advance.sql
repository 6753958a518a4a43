-- finding, acceptance, finding_history: the state of every finding against the sync before ($sync_id, $as_of), and what changed of it. Needs
-- decision_accept, what people accepted. An acceptance of an amount that was not known (NULL) holds no known one, and the reverse; a key
-- is compared as it was stored. The last row of a finding's history is the one with the highest rowid.
create or replace temp table state_before as
select * from finding_history where sync_id < $sync_id
qualify row_number() over (partition by fingerprint order by rowid desc) = 1;

create or replace temp table state_last as
select * from finding_history qualify row_number() over (partition by fingerprint order by rowid desc) = 1;

insert into acceptance by name
with decided as (
    select fingerprint, rule_id, subject_id, note, who, cast(until as date) as until,
        cast(accepted_at as timestamptz) as accepted_at, cast(amount_at_risk as decimal(38, 2)) as amount_at_risk,
        key, evidence, snapshot_id
    from decision_accept
)
select d.*,
    case when d.until < $as_of then 'accepted until ' || cast(d.until as varchar)
        when f.fingerprint is null then null
        when (f.amount_at_risk is null) <> (d.amount_at_risk is null)
            then 'accepted at ' || coalesce(cast(d.amount_at_risk as varchar), 'an unknown amount') || ', now '
                || coalesce(cast(f.amount_at_risk as varchar), 'unknown')
        when abs(f.amount_at_risk) > abs(d.amount_at_risk) or f.amount_at_risk * sign(d.amount_at_risk) < 0
            then 'accepted at ' || cast(d.amount_at_risk as varchar) || ', now ' || cast(f.amount_at_risk as varchar)
        when cast(f.key as varchar) is distinct from d.key then 'its evidence changed: ' || d.key || ' became '
            || cast(f.key as varchar)
    end as lapsed
from decided as d
left join finding as f on f.fingerprint = d.fingerprint
order by d.accepted_at, d.fingerprint;

update finding set state = 'accepted'
from acceptance as a where a.fingerprint = finding.fingerprint and a.lapsed is null;

update finding set reopened_because = a.lapsed
from acceptance as a where a.fingerprint = finding.fingerprint;

update finding set change = case b.state when 'cleared' then 're-opened'
    when 'accepted' then case finding.state when 'open' then 're-opened' else 'persisting' end
    else 'persisting' end
from state_before as b where b.fingerprint = finding.fingerprint;

insert into finding_history by name
select f.fingerprint, f.rule_id, f.subject_id, f.job_number, f.amount_at_risk, f.state,
    coalesce(f.reopened_because, case f.state when 'accepted' then a.note end, f.reason) as reason, $as_of as as_of,
    $sync_id as sync_id
from finding as f
left join state_last as s on s.fingerprint = f.fingerprint
left join acceptance as a on a.fingerprint = f.fingerprint
where s.state is distinct from f.state or s.job_number is distinct from f.job_number
    or s.amount_at_risk is distinct from f.amount_at_risk
order by f.rule_id, f.subject_id;

insert into finding_history by name
select s.fingerprint, s.rule_id, s.subject_id, s.job_number, s.amount_at_risk, 'cleared' as state,
    case when s.rule_id not in (select rule_id from rule) then 'its rule was not run'
        when s.subject_id in (select subject_id from quarantine) then 'its record is in quarantine'
        when s.subject_id in (select subject_id from vanished) then 'its record vanished'
        else 'it no longer fires' end as reason,
    $as_of as as_of, $sync_id as sync_id
from state_last as s
where s.state <> 'cleared' and s.fingerprint not in (select fingerprint from finding)
order by s.rule_id, s.subject_id;

update finding set first_seen = h.first_seen
from (
    select fingerprint, min(as_of) as first_seen from finding_history where state <> 'cleared' group by fingerprint
) as h
where h.fingerprint = finding.fingerprint;
