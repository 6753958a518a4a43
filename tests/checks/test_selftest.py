"""The self-test: every rule passes on every snapshot and at every threshold, a broken one does not, nothing is left."""

import dataclasses
import hashlib
import os
import stat
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from auditkit.checks import selftest as tested
from auditkit.checks.rules import Rule, load_rules
from auditkit.checks.run import Decisions, Parameters
from auditkit.checks.selftest import PLANTS, Outcome, examine, selftest
from auditkit.errors import NoSnapshot, RuleError
from auditkit.sandbox.dataset import build
from auditkit.sandbox.world import to_json
from auditkit.warehouse.snapshots import Snapshot, Store
from tests.world import AS_OF, ZONE, audited, invoice, line, nrb, typed, unbilled, workbench

OWN_RULE = """\
-- id: {name}
-- title: Own
-- assertion: accuracy
-- severity: low
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text
-- why: Why.
-- remedy: Remedy.
select guid as subject_id, job_number, total as amount_at_risk, {reason} as reason from nrb_status
"""


def parameters(**changes: object) -> Parameters:
    usual = Parameters(as_of=AS_OF, time_zone=ZONE, environment="test", account="test", own_rules=Path("none"))
    return dataclasses.replace(usual, **changes)  # type: ignore[arg-type]


def examined(snapshot: Snapshot, **changes: object) -> list[Outcome]:
    with snapshot:
        return selftest(Store(snapshot.path.parent), parameters(**changes), Decisions())


def on_nothing(rules: list[Rule] | None = None, **changes: object) -> dict[str, Outcome]:
    """What the rules make of the plants alone."""
    with workbench() as draft:
        typed(draft)
        found = examine(draft, rules or load_rules(), parameters(**changes), Decisions())
    return {outcome.rule_id: outcome for outcome in found}


def failed(outcomes: list[Outcome]) -> dict[str, str | None]:
    return {outcome.rule_id: outcome.reason for outcome in outcomes if not outcome.passed}


def test_every_shipped_rule_has_a_plant() -> None:
    assert sorted(PLANTS) == [rule.name for rule in load_rules()]


def test_every_rule_passes_on_the_demo_and_the_home_stays_as_it_was(tmp_path: Path) -> None:
    world = build()
    nrbs, invoices = [to_json(body) for body in world.nrbs], [to_json(body) for body in world.invoices]
    snapshot = audited(tmp_path, nrbs, invoices, as_of=world.as_of, zone=world.timezone)
    before = everything_in(snapshot.path.parent)
    outcomes = examined(snapshot, as_of=world.as_of, time_zone=world.timezone)
    assert failed(outcomes) == {}
    assert len(outcomes) == len(PLANTS)
    assert all(each.fired and each.expected and each.planted and not each.extra for each in outcomes)
    assert everything_in(snapshot.path.parent) == before


# Other thresholds

USUAL = {
    rule.name: {each.name: str(each.default) for each in rule.parameters} for rule in load_rules() if rule.parameters
}


def every(**values: str) -> dict[str, dict[str, str]]:
    """Every parameter of these names, in every rule that has it."""
    return {
        rule: {name: values.get(name, default) for name, default in defaults.items()}
        for rule, defaults in USUAL.items()
    }


CASES: dict[str, Mapping[str, object]] = {
    "high": {
        "thresholds": every(min_amount="500", days="400", min_peers="12", min_numbers="40", max_missing="3"),
        "tolerance": Decimal("250.00"),
        "labor_in_amount": "yes",
    },
    "low, long ago, without drafts": {
        "thresholds": {
            **every(min_amount="0.005", days="0", min_peers="1", min_numbers="1", max_missing="1"),
            "nrb-exported-unbilled": {"min_amount": "99.5"},
        },
        "as_of": date(2005, 3, 1),
        "time_zone": "Pacific/Kiritimati",
        "labor_in_amount": "no",
        "draft_status_names": (),
    },
    "far ahead": {
        "thresholds": {"nrb-unbilled": {"min_amount": "99.5"}},
        "as_of": date(2099, 12, 29),
        "time_zone": "Pacific/Pago_Pago",
        "tolerance": Decimal("0.05"),
    },
}


@pytest.mark.parametrize("changes", CASES.values(), ids=CASES)
def test_every_rule_passes_whatever_the_parameters(changes: Mapping[str, object]) -> None:
    assert failed(list(on_nothing(**changes).values())) == {}


def test_thresholds_below_zero_fire_on_everything_and_are_met() -> None:
    thresholds = every(min_amount="-5", days="-3", min_peers="-1", min_numbers="-1")
    outcomes = on_nothing(thresholds=thresholds)
    reasons = failed(list(outcomes.values()))
    assert reasons == {"nrb-duplicate-near": "no plant: no two NRBs are at most -3 days apart"}


def test_a_rule_that_its_threshold_switches_off_has_no_plant() -> None:
    thresholds = every(min_amount=f"1{'0' * 16}", days="99999999", min_peers="99999999", max_missing="0")
    outcomes = on_nothing(thresholds=thresholds, draft_status_names=("draft", " CLOSED "))
    assert {rule: each.passed for rule, each in outcomes.items() if not each.passed} == dict.fromkeys(
        [
            "invoice-edited-after-close",
            "invoice-gap",
            "invoice-overdue",
            "nrb-cutoff",
            "nrb-date-odd",
            "nrb-duplicate",
            "nrb-duplicate-near",
            "nrb-exported-unbilled",
            "nrb-no-markup",
            "nrb-unbilled",
        ]
    )
    assert outcomes["invoice-gap"].reason == "no plant: max_missing = 0 finds no gap"
    assert outcomes["nrb-unbilled"].planted is None


# Rules that are not as they should be


