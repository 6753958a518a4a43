"""Undo: every operation, on an account, through a plan and an approval of its own."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import auditkit as ak
from auditkit.corrections.apply import settle
from auditkit.corrections.diff import covers, same, unplanned_changes
from auditkit.corrections.operations import create_invoice, create_nrb
from auditkit.corrections.plan import LeftOut, Plan
from auditkit.corrections.planning import Planner
from auditkit.corrections.tracking import Verdict, corrections
from auditkit.corrections.undo import undo
from auditkit.errors import ApprovalRefused, PlanError
from auditkit.sandbox.dataset import build
from auditkit.sync.raw import RawTable
from auditkit.sync.run import SOURCES
from auditkit.vendors.strict_json import parse
from auditkit.warehouse.schema import rebuild_schema
from auditkit.warehouse.snapshots import Store
from tests.commands import Account, account_of
from tests.people import acting_as, carried_out, listed

from .conftest import ACCOUNT, INVOICE, NOON, ONE, TWO, World, only
from .test_operations import NEW_INVOICE, UPCHARGED_NRB

ABOUT = {"snapshot_id": "snapshot-2", "environment": "test", "account": "clerk"}


# On an account, end to end


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account_of(build(seed=5, nrbs=40, faults={"nrb-unbilled": 1}), tmp_path_factory.mktemp("account")) as made:
        yield made


def test_all_six_operations_can_be_undone(synced, tmp_path, monkeypatch):
    home = synced.home(monkeypatch, tmp_path)
    listed(home)
    acting_as(monkeypatch, "ann")
    state = synced.state
    with ak.open() as audit:
        plan = six(audit)
    before = {change.object_id: stored(state, change) for change in plan.changes if not change.operation_type.creates}
    outcomes = carried_out(monkeypatch, plan)
    assert set(outcomes["verdict"]) == {"VERIFIED"}, outcomes.to_dict("records")
    created = {row["operation"]: row["created"] for row in outcomes.to_dict("records") if row["created"]}

    with ak.open() as audit:
        with pytest.raises(PlanError, match=r"newest snapshot.*sync"):
            audit.corrections.undo(plan)
        audit.sync()
        back = audit.corrections.undo(plan.digest[:12])
        assert back.conditions == (create_invoice.REMAINS, create_nrb.REMAINS)  # the last change comes first
        assert [change.object_id for change in back.changes] == [
            created.get(change.operation, change.object_id) for change in reversed(plan.changes)
        ]
        path = audit.corrections.save(back)
        with pytest.raises(ApprovalRefused, match="approve"):  # the approval of what it takes back does not count
            audit.corrections.apply(path)
    outcomes = carried_out(monkeypatch, back)
    assert set(outcomes["verdict"]) == {"VERIFIED"}, outcomes.to_dict("records")

    for change in plan.changes:
        if not change.operation_type.creates:
            was, now = before[change.object_id], stored(state, change)
            assert set(unplanned_changes(was, now, ())) <= {"items"}, change.operation
            assert covers(was.get("items"), now.get("items"), "items")  # written again: 2440.80 as 2440.8
    assert json.loads(state.invoice_text(created["create-invoice"]))["is_active"] is False
    internal = json.loads(state.nrb_text(created["create-nrb"]))
    assert (internal["isInternal"], internal["nrbIsBillable"], internal["nrbAccountType"]) == (
        True,
        False,
        "Not Billable",
    )
    with ak.open() as audit:
        assert audit.corrections.unsettled().empty


def test_what_cannot_be_undone_is_shown_before_the_approval(synced, tmp_path, monkeypatch):
    home = synced.home(monkeypatch, tmp_path)
    listed(home)
    acting_as(monkeypatch, "ann")
    with ak.open() as audit:
        audit.sync()
        (unbilled,) = audit.unbilled().to_dict("records")
        related = "select cast(body -> '$.related' as varchar) as r from raw.invoice_body where jnid = ?"
        jnid = audit.sql("select min(jnid) as jnid from invoice_status where job_number = ?", unbilled["job_number"])
        line = {"name": "Cost", "description": f"REF {unbilled['guid']}", "quantity": 1, "price": unbilled["total"]}
        values = {**NEW_INVOICE, "related": json.loads(audit.sql(related, jnid["jnid"][0])["r"][0]), "items": [line]}
        billed = audit.corrections.change("create-invoice", values=values, reason="bill it")
    carried_out(monkeypatch, billed)
    with ak.open() as audit:
        audit.sync()
        back = audit.corrections.undo(billed)
        opened = audit.corrections.preview(back).findings.query("effect == 'opens' and rule_id == 'nrb-billed-on-void'")
    assert back.conditions == (create_invoice.REMAINS,)
    assert list(opened["subject_id"]) == [unbilled["guid"]] and "nrb-billed-on-void" in create_invoice.REMAINS
    carried_out(monkeypatch, back)
    with ak.open() as audit:
        audit.sync()
        again = audit.corrections.change(
            "edit-invoice", back.changes[0].object_id, values={"is_active": True}, reason="back"
        )
        closed = audit.corrections.preview(again).findings.query("effect == 'closes'")
    assert set(opened["fingerprint"]) <= set(closed["fingerprint"])


def stored(state: Any, change: Any) -> dict[str, Any]:
    read = state.nrb_text if change.system == "aimsio" else state.invoice_text
    return parse(read(change.object_id), change.object_id)


def six(audit: ak.Audit) -> Plan:
    """One plan of all six operations, each of an object of its own."""
    first, *_ = audit.sql("select guid from nrb where is_leaf and parent_guid is null order by guid")["guid"]
    one, two, three = audit.sql(
        "select jnid from invoice_status where state = 'issued' and jnid in (select jnid from invoice where subtotal = "
        "(select sum(amount) from invoice_item as t where t.jnid = invoice.jnid)) order by jnid limit 3"
    )["jnid"]
    related = json.loads(audit.sql("select cast(body -> '$.related' as varchar) as r from raw.invoice_body")["r"][0])
    job = audit.sql("select min(job_number) as job from nrb where job_number is not null")["job"][0]
    vendor = audit.sql("select min(vendor_code) as code from nrb")["code"][0]
    kind = audit.sql("select min(type_name) as name from nrb")["name"][0]
    new_nrb = {**UPCHARGED_NRB, "nrbJobOrderNumber": job, "nrbVendorCode": vendor, "nrbTypeName": kind}
    chosen: list[tuple[str, str, dict[str, Any]]] = [
        ("edit-nrb", first, {"nrbUpcharge": "33.3", "nrbNotes": "corrected", "nrbIsExported": None}),
        ("create-nrb", "", new_nrb),
        ("edit-invoice", one, {"note": "corrected", "external_id": "QB-X", "date_due": 1_790_000_000}),
        ("add-line", two, {"items": [{"name": "Fuel", "description": "REF X-100", "quantity": "2", "price": "1.05"}]}),
        ("create-invoice", "", {**NEW_INVOICE, "related": related}),
        ("deactivate-invoice", three, {}),
    ]
    plans = [audit.corrections.change(name, each, reason="a trial", values=values) for name, each, values in chosen]
    return replace(plans[0], changes=tuple(change for plan in plans for change in plan.changes))


# What is left out, and why


class Desk:
    """Two vendors, and a snapshot of them whenever one is needed: a sync without an audit."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.folder = folder

    def undo(self, plan: Plan) -> Plan:
        """The undo of a plan, planned on a fresh snapshot."""
        shutil.rmtree(self.folder, ignore_errors=True)
        store, state = Store(self.folder), self.world.state
        with store.writer(), store.draft(keep_previous=False) as draft:
            rebuild_schema(draft)
            nrbs = [json.loads(row) for rows in state.nrb_stubs("guid") for row in rows]
            page = self.world.clients.jobnimbus.page(0)
            bodies = [(row["guid"], self.world.clients.aimsio.nrb(row["guid"])) for row in nrbs]
            for source, rows in zip(SOURCES, (bodies, page.rows), strict=True):
                raw = RawTable(draft, source.record_type, 1)
                raw.add(rows, 1)
                raw.store([key for key, _ in rows])
            draft.query("insert into sync_run by name select 1 as sync_id, 'COMPLETE' as status")
        with store.open() as snapshot:
            planner = Planner(self.world.clients, snapshot, NOON)
            requests = undo(plan.digest, self.world.journal).requests
            return planner.plan(requests, conditions=(), preparer="ann", about=ABOUT)

    def done(self, plan: Plan) -> Plan:
        """The plan, applied."""
        assert {outcome.verdict for outcome in self.world.apply(plan)} <= {Verdict.VERIFIED, Verdict.SIDE_EFFECT}
        return plan


