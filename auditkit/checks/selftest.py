"""The self-test: one fault for each rule on a copy of the user's own snapshot, and what the rule makes of it.

1. The copy is audited as it is. 2. The faults are planted as raw bodies. 3. It is audited again: typing, links,
reconciliation and rules. A rule passes when what it finds now and did not find before, or no longer finds, is exactly
what was planted for it, or what another plant is known to bring with it. The copy is then gone; the home is as it was.

Not here: what is planted (`plants_nrb.py`, `plants_invoice.py`).
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from auditkit.checks import planted_invoice_faults as plants_invoice
from auditkit.checks import planted_nrb_faults as plants_nrb
from auditkit.checks.clean_records import Body, Ground, OutOfReach, Plant
from auditkit.checks.engine import Engine
from auditkit.checks.findings import fire
from auditkit.checks.rules import Rule, Value, load_rules
from auditkit.checks.run import Decisions, Parameters, prepare, usable_rules
from auditkit.errors import RuleError
from auditkit.progress import progress
from auditkit.warehouse.schema import rebuild_schema, rebuild_typed
from auditkit.warehouse.snapshots import Draft, Store

__all__ = ["PLANTS", "Outcome", "examine", "selftest"]

PLANTS: Mapping[str, Callable[[Ground], Plant]] = {**plants_invoice.PLANTS, **plants_nrb.PLANTS}
OWN_RULE = "no plant: your own rule"
_SHOWN = 5
_NRBS, _INVOICES = ("raw.nrb_body", "guid", "nrbGuid"), ("raw.invoice_body", "jnid", "jnid")


@dataclass(frozen=True)
class Outcome:
    """What one rule made of its plant.

    `planted` is in words, None without a plant; `expected` are the subjects planted for this rule, and `fired` is
    whether it found all of them; `extra` are findings that changed and were not planted. `passed` is None without a
    plant. `reason` says why a rule did not pass, or why nothing was planted.
    """

    rule_id: str
    planted: str | None
    expected: tuple[str, ...]
    fired: bool
    extra: tuple[str, ...]
    passed: bool | None
    reason: str | None


def selftest(store: Store, parameters: Parameters, decisions: Decisions) -> list[Outcome]:
    """Examine every rule, ours and the user's, on a private copy of the newest snapshot. One outcome a rule, by id.

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
    """Audit a draft, plant, and audit it again: the draft is changed. One outcome a rule, in the order given.

    Every fault is planted whichever rules are given. A rule is held against the plant of its id, whatever its text.
    `advance` is told of each rule that has run, twice for each.
    """
    thresholds = parameters.thresholds or {}
    values = {rule.name: rule.values(parameters.common, thresholds.get(rule.name, {})) for rule in rules}
    known = {rule.name: rule.values(parameters.common, thresholds.get(rule.name, {})) for rule in load_rules()}
    plants, unplanted = _plants(_unused_token(draft, parameters, decisions), parameters, known)
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
    _plant(draft, plants.values())
    engine = _audited(draft, parameters, decisions)
    outcomes = []
    for place, rule in enumerate(rules):
        run(place, rule, "hit")
        changed = set() if place in broken else _changed(engine, f"before_{place}")
        outcomes.append(_outcome(rule.name, plants, unplanted, changed, broken.get(place)))
    return outcomes


def _audited(draft: Draft, parameters: Parameters, decisions: Decisions) -> Engine:
    """Everything a rule may ask, from the raw bodies anew; one transaction, so that it need not reach the disk."""
    draft.query("begin transaction")
    rebuild_schema(draft)
    rebuild_typed(draft, sync_id=_sync_id(draft), zone=parameters.time_zone)
    engine = prepare(draft, parameters, decisions)
    draft.query("commit")
    return engine


def _sync_id(draft: Draft) -> int:
    return int(draft.query("select max(sync_id) from sync_run").scalar())


_IS_USED = """
select count(*) from (select body from raw.nrb_body union all select body from raw.invoice_body)
where contains(lower(body), $token)
"""


def _unused_token(draft: Draft, parameters: Parameters, decisions: Decisions) -> str:
    """A word that stands nowhere in the user's data, so that nothing made with it can be a record of the user's."""
    said = repr((parameters, decisions)).lower()
    words = (f"selftest{number}" for number in count(1))
    return next(word for word in words if word not in said and not draft.query(_IS_USED, {"token": word}).scalar())


def _plants(
    token: str, parameters: Parameters, values: Mapping[str, Mapping[str, Value]]
) -> tuple[dict[str, Plant], dict[str, str]]:
    """Each rule's plant, and for the others why no record can be planted."""
    plants, unplanted = {}, {}
    for name, make in PLANTS.items():
        try:
            plants[name] = make(Ground(name, token, parameters, values))
        except OutOfReach as reason:
            unplanted[name] = f"no plant: {reason}"
    return plants, unplanted


def _plant(draft: Draft, plants: Iterable[Plant]) -> None:
    """Plants as raw bodies of the newest sync and the one before."""
    now = _sync_id(draft)
    draft.query("begin transaction")
    for plant in plants:
        current = {nrb["nrbGuid"] for nrb in plant.nrbs}
        gone = [nrb for nrb in plant.earlier if nrb["nrbGuid"] not in current]
        _insert(draft, _NRBS, plant.nrbs, now)
        _insert(draft, _NRBS, plant.earlier, now - 1)
        _insert(draft, _INVOICES, plant.invoices, now)
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
    rule: str, plants: Mapping[str, Plant], unplanted: Mapping[str, str], changed: set[str], error: str | None
) -> Outcome:
    plant = plants.get(rule)
    expected = plant.expected if plant else ()
    brought = {subject for each in plants.values() for subject in each.also.get(rule, ())}
    due = {*expected, *brought} if rule in PLANTS else changed
    missing, extra = sorted(due - changed), sorted(changed - due)
    faults = [error] if error else []
    if missing and not error:
        faults.append(f"did not find {_some(missing)}")
    if extra:
        faults.append(f"changed what it says of {_some(extra)}, which was not planted for it")
    return Outcome(
        rule_id=rule,
        planted=plant.words if plant else None,
        expected=expected,
        fired=bool(expected) and changed.issuperset(expected),
        extra=tuple(extra),
        passed=False if faults else True if plant else None,
        reason="; ".join(faults) or (None if plant else unplanted.get(rule, OWN_RULE)),
    )


def _some(subjects: Sequence[str]) -> str:
    more = f" and {len(subjects) - _SHOWN} more" if len(subjects) > _SHOWN else ""
    return ", ".join(subjects[:_SHOWN]) + more
