"""Remedies: the preview of a plan equals the audit after apply and sync, to the cent."""

import contextlib
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

import auditkit as ak
from auditkit.corrections.operations.registry import OPERATIONS
from auditkit.corrections.plan import LeftOut, Plan
from auditkit.corrections.planning import ChangeRequest, parse_values
from auditkit.corrections.remedies import REMEDIES, merged
from auditkit.errors import PlanError, RuleError, ValueRefused
from auditkit.sandbox.dataset import build
from auditkit.sandbox.state import State
from auditkit.sandbox.world import World
from tests.commands import Account, account_of
from tests.people import acting_as, carried_out, listed, signed
from tests.sandbox.truth import truth_of

RULES = tuple(REMEDIES)
FAULTS = dict.fromkeys(RULES, 2)
DIFFERENCE = "Unreconciled difference"
Found = set[tuple[str, str]]


@dataclass(frozen=True)
class Cell:
    """What an audit shows: open findings as (rule, subject), and the statement by label."""

    findings: Found
    statement: dict[str, Decimal]

    @classmethod
    def by(cls, audit: ak.Audit) -> "Cell":
        frame = audit.findings(state="open")
        statement = audit.statement()
        return cls(
            set(zip(frame["rule_id"], frame["subject_id"], strict=True)),
            dict(zip(statement["code"], statement["amount"], strict=True)),
        )


def named(effect: Any, word: str, created: dict[str, str]) -> Found:
    """The findings of a preview with one effect, with the ids that new objects have received since."""
    rows = effect.findings[effect.findings["effect"] == word]
    found = set()
    for rule, subject in zip(rows["rule_id"], rows["subject_id"], strict=True):
        key, slash, rest = subject.partition("/")
        found.add((rule, created.get(key, key) + slash + rest))
    return found


def walk(monkeypatch: pytest.MonkeyPatch, plan: Plan) -> None:
    """Preview, approve, apply and sync a plan, and compare the preview with the next audit."""
    with ak.open() as audit:
        before, effect = Cell.by(audit), audit.corrections.preview(plan)
        assert Cell.by(audit) == before
    outcomes = carried_out(monkeypatch, plan)
    assert set(outcomes["verdict"]) == {"VERIFIED"}, outcomes.to_dict("records")
    with ak.open() as audit:
        audit.sync()
        after = Cell.by(audit)
    made = {row["object_id"]: row["created"] for row in outcomes.to_dict("records") if row["created"]}
    assert after.findings - before.findings == named(effect, "opens", made)
    assert before.findings - after.findings == named(effect, "closes", made)
    assert named(effect, "leaves", made) <= before.findings & after.findings
    foreseen = dict(zip(effect.statement["code"], effect.statement["after"], strict=True))
    assert foreseen == after.statement
    assert before.statement["difference"] == after.statement["difference"] == 0


@contextlib.contextmanager
def account(folder: Path, seed: int, nrbs: int = 100, **behaviors: object) -> Iterator[Account]:
    """A world with two faults for each remedy, also those that chance rarely makes."""
    world = build(seed=seed, nrbs=nrbs, faults=FAULTS)
    with State(folder / "vendors.sqlite") as state:
        state.fill(world.nrbs, [*world.invoices, a_twin(world), *a_draft(world)], world.jobs, world.vendors)
        parent = a_child_of_its_parent_alone(world)
        state.put_nrb(parent)
        state.delete_nrb(parent["nrbChildren"][0]["nrbGuid"])
    with account_of(world, folder, **behaviors) as synced:
        yield synced


def a_twin(world: World) -> dict[str, Any]:
    """A duplicate of an invoice, line by line, unpaid."""
    first = next(body for body in world.invoices if body["total_paid"])
    lines = [{**line, "jnid": f"twin-{place}"} for place, line in enumerate(first["items"])]
    unpaid = {"total_paid": 0, "due": first["total"], "payments": [], "first_payment_date": None, "is_archived": False}
    own = {"jnid": "twin", "guid": None, "recid": 999_999, "external_id": None}
    return {**first, **unpaid, **own, "date_paid_in_full": None, "items": lines}


