"""The self-test: does each rule find its fault in a copy of the user's own snapshot, and nothing else?

1. The copy is audited as it is. 2. One fault for each rule is added as raw bodies. 3. The copy is audited again:
typing, links, reconciliation and rules. A rule passes if the findings that changed between the two audits are exactly
those planted for it, and those that the fault of another rule is known to cause. The copy is deleted; the home is
unchanged.

Whether an amount may link an NRB to a line depends on how common it is in the account. So the first audit has the
amounts of all planted lines as well, on a void invoice that no rule looks at, and both audits see the same amounts.

Not here: the faults (`planted_billing_faults.py`, `planted_invoice_faults.py`, `planted_nrb_faults.py`).
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import count

from auditkit.checks import planted_billing_faults, planted_invoice_faults, planted_nrb_faults
from auditkit.checks.clean_records import Body, CleanRecords, Facts, OutOfReach, PlantedFault
from auditkit.checks.engine import Engine
from auditkit.checks.findings import fire
from auditkit.checks.rules import Rule, Value, load_rules
from auditkit.checks.run import Decisions, Parameters, prepare, usable_rules
from auditkit.errors import RuleError
from auditkit.progress import progress
from auditkit.warehouse.schema import rebuild
from auditkit.warehouse.snapshots import Draft, Store

__all__ = ["FAULTS", "Outcome", "examine", "selftest"]

FAULTS: Mapping[str, Callable[[CleanRecords], PlantedFault]] = {
    **planted_billing_faults.FAULTS,
    **planted_invoice_faults.FAULTS,
    **planted_nrb_faults.FAULTS,
}
OWN_RULE = "no planted fault: your own rule"
_SHOWN = 5
_NUMBER = 48_210_000
_WITH_GRACE = ("nrb-unbilled", "nrb-unexported")
_AMOUNT, _ODD = Decimal("98765.43"), Decimal("13.37")
_TAX_PERCENT = Decimal(5)
_NRBS, _INVOICES = ("raw.nrb_body", "guid", "nrbGuid"), ("raw.invoice_body", "jnid", "jnid")


@dataclass(frozen=True)
class Outcome:
    """How one rule did on its planted fault.

    `planted` describes the fault, None without one; `expected` are the subjects planted for this rule, and `fired` is
    whether it found all of them; `extra` are subjects whose findings changed without a planted fault. `passed` is None
    without a planted fault. `reason` explains why a rule did not pass, or why no fault was planted.
    """

    rule_id: str
    planted: str | None
    expected: tuple[str, ...]
    fired: bool
    extra: tuple[str, ...]
    passed: bool | None
    reason: str | None


def selftest(store: Store, parameters: Parameters, decisions: Decisions) -> list[Outcome]:
    """Examine every rule, ours and the user's, on a private copy of the newest snapshot. One outcome per rule, by id.

    Raises `NoSnapshot` before the first sync, and `RuleError` or `SettingsError` where an audit would not start.
    """
    rules = usable_rules(parameters)
    with store.trial() as draft, progress("Self-test", 2 * len(rules), "rule") as advance:
        return examine(draft, rules, parameters, decisions, advance)


def examine(
    draft: Draft,
    rules: Sequence[Rule],
    parameters: Parameters,
    decisions: Decisions,
    advance: Callable[[int], object] = lambda _: None,
) -> list[Outcome]:
    """Audit a draft, add the faults, and audit it again, which changes it. One outcome per rule, in the order given.

    Every fault is planted, whichever rules are given. A rule is compared with the fault of its id, whatever its text.
    `advance` is called with 1 after each run of a rule, so twice per rule.
    """
    thresholds = parameters.thresholds or {}
    values = {rule.name: rule.values(parameters.common, thresholds.get(rule.name, {})) for rule in rules}
    known = {rule.name: rule.values(parameters.common, thresholds.get(rule.name, {})) for rule in load_rules()}
    if draft.query("select parameters from audit_run").column() != [json.dumps(parameters.shown(), sort_keys=True)]:
        _audited(draft, parameters, decisions)
    facts = _facts(draft, parameters, decisions)
    faults, out_of_reach = _planted_faults(facts, parameters, known)
    _insert(draft, _INVOICES, [_amounts(facts, faults.values())], _sync_id(draft))
    markups = [row for fault in faults.values() for row in fault.markups]
    decisions = replace(decisions, markups=[*decisions.markups, *markups])
    engine = _audited(draft, parameters, decisions)
    broken: dict[int, str] = {}

    def run(place: int, rule: Rule, into: str) -> None:
        try:
            fire(engine, rule, values[rule.name], into=into)
        except RuleError as error:
            broken[place] = str(error)
        advance(1)

    for place, rule in enumerate(rules):
        run(place, rule, f"before_{place}")
    draft.query("delete from raw.invoice_body where jnid = $jnid", {"jnid": facts.token})
    _plant(draft, faults.values())
    engine = _audited(draft, parameters, decisions)
    outcomes = []
    for place, rule in enumerate(rules):
        run(place, rule, "hit")
        changed = set() if place in broken else _changed(engine, f"before_{place}")
        outcomes.append(_outcome(rule.name, faults, out_of_reach, changed, broken.get(place)))
    return outcomes


def _audited(draft: Draft, parameters: Parameters, decisions: Decisions) -> Engine:
    """Everything a rule may query, rebuilt from the raw bodies; one transaction, so that nothing is written to disk."""
    draft.query("begin transaction")
    rebuild(draft, parameters.time_zone)
    engine = prepare(draft, parameters, decisions)
    draft.query("commit")
    return engine


def _sync_id(draft: Draft) -> int:
    return int(draft.query("select max(sync_id) from sync_run").scalar())


_IS_USED = """
select count(*) from (select body from raw.nrb_body union all select body from raw.invoice_body)
where contains(lower(body), $text)
"""
_USUAL_TAX = "select percent, invoices, alike from usual_tax_rate"
_AMOUNTS = "select amount from invoice_item union select total_after_markup from nrb"


def _facts(draft: Draft, parameters: Parameters, decisions: Decisions) -> Facts:
    """What is nowhere in the user's data, so that nothing made with it can be the user's; and the usual tax rate."""
    settings = repr((parameters, decisions)).lower()

    def unused(texts: Iterable[str]) -> str:
        return next(
            text for text in texts if text not in settings and not draft.query(_IS_USED, {"text": text}).scalar()
        )

    amounts = set(draft.query(_AMOUNTS).column())
    usual = draft.query(_USUAL_TAX).rows
    percent, taxed, alike = usual[0] if usual else (_TAX_PERCENT, 0, 0)
    return Facts(
        token=unused(f"selftest{number:03d}" for number in count(1)),
        number=unused(str(number) for number in count(_NUMBER)),
        amount=next(amount for amount in (_AMOUNT + _ODD * step for step in count()) if amount not in amounts),
        tax_percent=percent,
        taxed=int(taxed),
        alike=int(alike),
    )


def _amounts(facts: Facts, faults: Iterable[PlantedFault]) -> Body:
    """A void invoice with the amounts of all planted lines, and without a word."""
    planted = [line for fault in faults for invoice in fault.invoices for line in invoice["items"]]
    lines = [{name: line.get(name) for name in ("quantity", "price", "amount")} for line in planted]
    return {"jnid": facts.token, "is_active": False, "items": lines}


def _without_grace(fault: PlantedFault, clean: CleanRecords) -> PlantedFault:
    """The fault without the side effects that are within the days of grace of a rule, so that it must not fire yet."""
    dates = {nrb["nrbGuid"]: nrb.get("nrbInvoiceDate") or nrb["nrbCreatedAt"] for nrb in fault.nrbs}

    def is_due(rule: str, guid: str) -> bool:
        days = clean.whole("days", rule) if rule in _WITH_GRACE else 0
        try:
            return days <= 0 or dates[guid] <= clean.milliseconds(clean.ago(days))
        except OutOfReach:
            return False

    also = {rule: [guid for guid in guids if is_due(rule, guid)] for rule, guids in fault.also.items()}
    return replace(fault, also=also)


def _planted_faults(
    facts: Facts, parameters: Parameters, values: Mapping[str, Mapping[str, Value]]
) -> tuple[dict[str, PlantedFault], dict[str, str]]:
    """Each rule's fault, and for the other rules why no record can have one."""
    faults, out_of_reach = {}, {}
    for name, make in FAULTS.items():
        try:
            clean = CleanRecords(name, facts, parameters, values)
            faults[name] = _without_grace(make(clean), clean)
        except OutOfReach as reason:
            out_of_reach[name] = f"no planted fault: {reason}"
    return faults, out_of_reach


