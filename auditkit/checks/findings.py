"""Findings: what each rule says is wrong, with a fingerprint that survives a change of wording or amount.

A finding is a value, not an exception. Its history has one row for each change of state.
"""

import json
from collections.abc import Mapping
from typing import Any

from auditkit.checks.engines import Engine
from auditkit.checks.rules import REQUIRED_COLUMNS, Rule, Value
from auditkit.errors import QueryFailed, RuleError

__all__ = ["find"]

_EXACT = ("money", "qty", "decimal")  # evidence keeps these as text, because JSON readers take numbers for floats

_INSERT = """
insert into finding by name
select $rule_id as rule_id, $severity as severity, {subject_type} as subject_type, subject_id, job_number,
    amount_at_risk, reason, {evidence} as evidence,
    sha256(concat_ws(chr(31), $rule_id, {subject})) as fingerprint, 'open' as state, $as_of as first_seen
from hit
order by subject_id
"""
_TWICE = """
select {subject} as subject, count(*) as times from hit
group by {subject} having count(*) > 1 or {subject} is null
order by subject nulls first
"""
_HISTORY = """
create or replace temp table last_state as
select fingerprint, arg_max(state, row_number) as state from (
    select fingerprint, state, row_number() over (order by rowid) as row_number from finding_history
) group by fingerprint;

insert into finding_history by name
select distinct f.fingerprint, f.rule_id, f.subject_id, 'open' as state, $as_of as as_of, $sync_id as sync_id
from finding as f
left join last_state as s on s.fingerprint = f.fingerprint
where s.state is distinct from 'open'
order by f.rule_id, f.subject_id;

insert into finding_history by name
select distinct h.fingerprint, h.rule_id, h.subject_id, 'cleared' as state, $as_of as as_of, $sync_id as sync_id
from finding_history as h
join last_state as s on s.fingerprint = h.fingerprint and s.state = 'open'
where h.fingerprint not in (select fingerprint from finding)
order by h.rule_id, h.subject_id;

update finding set first_seen = h.first_seen
from (select fingerprint, min(as_of) as first_seen from finding_history where state = 'open' group by fingerprint) as h
where h.fingerprint = finding.fingerprint;
"""


def find(
    engine: Engine,
    rules: list[Rule],
    common: Mapping[str, Value],
    thresholds: Mapping[str, Mapping[str, Any]],
    sync_id: int,
) -> None:
    """Run every rule and fill rule, finding and finding_history.

    Raises `RuleError` for a rule whose SQL fails, and for one that gives a subject twice: two findings would share a
    fingerprint, and with it one history and one acceptance.
    """
    for rule in rules:
        values = rule.values(common, thresholds.get(rule.name, {}))
        try:
            engine.run(rule, values, into="hit")
        except QueryFailed as error:
            raise RuleError(f"{rule.path}: {error}") from None
        has_types = "subject_type" in dict(rule.columns)
        subject = "subject_type || ' ' || subject_id" if has_types else "subject_id"
        _refuse_a_subject_twice(engine, rule, subject)
        engine.query(
            _INSERT.format(
                subject_type="subject_type" if has_types else "$subject_type", subject=subject, evidence=_evidence(rule)
            ),
            {"rule_id": rule.name, "severity": rule.severity, "as_of": common["as_of"]}
            | ({} if has_types else {"subject_type": rule.subject}),
        )
        _record_rule(engine, rule, values)
    engine.script(_HISTORY, {"as_of": common["as_of"], "sync_id": sync_id})


def _refuse_a_subject_twice(engine: Engine, rule: Rule, subject: str) -> None:
    for found, times in engine.query(_TWICE.format(subject=subject)).rows:
        what = "a row without subject_id" if found is None else f"subject {found!r} {times} times"
        raise RuleError(f"{rule.path}: rule {rule.name} gives {what}; it must give one row for each subject")


def _evidence(rule: Rule) -> str:
    pairs = [
        f"'{name}', {f'cast({name} as varchar)' if kind in _EXACT else name}"
        for name, kind in rule.columns
        if name not in REQUIRED_COLUMNS
    ]
    return f"json_object({', '.join(pairs)})"


def _record_rule(engine: Engine, rule: Rule, values: Mapping[str, Value]) -> None:
    own = {parameter.name: str(values[parameter.name]) for parameter in rule.parameters}
    engine.query(
        "insert into rule values ($rule_id, $title, $assertion, $severity, $subject, $why, $remedy, $note, $parameters,"
        " $digest, $sql, $executed)",
        {
            "rule_id": rule.name,
            "title": rule.title,
            "assertion": rule.assertion,
            "severity": rule.severity,
            "subject": rule.subject,
            "why": rule.why,
            "remedy": rule.remedy,
            "note": rule.note,
            "parameters": json.dumps(own, sort_keys=True),
            "digest": rule.digest,
            "sql": rule.text,
            "executed": rule.executed(values),
        },
    )