@pytest.fixture
def make_desk(make_world, tmp_path):
    return lambda **switches: Desk(make_world(**switches), tmp_path / "home")


@pytest.fixture
def desk(make_desk):
    return make_desk()


def after(plan: Plan) -> dict[str, dict[str, Any]]:
    return {change.object_id: dict(change.after) for change in plan.changes}


def test_a_field_that_somebody_changed_since_is_left_out_with_the_reason(desk):
    world = desk.world
    plan = desk.done(world.propose(ONE, TWO))
    world.edit_by_hand(ONE, nrbIsExported=False)  # somebody reverted one by hand
    back = desk.undo(plan)
    assert after(back) == {TWO: {"nrbIsExported": None}}
    assert back.left_out == (LeftOut(ONE, "nrbIsExported: changed by somebody since; look at it"),)


def test_another_field_that_somebody_changed_is_kept(desk):
    world = desk.world
    plan = desk.done(world.propose(ONE))
    world.edit_by_hand(ONE, nrbNotes="theirs")
    desk.done(desk.undo(plan))
    assert (world.nrb(ONE)["nrbIsExported"], world.nrb(ONE)["nrbNotes"]) == (False, "theirs")


def test_a_missing_object_is_left_out_and_the_others_are_undone(desk):
    plan = desk.done(desk.world.propose(ONE, TWO))
    desk.world.state.delete_nrb(ONE)
    back = desk.undo(plan)
    assert (list(after(back)), back.left_out) == ([TWO], (LeftOut(ONE, "is no longer there"),))