BROKEN = [
    ("nrb-unexported", "where exported is distinct from true", "", "changed what it says of selftest1-"),
    ("nrb-unexported", "where exported is distinct from true", "where false", "did not find selftest1-"),
    ("invoice-due", "and s.state = 'issued'", "", "changed what it says of selftest1-invoice-due-void"),
    ("nrb-date-odd", "days_before > $days", "days_before >= $days", "changed what it says of"),
    ("nrb-duplicate", "m.members > 1", "m.members > 2", "did not find selftest1-nrb-duplicate-again"),
    ("nrb-unbilled", "where unbilled", "where not unbilled", "did not find"),
    ("job-variance", "verdict <> 'agrees'", "cast(verdict as int) = 1", "rules/job-variance.sql: the SQL failed"),
    ("nrb-missing-key", "from missing", "from missing, (select 1 as x union all select 2) as y", "2 times"),
]


def test_a_broken_rule_fails_and_no_other_does() -> None:
    shipped = {rule.name: rule for rule in load_rules()}
    broken = [
        dataclasses.replace(shipped[name], text=shipped[name].text.replace(was, becomes))
        for name, was, becomes, _ in BROKEN
    ]
    with workbench() as draft:
        typed(draft)
        outcomes = examine(draft, [*broken, *shipped.values()], parameters(), Decisions())
    assert failed(outcomes[len(broken) :]) == {}
    for (*_, reason), outcome in zip(BROKEN, outcomes, strict=False):
        assert outcome.passed is False
        assert reason in str(outcome.reason)


def test_own_rules_are_run_and_not_judged(tmp_path: Path) -> None:
    snapshot = audited(tmp_path, [nrb()], [invoice()])
    (tmp_path / "own-rule.sql").write_text(OWN_RULE.format(name="own-rule", reason="'own'"))
    (tmp_path / "own-slip.sql").write_text(OWN_RULE.format(name="own-slip", reason="cast(cast(guid as int) as text)"))
    outcomes = {each.rule_id: each for each in examined(snapshot, own_rules=tmp_path)}
    assert outcomes["own-rule"] == Outcome("own-rule", None, (), False, (), None, "no plant: your own rule")
    assert outcomes["own-slip"].passed is False
    assert "own-slip.sql: the SQL failed" in str(outcomes["own-slip"].reason)
    assert [name for name, each in outcomes.items() if not each.passed] == ["own-rule", "own-slip"]


def test_a_malformed_rule_stops_it_before_anything_is_copied(tmp_path: Path) -> None:
    snapshot = audited(tmp_path)
    (tmp_path / "bad.sql").write_text("select 1")
    with pytest.raises(RuleError, match=r"bad\.sql:1"):
        examined(snapshot, own_rules=tmp_path)


# The user's own data


def test_what_a_plant_changes_of_the_users_own_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """An NRB of the user's that is unbilled, and a plant that bills it."""

    def meddling(ground: tested.Ground) -> tested.Plant:
        plant = PLANTS["nrb-nonpositive"](ground)
        return dataclasses.replace(plant, invoices=[*plant.invoices, invoice([line("R1-n1")])])

    monkeypatch.setattr(tested, "PLANTS", {**PLANTS, "nrb-nonpositive": meddling})
    with workbench() as draft:
        typed(draft, [unbilled()])
        outcomes = {each.rule_id: each for each in examine(draft, load_rules(), parameters(), Decisions())}
    assert outcomes["nrb-unbilled"].extra == ("n1",)
    assert outcomes["nrb-unbilled"].fired and outcomes["nrb-unbilled"].passed is False
    assert "n1, which was not planted for it" in str(outcomes["nrb-unbilled"].reason)


def test_the_names_of_plants_are_nobodys(tmp_path: Path) -> None:
    """Where the user's records or decisions hold the word that plants are named with, another is taken."""
    with workbench() as draft:
        typed(draft, [nrb(nrbNotes="SELFTEST1 was here")])
        (outcome,) = examine(
            draft, load_rules()[:1], parameters(draft_status_names=("draft", "SelfTest2")), Decisions()
        )
    assert outcome.passed and outcome.expected == ("selftest3-invoice-due-invoice",)


# The copy


def everything_in(home: Path) -> dict[str, tuple[int, str]]:
    return {
        str(path.relative_to(home)): (
            path.stat().st_mode,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in sorted(home.rglob("*"))
    }


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_the_copy_is_private_and_gone_whatever_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    snapshot = audited(tmp_path, [nrb()], [invoice()])
    home = snapshot.path.parent
    before, modes = everything_in(home), {}

    def interrupted(*_: object) -> list[Outcome]:
        modes.update({path.name: stat.S_IMODE(path.stat().st_mode) for path in home.glob(".trial-*/**/*")})
        modes["folder"] = stat.S_IMODE(next(home.glob(".trial-*")).stat().st_mode)
        raise error

    monkeypatch.setattr(tested, "examine", interrupted)
    mask = os.umask(0o022)
    try:
        with pytest.raises(error):
            examined(snapshot)
    finally:
        os.umask(mask)
    assert modes.pop("folder") == modes.pop("audit.duckdb.tmp") == 0o700
    assert set(modes.values()) == {0o600}
    assert everything_in(home) == before


def test_it_needs_a_snapshot_but_no_lock_and_no_complete_sync(tmp_path: Path) -> None:
    store = Store(tmp_path / "home")
    with pytest.raises(NoSnapshot):
        selftest(store, parameters(), Decisions())
    assert not store.folder.exists()
    nrbs, invoices = [nrb(), unbilled("n2")], [invoice(), invoice([line("Labour")], "i2")]
    snapshot = audited(tmp_path, nrbs, invoices, status="INCOMPLETE")
    with Store(snapshot.path.parent).writer():
        assert failed(examined(snapshot)) == {}
