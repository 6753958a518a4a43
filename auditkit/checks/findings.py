"""Findings: what each rule says is wrong, with a fingerprint that survives a change of wording or amount.

A finding is a value, not an exception.

Not here: what becomes of a finding from audit to audit (`lifecycle.py`).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from auditkit.checks.engine import Engine
from auditkit.checks.rules import REQUIRED_COLUMNS, Rule, Value
from auditkit.errors import QueryFailed, RuleError

__all__ = ["find", "fire"]

_EXACT = ("money", "qty", "decimal")  # evidence keeps these as text, because JSON readers take numbers for floats

_INSERT = """
insert into finding by name
select $rule_id as rule_id, $severity as severity, {subject_type} as subject_type, subject_id, job_number,
    amount_at_risk, reason, {evidence} as evidence, {key} as key,
    sha256(concat_ws(chr(31), $rule_id, {identity})) as fingerprint, 'open' as state, 'new' as change,
    $as_of as first_seen
from hit
order by subject_id
"""
# A line is known by what it says: its position moves when another line is inserted.
_LINE = """coalesce(
        (select t.line_key from invoice_item as t where t.jnid || '/' || t.position = hit.subject_id), subject_id
    )"""
_TWICE = """
select {subject} as subject, count(*) as times from {table}
group by {subject} having count(*) > 1 or {subject} is null
order by subject nulls first
"""


def find(
    engine: Engine,
    rules: list[Rule],
    common: Mapping[str, Value],
    thresholds: Mapping[str, Mapping[str, Any]],
    advance: Callable[[int], object] = lambda _: None,
) -> None:
    """Run every rule and fill rule and finding: each open and new, as nobody has looked at its history yet.

    `advance` is called after each rule. Raises `RuleError` as `fire` does.
    """
    for rule in rules:
        values = rule.values(common, thresholds.get(rule.name, {}))
        fire(engine, rule, values, into="hit")
        has_types = "subject_type" in dict(rule.columns)
        engine.query(
            _INSERT.format(
                subject_type="subject_type" if has_types else "$subject_type",
                identity=_LINE if rule.subject == "invoice_item" else _subject(rule),
                evidence=_json(rule, [name for name, _ in rule.columns if name not in REQUIRED_COLUMNS]),
                key=_key(rule),
            ),
            {"rule_id": rule.name, "severity": rule.severity, "as_of": common["as_of"]}
            | ({} if has_types else {"subject_type": rule.subject}),
        )
        _record_rule(engine, rule, values)
        advance(1)


def fire(engine: Engine, rule: Rule, values: Mapping[str, Value], *, into: str) -> None:
    """Run one rule alone, into a temporary table of its declared columns.

    Raises `RuleError` for a rule whose SQL fails, and for one that gives a subject twice: two findings would share a
    fingerprint, and with it one history and one acceptance.
    """
    try:
        engine.run(rule, values, into=into)
    except QueryFailed as error:
        raise RuleError(f"{rule.path}: {error}") from None
    for found, times in engine.query(_TWICE.format(subject=_subject(rule), table=into)).rows:
        what = "a row without subject_id" if found is None else f"subject {found!r} {times} times"
        raise RuleError(f"{rule.path}: rule {rule.name} gives {what}; it must give one row for each subject")


def _subject(rule: Rule) -> str:
    return "subject_type || ' ' || subject_id" if "subject_type" in dict(rule.columns) else "subject_id"


def _json(rule: Rule, names: Sequence[str]) -> str:
    kinds = dict(rule.columns)
    pairs = [f"'{name}', {f'cast({name} as varchar)' if kinds[name] in _EXACT else name}" for name in names]
    return f"json_object({', '.join(pairs)})"


def _key(rule: Rule) -> str:
    """What an acceptance rests on, as JSON; of an amount its sign, as its size may shrink."""
    kinds = dict(rule.columns)
    pairs = [f"'{name}', {f'sign({name})' if kinds[name] in _EXACT else name}" for name in rule.key]
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