def test_a_created_invoice_that_somebody_edited_is_left_alone(desk):
    world = desk.world
    plan = world.plan(world.creation("create-invoice", **NEW_INVOICE))
    jnid = only(world.apply(plan)).created
    world.state.put_invoice({**world.invoice(jnid), "status": 2, "status_name": "Sent"})
    with pytest.raises(PlanError, match=f"nothing to plan: left out 1: {jnid}: status: changed by somebody since"):
        desk.undo(plan)


def test_undoing_an_undo_applies_the_change_again(desk):
    world = desk.world
    plan = desk.done(
        world.plan(
            world.edit("edit-nrb", ONE, nrbUpcharge="12", nrbNotes=None),
            world.edit("deactivate-invoice", INVOICE, is_active=False),
        )
    )
    done = world.nrb(ONE), world.invoice()
    back = desk.done(desk.undo(plan))
    assert world.invoice()["is_active"] is True
    again = desk.done(desk.undo(back))
    assert [change.after.keys() for change in reversed(again.changes)] == [each.after.keys() for each in back.changes]
    assert unplanned_changes(done[0], world.nrb(ONE), ()) == unplanned_changes(done[1], world.invoice(), ()) == ()


def test_fields_emptied_by_an_edit_are_restored_where_they_can_be_written(make_desk):
    desk = make_desk(absent="nulled")
    world = desk.world
    before = world.nrb(ONE)
    plan = desk.done(world.propose(ONE))
    emptied = {name for name, value in before.items() if value is not None and world.nrb(ONE)[name] is None}
    assert {"nrbVendorTax", "nrbUpcharge", "nrbNotes", "nrbOriginReference"} <= emptied
    back = desk.done(desk.undo(plan))
    assert emptied - COMPUTED <= after(back)[ONE].keys()
    now = world.nrb(ONE)
    assert all(same(name, value, now[name]) for name, value in before.items() if name not in COMPUTED)
    assert same("nrbTotalAfterMarkup", before["nrbTotalAfterMarkup"], now["nrbTotalAfterMarkup"])