def _plant(draft: Draft, faults: Iterable[PlantedFault]) -> None:
    """Add the records of all faults as raw bodies of the newest sync and the one before it."""
    now = _sync_id(draft)
    draft.query("begin transaction")
    for fault in faults:
        current = {nrb["nrbGuid"] for nrb in fault.nrbs}
        gone = [nrb for nrb in fault.earlier if nrb["nrbGuid"] not in current]
        _insert(draft, _NRBS, fault.nrbs, now)
        _insert(draft, _NRBS, fault.earlier, now - 1)
        _insert(draft, _INVOICES, fault.invoices, now)
        for nrb in gone:
            columns = {"subject_type": ["nrb"], "subject_id": [nrb["nrbGuid"]], "digest": [_digest(_text(nrb))]}
            draft.insert("raw.tombstone", {**columns, "last_sync": [now - 1], "vanished_sync": [now]})
    draft.query("commit")


def _insert(draft: Draft, place: tuple[str, str, str], bodies: Sequence[Body], sync_id: int) -> None:
    table, key, field = place
    texts = [_text(body) for body in bodies]
    draft.insert(
        table,
        {
            key: [body[field] for body in bodies],
            "digest": [_digest(text) for text in texts],
            "body": texts,
            "first_sync": [sync_id] * len(texts),
            "last_sync": [sync_id] * len(texts),
        },
    )


