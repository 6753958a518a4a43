"""The self-test: every rule passes on every snapshot at every threshold, a broken one fails, nothing is left behind."""

import dataclasses
import hashlib
import os
import stat
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from auditkit.checks import selftest as tested
from auditkit.checks.rules import Rule, load_rules
from auditkit.checks.run import Decisions, Parameters
from auditkit.checks.selftest import FAULTS, Outcome, examine, selftest
from auditkit.errors import NoSnapshot, RuleError
from auditkit.sandbox.dataset import build
from auditkit.sandbox.world import to_json
from auditkit.warehouse.snapshots import Snapshot, Store
from tests.world import AS_OF, ZONE, audited, invoice, line, nrb, related, typed, unbilled, workbench

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
    """How the rules do on the planted faults alone."""
    with workbench() as draft:
        typed(draft)
        found = examine(draft, rules or load_rules(), parameters(**changes), Decisions())
    return {outcome.rule_id: outcome for outcome in found}


def failed(outcomes: list[Outcome]) -> dict[str, str | None]:
    return {outcome.rule_id: outcome.reason for outcome in outcomes if not outcome.passed}


def test_every_shipped_rule_has_a_planted_fault() -> None:
    assert sorted(FAULTS) == [rule.name for rule in load_rules()]


def test_every_rule_passes_on_the_demo_and_the_home_stays_unchanged(tmp_path: Path) -> None:
    world = build()
    nrbs, invoices = [to_json(body) for body in world.nrbs], [to_json(body) for body in world.invoices]
    snapshot = audited(tmp_path, nrbs, invoices, as_of=world.as_of, zone=world.timezone)
    before = everything_in(snapshot.path.parent)
    outcomes = examined(snapshot, as_of=world.as_of, time_zone=world.timezone)
    assert failed(outcomes) == OFF
    assert len(outcomes) == len(FAULTS)
    passed = [each for each in outcomes if each.rule_id not in OFF]
    assert all(each.fired and each.expected and each.planted and not each.extra for each in passed)
    assert everything_in(snapshot.path.parent) == before


# Other thresholds

# Off unless its limit is set.
OFF = {"nrb-split": "no planted fault: limit = 0.00 switches the rule off"}

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
        "thresholds": {
            **every(min_amount="500", days="400", min_peers="12", min_numbers="40", max_missing="3", most_days="500"),
            "nrb-split": {"limit": "30", "days": "400"},
            "nrb-price-odd": {"factor": "12.345", "min_peers": "25"},
            "invoice-tax-rate": {"min_invoices": "33"},
            "nrb-markup-odd": {"min_peers": "12", "min_share": "0.995"},
        },
        "tolerance": Decimal("250.00"),
        "labor_in_amount": "yes",
    },
    "low, long ago, without drafts": {
        "thresholds": {
            **every(min_amount="0.005", days="0", min_peers="1", min_numbers="1", max_missing="1", min_invoices="1"),
            "nrb-exported-unbilled": {"min_amount": "99.5"},
            "nrb-split": {"limit": "0.03", "days": "0"},
            "invoice-duplicate-near": {"days": "1"},
        },
        "as_of": date(2005, 3, 1),
        "time_zone": "Pacific/Kiritimati",
        "labor_in_amount": "no",
        "draft_status_names": (),
    },
    "far ahead": {
        "thresholds": {"nrb-unbilled": {"min_amount": "99.5"}, "nrb-split": {"limit": "5000.01", "days": "7"}},
        "as_of": date(2099, 12, 29),
        "time_zone": "Pacific/Pago_Pago",
        "tolerance": Decimal("0.05"),
    },
}


@pytest.mark.parametrize("name", CASES)
def test_every_rule_passes_whatever_the_parameters(name: str) -> None:
    drafts = ("invoice-draft-old", "nrb-on-draft") if "without drafts" in name else ()
    reasons = dict.fromkeys(drafts, "no planted fault: no status counts as a draft")
    assert failed(list(on_nothing(**CASES[name]).values())) == reasons


def test_thresholds_below_zero_fire_on_everything_and_are_met() -> None:
    thresholds = every(min_amount="-5", days="-3", min_peers="-1", min_numbers="-1", limit="10")
    outcomes = on_nothing(thresholds=thresholds)
    reasons = failed(list(outcomes.values()))
    apart = "no planted fault: no two NRBs are at most -3 days apart"
    assert reasons == {
        "invoice-duplicate-near": "no planted fault: no invoice is at most -3 days after another",
        "nrb-duplicate": apart,
        "nrb-duplicate-near": apart,
        "nrb-split": apart,
    }