COMPUTED = {"nrbUpdatedAt", "nrbWBSGuid"}  # Aimsio fills in the guid of a WBS


def test_an_emptied_field_that_somebody_filled_is_not_overwritten(make_desk):
    desk = make_desk(absent="nulled")
    plan = desk.done(desk.world.propose(ONE))
    desk.world.edit_by_hand(ONE, nrbNotes="theirs")
    with pytest.raises(PlanError, match=f"{ONE}: nrbNotes: changed by somebody since"):
        desk.undo(plan)


def test_unknown_outcomes_are_listed_and_corrections_without_effect_are_skipped(desk):
    world = desk.world
    plan = world.propose(ONE, TWO)
    world.edit_by_hand(ONE, nrbIsExported=True)
    world.faulty.posts.append(400)
    assert [outcome.verdict for outcome in world.apply(plan)] == [Verdict.ALREADY, Verdict.NOT_APPLIED]
    assert undo(plan.digest, world.journal).requests == ()
    with pytest.raises(PlanError, match=r"^nothing to plan$"):
        desk.undo(plan)

    lost = world.plan(world.creation("create-nrb", "ak-lost", **UPCHARGED_NRB))
    world.faulty.posts.append("lost")
    world.apply(lost)
    (named,) = undo(lost.digest, world.journal).requests
    assert named == LeftOut("ak-lost", "how it ended is UNKNOWN: look at it")
    settle(
        operation_of(world, "ak-lost"),
        "not there",
        account=ACCOUNT,
        journal=world.journal,
        identity="bob",
    )
    (named,) = undo(lost.digest, world.journal).requests
    assert named == LeftOut("ak-lost", "how it ended is SETTLED: look at it")


def operation_of(world: World, object_id: str) -> str:
    return next(each.id for each in corrections(world.journal).values() if each.change.object_id == object_id)


def test_an_undone_change_is_reported_until_the_undo_is_undone(desk):
    plan = desk.done(desk.world.propose(ONE, TWO))
    back = desk.done(desk.undo(plan))
    told = f"{ONE}: was undone already, by plan {back.digest[:12]}"
    with pytest.raises(PlanError, match=f"^nothing to plan: left out 2: .*{told}"):
        desk.undo(plan)
    desk.done(desk.undo(back))
    assert after(desk.undo(plan)).keys() == {ONE, TWO}


@pytest.mark.parametrize("digits", [6, 12, 64])
def test_a_plan_that_was_never_applied_cannot_be_undone(desk, digits):
    plan = desk.world.propose(ONE)
    with pytest.raises(PlanError, match=f"^plan {plan.digest[:digits][:12]} was never applied: nothing to undo$"):
        undo(plan.digest[:digits], desk.world.journal, [plan.digest[:12]])
    with pytest.raises(PlanError, match="the journal knows no plan of that name"):
        undo(plan.digest[:digits], desk.world.journal, ["0" * 12])


@pytest.mark.parametrize("name", ["", "abc", "0" * 64])
def test_an_unknown_plan_cannot_be_undone(desk, name):
    desk.done(desk.world.propose(ONE))
    with pytest.raises(PlanError, match="at least 6 digits of one that was applied"):
        undo(name, desk.world.journal)


def test_an_undo_needs_an_approval_of_its_own(desk):
    plan = desk.done(desk.world.propose(ONE))
    back = desk.undo(plan)
    assert back.digest != plan.digest
    with pytest.raises(ApprovalRefused):
        desk.world.apply(replace(back, signatures=desk.world.approved(desk.world.propose(TWO)).signatures))
    assert desk.world.nrb(ONE)["nrbIsExported"] is True