def _text(body: Body) -> str:
    return json.dumps(body, ensure_ascii=False)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


_CHANGED = """
select subject_id from (select * from hit except select * from {before})
union
select subject_id from (select * from {before} except select * from hit)
"""


def _changed(engine: Engine, before: str) -> set[str]:
    """The subjects of findings that are new, gone, or not what they were."""
    return {subject for (subject,) in engine.query(_CHANGED.format(before=before)).rows}


def _outcome(
    rule: str, faults: Mapping[str, PlantedFault], out_of_reach: Mapping[str, str], changed: set[str], error: str | None
) -> Outcome:
    fault = faults.get(rule)
    expected = fault.expected if fault else ()
    side_effects = {subject for each in faults.values() for subject in each.also.get(rule, ())}
    due = {*expected, *side_effects} if rule in FAULTS else changed
    missing, extra = sorted(due - changed), sorted(changed - due)
    problems = [error] if error else []
    if missing and not error:
        problems.append(f"did not find {_some(missing)}")
    if extra:
        problems.append(f"also changed its findings on {_some(extra)}, where no fault was planted for it")
    return Outcome(
        rule_id=rule,
        planted=fault.words if fault else None,
        expected=expected,
        fired=bool(expected) and changed.issuperset(expected),
        extra=tuple(extra),
        passed=False if problems else True if fault else None,
        reason="; ".join(problems) or (None if fault else out_of_reach.get(rule, OWN_RULE)),
    )


def _some(subjects: Sequence[str]) -> str:
    more = f" and {len(subjects) - _SHOWN} more" if len(subjects) > _SHOWN else ""
    return ", ".join(subjects[:_SHOWN]) + more