def test_a_rule_that_its_threshold_switches_off_has_no_planted_fault() -> None:
    thresholds = every(min_amount=f"1{'0' * 16}", days="99999999", min_peers="99999999", max_missing="0")
    outcomes = on_nothing(thresholds=thresholds, draft_status_names=("draft", " CLOSED "))
    assert {rule: each.passed for rule, each in outcomes.items() if not each.passed} == dict.fromkeys(
        [
            "invoice-draft-old",
            "invoice-duplicate-near",
            "invoice-edited-after-close",
            "invoice-gap",
            "invoice-overdue",
            "nrb-cutoff",
            "nrb-date-odd",
            "nrb-duplicate",
            "nrb-duplicate-near",
            "nrb-duplicate-unnumbered",
            "nrb-exported-unbilled",
            "nrb-late-cost",
            "nrb-markup-odd",
            "nrb-no-markup",
            "nrb-on-draft",
            "nrb-price-odd",
            "nrb-split",
            "nrb-unbilled",
            "nrb-unexported",
        ]
    )
    assert outcomes["invoice-gap"].reason == "no planted fault: max_missing = 0 finds no gap"
    assert outcomes["nrb-unbilled"].planted is None


# Broken rules


BROKEN = [
    (
        "nrb-unexported",
        "where exported is distinct from true",
        "where true",
        "also changed its findings on selftest001-",
    ),
    ("nrb-unexported", "where exported is distinct from true", "where false", "did not find selftest001-"),
    ("invoice-due", "and s.state = 'issued'", "", "also changed its findings on selftest001-invoice-due-void"),
    ("nrb-date-odd", "days_before > $days", "days_before >= $days", "also changed its findings on"),
    ("nrb-duplicate", "where g.is_copy = 1", "where g.members > 2", "did not find selftest001-nrb-duplicate-second"),
    ("nrb-unbilled", "where unbilled", "where not unbilled", "did not find"),
    ("job-variance", "starts_with(job_number", "cast(verdict as int) = 1 or starts_with(job_number", "the SQL failed"),
    ("nrb-missing-key", "from missing", "from missing, (select 1 as x union all select 2) as y", "2 times"),
]


def test_a_broken_rule_fails_and_no_other_does() -> None:
    shipped = {rule.name: rule for rule in load_rules()}
    assert all(was in shipped[name].text for name, was, _, _ in BROKEN)
    broken = [
        dataclasses.replace(shipped[name], text=shipped[name].text.replace(was, becomes))
        for name, was, becomes, _ in BROKEN
    ]
    with workbench() as draft:
        typed(draft)
        outcomes = examine(draft, [*broken, *shipped.values()], parameters(), Decisions())
    assert failed(outcomes[len(broken) :]) == OFF
    for (*_, reason), outcome in zip(BROKEN, outcomes, strict=False):
        assert outcome.passed is False
        assert reason in str(outcome.reason)


def test_own_rules_are_run_and_not_judged(tmp_path: Path) -> None:
    snapshot = audited(tmp_path, [nrb()], [invoice()])
    (tmp_path / "own-rule.sql").write_text(OWN_RULE.format(name="own-rule", reason="'own'"))
    (tmp_path / "own-slip.sql").write_text(OWN_RULE.format(name="own-slip", reason="cast(cast(guid as int) as text)"))
    outcomes = {each.rule_id: each for each in examined(snapshot, own_rules=tmp_path)}
    assert outcomes["own-rule"] == Outcome("own-rule", None, (), False, (), None, "no planted fault: your own rule")
    assert outcomes["own-slip"].passed is False
    assert "own-slip.sql: the SQL failed" in str(outcomes["own-slip"].reason)
    assert [name for name, each in outcomes.items() if not each.passed] == [*OFF, "own-rule", "own-slip"]


def test_a_malformed_rule_stops_it_before_anything_is_copied(tmp_path: Path) -> None:
    snapshot = audited(tmp_path)
    (tmp_path / "bad.sql").write_text("select 1")
    with pytest.raises(RuleError, match=r"bad\.sql:1"):
        examined(snapshot, own_rules=tmp_path)


# The user's own data


