"""Findings: what each rule says is wrong, with a fingerprint that survives a change of wording or amount.

A finding is a value, not an exception.

Not here: what becomes of a finding from audit to audit (`lifecycle.py`).
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
from ({executed}) as hit
order by subject_id
"""
# A line is known by what it says: its position moves when another line is inserted.
_LINE = """coalesce(
        (select t.line_key from invoice_item as t where t.jnid || '/' || t.position = hit.subject_id), subject_id
    )"""
_TWICE = """
select rule_id, subject_type, subject_id, count(*) as times
from {findings}
group by all
having count(*) > 1 or subject_type is null or subject_id is null
order by all nulls first
"""


def find(
    engine: Engine,
    rules: list[Rule],
    common: Mapping[str, Value],
    thresholds: Mapping[str, Mapping[str, Any]],
    advance: Callable[[int], object] = lambda _: None,
) -> None:
    """Run every rule and fill rule and finding: each open and new, as nobody has looked at its history yet.

    `advance` is called with 1 after each rule. Raises `RuleError` as `fire` does.
    """
    values = {rule.name: rule.values(common, thresholds.get(rule.name, {})) for rule in rules}
    for rule in rules:
        statement = _INSERT.format(
            subject_type=_subject_type(rule),
            identity=_LINE if rule.subject == "invoice_item" else _subject(rule),
            evidence=_json(rule, [name for name, _ in rule.columns if name not in REQUIRED_COLUMNS]),
            key=_key(rule),
            executed=rule.executed(values[rule.name]),
        )
        with _naming(rule):
            engine.query(statement, {"rule_id": rule.name, "severity": rule.severity, "as_of": common["as_of"]})
        advance(1)
    _refuse_repeated(engine, rules, "finding")
    _record(engine, rules, values)


def fire(engine: Engine, rule: Rule, values: Mapping[str, Value], *, into: str) -> None:
    """Run one rule alone, into a temporary table of its declared columns.

    Raises `RuleError` for a rule whose SQL fails, and for one that gives a subject twice: two findings would share a
    fingerprint, and with it one history and one acceptance.
    """
    with _naming(rule):
        engine.run(rule, values, into=into)
    columns = f"{_quoted(rule.name)} as rule_id, {_subject_type(rule)} as subject_type, subject_id"
    _refuse_repeated(engine, [rule], f"(select {columns} from {into})")


@contextmanager
def _naming(rule: Rule) -> Iterator[None]:
    """Name the rule's file in what its SQL raises."""
    try:
        yield
    except QueryFailed as error:
        raise RuleError(f"{rule.path}: {error}") from None


def _refuse_repeated(engine: Engine, rules: Sequence[Rule], findings: str) -> None:
    """Raise `RuleError` for a row without a subject, and for a subject that a rule gives more than once."""
    for name, subject_type, subject_id, times in engine.query(_TWICE.format(findings=findings)).rows:
        (rule,) = [rule for rule in rules if rule.name == name]
        subject = f"{subject_type} {subject_id}" if _has_types(rule) else subject_id
        is_missing = subject_type is None or subject_id is None
        what = "a row without subject_id" if is_missing else f"subject {subject!r} {times} times"
        raise RuleError(f"{rule.path}: rule {name} gives {what}; it must give one row for each subject")


def _has_types(rule: Rule) -> bool:
    return "subject_type" in dict(rule.columns)


def _subject_type(rule: Rule) -> str:
    return "subject_type" if _has_types(rule) else _quoted(rule.subject)


def _subject(rule: Rule) -> str:
    return "subject_type || ' ' || subject_id" if _has_types(rule) else "subject_id"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _json(rule: Rule, names: Sequence[str]) -> str:
    kinds = dict(rule.columns)
    pairs = [f"'{name}', {f'cast({name} as varchar)' if kinds[name] in _EXACT else name}" for name in names]
    return f"json_object({', '.join(pairs)})"


def _key(rule: Rule) -> str:
    """What an acceptance rests on, as JSON; of an amount its sign, as its size may shrink."""
    kinds = dict(rule.columns)
    pairs = [f"'{name}', {f'sign({name})' if kinds[name] in _EXACT else name}" for name in rule.key]
    return f"json_object({', '.join(pairs)})"


def _record(engine: Engine, rules: Sequence[Rule], values: Mapping[str, Mapping[str, Value]]) -> None:
    engine.insert(
        "rule",
        (
            *("rule_id", "title", "assertion", "severity", "subject", "why", "remedy", "note"),
            *("parameters", "digest", "sql", "executed"),
        ),
        [
            (
                *(rule.name, rule.title, rule.assertion, rule.severity, rule.subject, rule.why, rule.remedy, rule.note),
                *(_own(rule, values[rule.name]), rule.digest, rule.text, rule.executed(values[rule.name])),
            )
            for rule in rules
        ],
    )


def _own(rule: Rule, values: Mapping[str, Value]) -> str:
    """The parameters that the rule declares, as JSON."""
    return json.dumps({parameter.name: str(values[parameter.name]) for parameter in rule.parameters}, sort_keys=True)