def a_draft(world: World) -> list[dict[str, Any]]:
    """An empty draft for the job of an unbilled NRB, if JobNimbus knows one of their jobs.

    With it the sandbox knows that status 1 is called Draft. Where no invoice shows a name, it makes one up, and what is
    created counts as issued: no preview can foresee that.
    """
    unbilled = truth_of(world)["nrb-unbilled"]
    jobs = [body["nrbJobOrderNumber"] for body in world.nrbs if body["nrbGuid"] in unbilled]
    models = [body for job in jobs for body in world.invoices if body["related"] and job in body["related"][0]["name"]]
    empty = dict.fromkeys(("subtotal", "tax", "total", "cost", "due", "total_paid", "margin"), 0)
    own = {"jnid": "draft", "guid": None, "number": "INV-99999", "external_id": None, "items": [], "payments": []}
    unissued = {"status": 1, "status_name": "Draft", "is_archived": False, "is_active": True}
    dates = dict.fromkeys(("date_paid_in_full", "first_payment_date"))
    return [{**model, **empty, **own, **unissued, **dates} for model in models[:1]]


def a_child_of_its_parent_alone(world: World) -> dict[str, Any]:
    """A receipt whose first child is not exported."""
    parent = next(body for body in world.nrbs if body["nrbChildren"] and body["nrbIsExported"])
    first, *others = parent["nrbChildren"]
    return {**parent, "nrbChildren": [{**first, "nrbIsExported": False}, *others]}