def test_what_a_fault_changes_in_the_users_own_records_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """An NRB of the user's that is unbilled, and a planted fault that bills it."""

    def meddling(clean: tested.CleanRecords) -> tested.PlantedFault:
        fault = FAULTS["nrb-nonpositive"](clean)
        return dataclasses.replace(fault, invoices=[*fault.invoices, invoice([line("R1-n1")])])

    monkeypatch.setattr(tested, "FAULTS", {**FAULTS, "nrb-nonpositive": meddling})
    with workbench() as draft:
        typed(draft, [unbilled()])
        outcomes = {each.rule_id: each for each in examine(draft, load_rules(), parameters(), Decisions())}
    assert outcomes["nrb-unbilled"].extra == ("n1",)
    assert outcomes["nrb-unbilled"].fired and outcomes["nrb-unbilled"].passed is False
    assert "n1, where no fault was planted for it" in str(outcomes["nrb-unbilled"].reason)


def test_the_names_of_planted_records_are_nowhere_else() -> None:
    """Where the user's records or decisions hold the word that planted records are named with, another is chosen."""
    with workbench() as draft:
        typed(draft, [nrb(nrbNotes="SELFTEST001 was here")])
        (outcome,) = examine(
            draft, load_rules()[:1], parameters(draft_status_names=("draft", "SelfTest002")), Decisions()
        )
    assert outcome.passed and outcome.expected == ("selftest003-invoice-below-cost-invoice",)


def test_planted_amounts_do_not_change_what_an_amount_links() -> None:
    """Whole dollars that link by their amount alone because half of the account's lines are not as round."""
    jobs = {f"J-{dollars}": f"{dollars}.00" for dollars in range(501, 507)}
    nrbs = [unbilled(job, total, nrbJobOrderNumber=job) for job, total in jobs.items()]
    sold = [invoice([line("Crane", total)], job, related=[related(job, job)]) for job, total in jobs.items()]
    labor = invoice([line("Labor", f"{cents}.37", item_type="labor") for cents in range(6)], "labor")
    with workbench() as draft:
        typed(draft, nrbs, [*sold, labor])
        outcomes = examine(draft, load_rules(), parameters(), Decisions())
        linked = draft.query("select count(*) from link where method = 'amount' and jnid like 'J-%'").scalar()
    assert failed(outcomes) == OFF
    assert linked == 0  # so many round lines were planted


# The usual tax rate of the account: planted invoices have it, and one does not.


def taxed(prefix: str, count: int, tax: str) -> list[dict[str, Any]]:
    return [invoice([line(f"{prefix}{n}")], f"{prefix}{n}", tax=tax, number=None) for n in range(count)]


@pytest.mark.parametrize(
    ("invoices", "reason"),
    [
        (taxed("a", 3, "5.00"), None),
        (taxed("a", 40, "14.98"), None),
        ([*taxed("a", 40, "7.00"), *taxed("b", 4, "5.00")], None),
        ([*taxed("a", 9, "7.00"), *taxed("b", 2, "5.00")], "the taxed invoices of this account have no usual rate"),
        ([*taxed("a", 3, "7.00"), *taxed("b", 1, "5.00")], "the taxed invoices of this account have no usual rate"),
    ],
    ids=["few", "many", "some others", "too many others", "few, and another"],
)
def test_the_planted_tax_rate_is_that_of_the_account(invoices: list[dict[str, Any]], reason: str | None) -> None:
    with workbench() as draft:
        typed(draft, [], invoices)
        outcomes = failed(examine(draft, load_rules(), parameters(), Decisions()))
    assert outcomes == OFF | ({"invoice-tax-rate": f"no planted fault: {reason}"} if reason else {})


def test_the_users_own_markups_stay_in_force() -> None:
    with workbench() as draft:
        typed(
            draft,
            [nrb(nrbUpcharge="10", nrbRate="100.00", nrbTotalAfterMarkup="110.00")],
            [invoice([line("R1-n1", "110.00")])],
        )
        outcomes = examine(draft, load_rules(), parameters(), Decisions(markups=[("BIT", None, "8")]))
    assert failed(outcomes) == OFF


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
    nrbs, invoices = [nrb(), unbilled("n2")], [invoice(), invoice([line("Labor")], "i2")]
    snapshot = audited(tmp_path, nrbs, invoices, status="INCOMPLETE")
    with Store(snapshot.path.parent).writer():
        assert failed(examined(snapshot)) == OFF
