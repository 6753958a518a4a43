"""The life of a finding: new, persisting, accepted, re-opened, cleared; and the warnings that stand above them all.

A finding is *new*, *persisting* or *re-opened* against what stood at the end of the sync before, so that auditing one
sync again changes nothing of it. It is *accepted* while a person's acceptance holds: until its last day, and as long
as the money at risk does not grow and what the rule calls its key stays as it was. It is *cleared* once it no longer
fires, with the reason: put right, or out of sight.

Not here: what fires (`findings.py`), and who may accept (`audit.py`).
"""

from collections.abc import Sequence
from typing import Any

from auditkit.checks.engine import Engine
from auditkit.checks.rules import Value

__all__ = ["ACCEPTANCE_COLUMNS", "LAST", "live", "warnings"]

# One acceptance as `Decisions` holds it, all text.
ACCEPTANCE_COLUMNS = (
    "fingerprint",
    "rule_id",
    "subject_id",
    "note",
    "who",
    "until",
    "accepted_at",
    "amount_at_risk",
    "key",
    "evidence",
    "snapshot_id",
)

# An acceptance of an amount that was not known holds no known one, and the reverse. A key is compared as it was stored.
_ACCEPTANCE = """
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
"""
# The last row of each finding's history.
_LAST = "qualify row_number() over (partition by fingerprint order by rowid desc) = 1"
LAST = f"select * from finding_history {_LAST}"
_LIFE = f"""
create or replace temp table state_before as select * from finding_history where sync_id < $sync_id {_LAST};

create or replace temp table state_last as {LAST};

{_ACCEPTANCE}
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
"""
_SURGES = """
select rule_id, count(*) as found from finding
where change = 'new' and exists (select 1 from state_before)
group by rule_id having count(*) > $surge
order by rule_id
"""
_GONE_RULES = """
select rule_id, count(*) as findings
from (
    select fingerprint, rule_id from state_before where state <> 'cleared'
    union
    select fingerprint, rule_id from state_last where state <> 'cleared'
) where rule_id not in (select rule_id from rule)
group by rule_id order by rule_id
"""
_LOST_MARKS = """
select count(*) as marked, count(case when state = 'not_found' then 1 end) as lost
from nrb_status where billed_mark and billable and not internal
"""


def live(engine: Engine, acceptances: Sequence[tuple[str | None, ...]], as_of: Value, sync_id: int) -> None:
    """Give every finding its state and change, and write what changed into finding_history.

    `acceptances` are those that still stand, in the order of `ACCEPTANCE_COLUMNS`.
    """
    engine.source("decision_accept", ACCEPTANCE_COLUMNS, acceptances)
    engine.script(_LIFE, {"as_of": as_of, "sync_id": sync_id})


def warnings(engine: Engine, surge: int) -> list[str]:
    """What a reader should know before any finding: rules that suddenly fire often, and marks that lead nowhere."""
    found: list[dict[str, Any]] = engine.query(_SURGES, {"surge": surge}).records()
    lines = [
        f"{row['rule_id']}: {row['found']:,} new findings at once; look for one cause before working through them"
        for row in found
    ]
    lines += [
        f"{row['rule_id']}: was not run, its file is gone: its {row['findings']:,} findings were not looked at"
        for row in engine.query(_GONE_RULES).records()
    ]
    ((marked, lost),) = engine.query(_LOST_MARKS).rows
    if lost * 2 > marked:
        lines.append(
            f"{lost:,} of {marked:,} billed marks find no invoice: Aimsio's marks may not name JobNimbus invoices here;"
            " see what they find (`select found_method, count(*) from nrb_state group by found_method`)"
        )
    return lines