def home_of(synced: Account, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    home = synced.home(monkeypatch, folder)
    listed(home)
    acting_as(monkeypatch, "ann")
    return home


def findings(audit: ak.Audit, *rules: str) -> pd.DataFrame:
    return pd.concat([audit.findings(rule, state="open") for rule in rules])


def test_a_preview_equals_the_next_audit(tmp_path, monkeypatch):
    """All seven remedies in one plan; the campaign below takes them one by one."""
    with account(tmp_path, seed=3) as synced:
        home_of(synced, monkeypatch, tmp_path)
        with ak.open() as audit:
            plan = audit.corrections.plan(findings(audit, *RULES))
        assert all(any(rule in change.rule for change in plan.changes) for rule in RULES)
        operations = {change.operation for change in plan.changes}
        assert operations == {"edit-nrb", "add-line", "create-invoice", "deactivate-invoice"}
        walk(monkeypatch, plan)


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(1, 7))
def test_a_preview_of_one_rule_equals_the_next_audit(tmp_path, monkeypatch, seed):
    """Several accounts with all kinds of faults, under changing behaviors, rule by rule."""
    behaviors = {
        "numbers": ("strings", "numbers")[seed % 2],
        "jobnimbus_numbers": ("numbers", "strings")[seed // 2 % 2],
        "list_rows": ("full", "slim")[seed // 4 % 2],
        "absent": ("kept", "refused")[seed % 2],
        "items": ("replaced", "merged")[seed // 2 % 2],
    }
    with account(tmp_path, seed, nrbs=150, **behaviors) as synced:
        home_of(synced, monkeypatch, tmp_path)
        for rule in random.Random(seed).sample(RULES, len(RULES)):
            with ak.open() as audit:
                try:
                    plan = audit.corrections.propose(rule)
                except PlanError as nothing:
                    assert "nothing to plan" in str(nothing) or "no open findings" in str(nothing)
                    continue
            walk(monkeypatch, plan)


LATER = 1_790_000_000_000


@contextlib.contextmanager
def edited(synced: Account, guid: str, **changes: Any) -> Iterator[None]:
    """Edit an NRB in Aimsio, and restore it afterward, so that the account can be shared."""
    text = synced.state.nrb_text(guid)
    body = json.loads(text, parse_float=Decimal)
    synced.state.put_nrb({**body, **changes})
    try:
        yield
    finally:
        synced.state.put_nrb(body)


# What is planned, and what is not


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("account"), seed=3) as made:
        yield made


@pytest.fixture
def audit(synced: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ak.Audit]:
    home_of(synced, monkeypatch, tmp_path)
    with ak.open() as opened:
        yield opened


def objects(plan: Plan) -> list[str]:
    return [change.object_id for change in plan.changes]


def test_only_the_chosen_findings_are_planned(audit, synced):
    found = audit.findings("nrb-unexported", state="open")
    child = a_child_of_its_parent_alone(synced.world)["nrbChildren"][0]["nrbGuid"]
    first, second, *_ = found[found["subject_id"] != child]["fingerprint"]
    assert len(objects(audit.corrections.propose("nrb-unexported"))) == len(found) - 1  # one has no record of its own
    for only in (first, [first], first[:6].upper(), (first, first[:7])):
        plan = audit.corrections.propose("nrb-unexported", only)
        assert [change.findings for change in plan.changes] == [(first,)]
    both = audit.corrections.plan(found[found["fingerprint"].isin([first, second])])
    assert {fingerprint for change in both.changes for fingerprint in change.findings} <= {first, second}
    for only, message in (
        ([], "none was named"),
        ("0" * 64, "no open finding 000"),
        ([first, "f" * 64], "no open finding fff"),
        ("", "at least 6 digits"),
        (first[:5], "at least 6 digits"),
    ):
        with pytest.raises(PlanError, match=message):
            audit.corrections.propose("nrb-unexported", only)


def test_rules_without_a_safe_remedy_propose_nothing(audit):
    with pytest.raises(PlanError, match="no remedy that is safe to propose; those that have: nrb-unexported"):
        audit.corrections.propose("invoice-total")
    with pytest.raises(RuleError, match="did you mean nrb-unbilled"):
        audit.corrections.propose("nrb-unbiled")
    with pytest.raises(PlanError, match="no findings were given"):
        audit.corrections.plan(audit.findings(state="cleared"))
    with pytest.raises(PlanError, match=r"these are not findings: column fingerprint, rule_id is missing"):
        audit.corrections.plan(audit.statement())


def test_an_accepted_finding_is_not_proposed(audit):
    accepted, *others = audit.findings("nrb-no-markup", state="open")["fingerprint"]
    audit.accept(accepted, "agreed", who="ann")
    proposed = [name for change in audit.corrections.propose("nrb-no-markup").changes for name in change.findings]
    assert sorted(proposed) == sorted(others)
    with pytest.raises(PlanError, match="no open finding"):
        audit.corrections.propose("nrb-no-markup", [accepted])


def test_an_nrb_without_a_record_of_its_own_is_left_out_with_the_reason(audit, synced):
    child = a_child_of_its_parent_alone(synced.world)["nrbChildren"][0]["nrbGuid"]
    plan = audit.corrections.propose("nrb-unexported")
    assert [(each.object_id, each.reason) for each in plan.left_out] == [
        (child, "known from its parent alone, no own record: correct it in Aimsio")
    ]
    assert child not in objects(plan)
    assert plan.left_out[-1].object_id == child


def test_several_rules_about_one_object_make_one_change(audit, synced):
    guid = objects(audit.corrections.propose("nrb-unexported"))[0]
    with edited(synced, guid, nrbAccountType="Not Billable", nrbIsBillable=True, nrbUpdatedAt=LATER):
        audit.sync()
        plan = audit.corrections.plan(findings(audit, "nrb-unexported", "nrb-class-contradiction"))
    (change,) = (change for change in plan.changes if change.object_id == guid)
    assert change.after == {"nrbIsExported": True, "nrbAccountType": "Billable"}
    assert len(change.findings) == 2
    assert "nrb-unexported" in change.rule and "nrb-class-contradiction" in change.rule
    assert "; " in change.reason


def test_two_operations_on_one_object_are_two_plans():
    line = ChangeRequest("add-line", "x", {}, "to bill", ("f1",), "nrb-unbilled 1", ({"name": "a"},))
    more = ChangeRequest("add-line", "x", {}, "as well", ("f2",), "other 2", ({"name": "b"},))
    dead = ChangeRequest("deactivate-invoice", "x", {"is_active": False}, "twice", ("f3",), "invoice-duplicate 3")
    new = ChangeRequest("create-invoice", "", {}, "new", ("f4",), "nrb-unbilled 1")
    planned, *others = merged([line, dead, new, more, new])
    assert (planned.add, planned.findings, planned.rule) == (
        ({"name": "a"}, {"name": "b"}),
        ("f1", "f2"),
        "nrb-unbilled 1, other 2",
    )
    assert others == [
        LeftOut("x", "deactivate-invoice: nrb-unbilled 1 changes it first; plan again after"),
        new,
        new,
    ]


def test_the_duplicate_to_keep_is_chosen_among_all_of_them(audit):
    twin = audit.findings("invoice-duplicate", state="open").set_index("subject_id")["fingerprint"]
    first = next(
        json.loads(text)["others"]
        for text in audit.sql(
            "select evidence from finding where subject_id = 'twin' and rule_id = 'invoice-duplicate'"
        )["evidence"]
    )
    alone = audit.corrections.propose("invoice-duplicate", [twin["twin"]])
    assert (objects(alone), alone.changes[0].operation) == (["twin"], "deactivate-invoice")
    with pytest.raises(PlanError, match=f"{first}: it is the one to keep of"):
        audit.corrections.propose("invoice-duplicate", [twin[first]])


# A change that a person chose


@pytest.fixture
def nrb_guid(audit):
    return audit.sql("select guid from nrb where is_leaf and parent_guid is null order by guid")["guid"][0]


def test_values_as_a_person_types_them(audit, nrb_guid):
    plan = audit.corrections.change(
        "edit-nrb",
        nrb_guid,
        reason="as agreed",
        values=[
            "nrbNotes=a = b",
            "nrbInvoiceDate=2026-05-01",
            "nrbIsExported=null",
            "isInternal=true",
            "nrbRate=12.50",
            "nrbPONumber=null",
        ],
    )
    (change,) = plan.changes
    amid_the_day = 1_777_647_600_000
    assert change.after == {
        "nrbNotes": "a = b",
        "nrbInvoiceDate": amid_the_day,
        "nrbIsExported": None,
        "isInternal": True,
        "nrbRate": "12.50",
    }
    assert (change.reason, change.findings, change.rule) == ("as agreed", (), "")


@pytest.mark.parametrize(
    ("zone", "operation", "text", "instant"),
    [
        ("America/Edmonton", "edit-nrb", "nrbInvoiceDate=2026-05-01", "2026-05-01T15:00"),
        ("Pacific/Auckland", "edit-nrb", "nrbInvoiceDate=2026-05-01", "2026-05-01T06:00"),
        ("Pacific/Kiritimati", "edit-nrb", "nrbInvoiceDate=2026-05-01", "2026-05-01T05:00"),
        ("UTC", "edit-nrb", "nrbInvoiceDate=2026-05-01", "2026-05-01T12:00"),
        ("America/Edmonton", "edit-invoice", "date_due=2026-05-01", "2026-05-01T06:00"),
        ("Pacific/Auckland", "edit-invoice", "date_due=2026-05-01", "2026-04-30T12:00"),
    ],
)
def test_a_day_is_the_same_day_in_the_time_zone_and_at_the_vendor(zone, operation, text, instant):
    ((_, value),) = parse_values(OPERATIONS[operation], [text], ZoneInfo(zone)).items()
    seconds = value / (1000 if operation == "edit-nrb" else 1)
    assert datetime.fromtimestamp(seconds, UTC) == datetime.fromisoformat(instant).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("operation", "values", "message"),
    [
        ("edit-nrb", ["nrbRate"], "nrbRate: expected field=value"),
        ("edit-nrb", ["nrbRat=1"], "nrbRat=1: expected field=value, with one of isInternal"),
        ("edit-nrb", ["nrbGuid=x"], "expected field=value"),
        ("edit-nrb", ["nrbTotalAfterMarkup=1"], "the vendor computes nrbTotalAfterMarkup"),
        ("edit-nrb", ["nrbIsExported=yes"], "expected true, false or null"),
        ("edit-nrb", ["nrbInvoiceDate=1.5.2026"], "a day such as 2026-05-01"),
        ("edit-nrb", ["nrbInvoiceDate=2026-02-30"], "a day such as 2026-05-01"),
        ("edit-nrb", ["nrbRate=1,000.00"], "nrbRate"),
        ("edit-nrb", ["nrbRate=12", "nrbRate=13"], "nrbRate: was given twice"),
        ("edit-nrb", {"nrbRate": 12.5}, "found float"),
        ("edit-nrb", {"nrbIsExported": "yes"}, "nrbIsExported"),
        ("edit-nrb", {"nrbVendorGuid": "x"}, "nrbVendorGuid cannot be written"),
        ("edit-nrb", {"nrbNoSuch": "x"}, "nrbNoSuch"),
        ("edit-nrb", [], "nothing to change: give field=value"),
        ("edit-invoice", ["items=[{"], "items"),
        ("edit-invoice", ["items={}"], "items: expected a JSON array of objects"),
        ("edit-invoice", ["items=null"], "items cannot be null"),
        ("edit-invoice", ["is_active=0"], "expected true, false or null"),
        ("edit-invoice", {"items": [{"price": 1.5}]}, "float"),
        ("add-line", [], "items must be the new lines"),
        ("add-line", ["items=[]"], "items must be the new lines"),
        ("add-line", {"items": {"name": "x"}}, "items must be the new lines"),
        ("add-line", {"items": 5}, "items must be the new lines"),
        ("add-line", {"items": ["x"]}, "items must be the new lines"),
        ("create-nrb", ["nrbRate=1"], "takes no object"),
        ("edit_nrb", {}, "no operation 'edit_nrb'; did you mean edit-nrb"),
    ],
)
def test_a_mistyped_value_is_refused_in_one_line(audit, nrb_guid, operation, values, message):
    object_id = nrb_guid if operation.endswith("nrb") else "draft"
    with pytest.raises((PlanError, ValueRefused), match=message) as caught:
        audit.corrections.change(operation, object_id, reason="because", values=values)
    assert "\n" not in str(caught.value)


def test_a_change_needs_a_reason_and_an_existing_object(audit):
    for object_id, reason, message in (
        ("draft", " ", "give a reason"),
        ("", "because", "which object"),
        ("nobody", "because", "nobody: no such id; give"),
    ):
        with pytest.raises(PlanError, match=message):
            audit.corrections.change("edit-invoice", object_id, reason=reason, values={"note": "x"})


def test_a_creation_fills_its_key_and_needs_the_required_fields(audit):
    given = {"nrbJobOrderNumber": "J", "nrbTypeName": "Other", "nrbAccountType": "Billable", "nrbIsBillable": True}
    given |= {"nrbVendorCode": "BIT", "nrbRate": "1.00", "nrbQuantity": 2}
    (change,) = audit.corrections.change("create-nrb", reason="forgotten", values=given).changes
    assert change.after == {**given, "nrbExternalId": change.object_id}
    assert OPERATIONS["create-nrb"].creates and change.object_id.startswith("ak-")
    with pytest.raises(PlanError, match="a new NRB needs nrbRate"):
        audit.corrections.change(
            "create-nrb", reason="forgotten", values={k: v for k, v in given.items() if k != "nrbRate"}
        )


# Before-images and the newest snapshot


@pytest.mark.parametrize("changes", [{"nrbNotes": "x"}, {"nrbIsExported": None}, {"nrbUpdatedAt": 1}], ids=str)
def test_an_object_that_changed_since_the_snapshot_is_not_planned(audit, synced, changes):
    guid = objects(audit.corrections.propose("nrb-unexported"))[0]
    with (
        edited(synced, guid, **changes),
        pytest.raises(PlanError, match=f"{guid}: {next(iter(changes))}: not what .* sync, then plan again"),
    ):
        audit.corrections.propose("nrb-unexported")


def test_a_synced_change_voids_a_plan_and_a_nightly_sync_alone_does_not(audit, synced, monkeypatch):
    plan = audit.corrections.propose("nrb-unexported")
    path = signed(monkeypatch, plan)
    with edited(synced, objects(plan)[0], nrbNotes="x", nrbUpdatedAt=LATER), ak.open() as night:
        night.sync()
        with pytest.raises(PlanError, match="nrbNotes, nrbUpdatedAt: not what the newest snapshot holds"):
            night.corrections.apply(path)
        assert list(night.journal.records("correction")) == []
    with ak.open() as night:
        night.sync()
        outcomes = night.corrections.apply(path)
        assert set(outcomes["verdict"]) == {"VERIFIED"}
        with pytest.raises(PlanError, match="already applied"):
            night.corrections.apply(path)
    assert outcomes["created"].to_list() == [None] * len(plan.changes)
