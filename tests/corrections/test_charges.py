"""No remedy charges twice: what may be billed already is left out, what would change another cost is refused."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

import auditkit as ak
from auditkit.corrections.charges import changed_states, objections
from auditkit.corrections.plan import Change, FieldChange, Plan
from auditkit.errors import PlanError
from auditkit.sandbox.world import World
from tests.commands import Account, account_of, auditkit
from tests.people import acting_as, listed, signed
from tests.world import invoice, line, related, unbilled

SURE, LOOK, PERHAPS, HELD, SHARED = "a1000001-sure", "a1000002-look", "a1000003-maybe", "a1000004-held", "a1000005-same"
NRBS = [
    unbilled(SURE, "862.50", nrbExternalId="EXT-700100"),
    unbilled(LOOK, "500.00"),
    unbilled(PERHAPS, "71.00", nrbOriginReference=None, nrbInvoiceNumber="44719"),
    unbilled(HELD, "90.10", nrbName="Holdback pins", nrbJobOrderNumber="JOB-2002"),
    unbilled(SHARED, "31.20", nrbExternalId="EXT-700200", nrbJobOrderNumber="JOB-3003"),
    unbilled("a1000006-other", "44.40", nrbOriginReference="EXT-700200", nrbJobOrderNumber="JOB-3003"),
    *(unbilled(f"b100000{place}-twin", "733.19", nrbBilledInGuid=f"GUID-t{place}") for place in (1, 2)),
]


def of(job: str) -> list[dict[str, object]]:
    return [related(job, f"J-{job}", job)]


def twin(jnid: str, *lines: dict[str, object], **changes: object) -> dict[str, object]:
    return invoice(lines, jnid, **{"related": of("JOB-4004"), **changes})


INVOICES = [
    invoice([line("Crane 44719", "55.00"), line("Sundries", "500.00")], "i1"),
    *(invoice([], f"draft-{job}", status=1, status_name="Draft", related=of(job)) for job in ("JOB-2002", "JOB-3003")),
    invoice([], "draft", status=1, status_name="Draft"),
    twin("t1", line("Pump rental", "733.19"), number="T-1", related=[related()]),
    twin("t2", line("Pump rental", "733.19"), number="T-1", related=[related()]),
    twin("u1", line("Fence", "250.00"), number="U-1"),
    twin("u2", line("Fence", "250.00"), number="U-1"),
    twin("v1", line("Fence, deposit", "120.00"), number="V-1"),
    twin("v2", line("Fence, final", "120.00"), number="V-1"),
]


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    jobs = frozenset(body["nrbJobOrderNumber"] for body in NRBS) | {"JOB-4004"}
    world = World(
        1,
        date(2026, 9, 30),
        "America/Edmonton",
        NRBS,
        INVOICES,
        vendors=frozenset({"BIT"}),
        jobs=jobs,
        hosts=(),
        planted={},
    )
    (tmp_path / "account").mkdir()
    with account_of(world, tmp_path / "account") as synced:
        yield synced


@pytest.fixture
def audit(account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ak.Audit]:
    listed(account.home(monkeypatch, tmp_path))
    acting_as(monkeypatch, "ann")
    with ak.open() as opened:
        yield opened


def planned(audit: ak.Audit, rule: str, *guids: str) -> Plan:
    found = audit.findings(rule, state="open")
    return audit.corrections.plan(found[found["subject_id"].isin(guids)] if guids else found)


def left_out(plan: Plan) -> dict[str, str]:
    return {each.object_id: each.reason for each in plan.left_out}


def test_only_what_is_surely_unbilled_is_planned(audit: ak.Audit) -> None:
    plan = planned(audit, "nrb-unbilled", SURE, LOOK)
    (change,) = plan.changes
    assert [each["description"] for each in change.after["items"]] == ["BIT / REF EXT-700100"]
    assert left_out(plan) == {
        LOOK: "a line of its job has the same amount (INV-i1/1): decide first whether it is this cost"
        " (`auditkit links --look-first`)"
    }
    assert PERHAPS not in set(audit.findings("nrb-unbilled")["subject_id"])


def test_a_cost_that_was_looked_for_is_planned_from_the_next_audit_on(audit: ak.Audit) -> None:
    assert list(audit.links.undecided(look_first=True)["nrb_guid"]) == [LOOK]
    assert "1 cost to look for first · " in auditkit("links", "--look-first").out
    audit.links.none(LOOK, note="the sundries are shovels")
    audit.run()
    plan = planned(audit, "nrb-unbilled", LOOK)
    assert plan.left_out == () and len(plan.changes) == 1


def test_the_preview_shows_each_cost_that_would_be_charged_and_no_other(audit: ak.Audit) -> None:
    plan = planned(audit, "nrb-unbilled", SURE, SHARED)
    states = audit.corrections.preview(plan).states
    assert states[["guid", "before", "after", "carried_after"]].values.tolist() == [
        [SURE, "unbilled", "on_draft", Decimal("862.50")],
        [SHARED, "unbilled", "on_draft", Decimal("31.20")],
    ]
    names = [each["description"] for change in plan.changes for each in change.after["items"]]
    assert names == ["BIT / REF EXT-700100", f"BIT / REF {SHARED}"]  # another cost is called EXT-700200, too
    assert audit.corrections.save(plan).is_file()


def test_a_plan_that_would_not_bill_its_cost_is_refused(audit: ak.Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that says holdback is never a cost's: the next audit would find the cost unbilled again."""
    plan = planned(audit, "nrb-unbilled", HELD)
    message = f"{HELD} would be undecided with 0.00 of 90.10, not billed in full"
    with pytest.raises(PlanError, match=message):
        audit.corrections.save(plan)
    assert not (audit.settings.folder / "plans").exists()
    fingerprint = plan.changes[0].findings[0]
    ran = auditkit("plan", "nrb-unbilled", "--only", fingerprint)
    assert ran.code == 2 and message in ran.err and "Costs whose state or charge would change" in ran.out
    ran = auditkit("plan", "nrb-unbilled", "--only", fingerprint, "--no-preview")
    assert ran.code == 2 and message in ran.err


def test_what_was_billed_since_is_not_billed_again(
    account: Account, audit: ak.Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody bills the cost by hand after the approval: neither its draft nor the cost itself has changed."""
    path = signed(monkeypatch, planned(audit, "nrb-unbilled", SURE))
    account.state.put_invoice(invoice([line("Crane, EXT-700100", "862.50")], "by-hand", number="INV-9"))
    audit.sync()
    (row,) = audit.sql("select state from nrb_state where guid = ?", SURE).values.tolist()
    assert row == ["billed_full"]
    calls = len(account.state.calls())
    with pytest.raises(
        PlanError, match=r"is refused, because it would not charge exactly .*: exception [0-9a-f]{8} is"
    ):
        audit.corrections.apply(path)
    assert auditkit("apply", str(path), "--yes").code == 2
    assert [call.method for call in account.state.calls()[calls:] if call.method != "GET"] == []


def test_a_plan_that_was_applied_is_no_objection_to_itself(
    account: Account, audit: ak.Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = signed(monkeypatch, planned(audit, "nrb-unbilled", SURE))
    assert list(audit.corrections.apply(path)["verdict"]) == ["VERIFIED"]
    audit.sync()
    with pytest.raises(PlanError) as refused:
        audit.corrections.apply(path)
    assert "would not charge" not in str(refused.value)


def test_only_a_copy_line_by_line_is_deactivated(audit: ak.Audit) -> None:
    plan = planned(audit, "invoice-duplicate")
    assert [(change.operation, change.object_id) for change in plan.changes] == [("deactivate-invoice", "u2")]
    reasons = left_out(plan)
    assert reasons["t2"] == "it charges for 1 cost that t1 does not: compare both in JobNimbus"
    assert reasons["v2"] == "its lines are not those of v1: they are two documents, renumber one"
    assert {jnid for jnid, reason in reasons.items() if "the one to keep" in reason} == {"t1", "u1", "v1"}


# ── What is objected to ─────────────────────────────────────────────────────────────────────────────────────────────


def cost(guid: str, state: str, carried: str, *invoices: str, total: str = "100.00", parent: str | None = None):
    return guid, {
        "guid": guid,
        "parent_guid": parent,
        "job_number": "J",
        "state": state,
        "total": Decimal(total),
        "carried": Decimal(carried),
        "invoices": list(invoices),
    }


def change(operation: str, object_id: str, rule: str = "nrb-unbilled 1") -> Change:
    return Change(operation, object_id, (FieldChange("note", None, "x"),), "", ("f1",), "why", rule)


BILL = change("add-line", "i1")
VOID = change("deactivate-invoice", "i2", "invoice-duplicate 1")
FINDINGS = {"f1": {"subject_id": "n1"}}
UNBILLED, BILLED = cost("n1", "unbilled", "0.00"), cost("n1", "billed_full", "100.00", "i1")
OTHER = cost("n2", "billed_full", "100.00", "i2")


@pytest.mark.parametrize(
    ("changes", "before", "after", "expected"),
    [
        ([BILL], [UNBILLED, OTHER], [BILLED, OTHER], []),
        ([BILL], [UNBILLED], [cost("n1", "on_draft", "100.00", "i1")], []),
        ([BILL], [UNBILLED], [cost("n1", "on_draft", "90.00", "i1")], ["n1 would be on_draft with 90.00 of 100.00"]),
        ([BILL], [UNBILLED], [cost("n1", "charged_twice", "200.00")], ["n1 would be charged_twice with 200.00"]),
        ([BILL], [UNBILLED], [UNBILLED], ["n1 would be unbilled with 0.00"]),
        (
            [BILL],
            [UNBILLED, OTHER],
            [BILLED, cost("n2", "billed_part", "60.00", "i2")],
            ["n2 (job J) would change from billed_full with 100.00 to billed_part with 60.00"],
        ),
        (
            [BILL],  # the charge of another cost moves, though its state does not
            [UNBILLED, cost("n2", "billed_part", "60.00")],
            [BILLED, cost("n2", "billed_part", "70.00")],
            ["n2 (job J) would change from billed_part with 60.00 to billed_part with 70.00"],
        ),
        # a person's own change, and one that charges nothing, are only shown
        ([change("add-line", "i1", "")], [UNBILLED], [UNBILLED], []),
        ([change("edit-nrb", "n1", "nrb-no-markup 1")], [OTHER], [cost("n2", "unbilled", "0.00")], []),
        # beside an edit of another cost, whose own state may change, and that of its items
        (
            [BILL, change("edit-nrb", "n3", "nrb-class-contradiction 1")],
            [UNBILLED, cost("n3", "not_billable", "0.00"), cost("n4", "not_billable", "0.00", parent="n3")],
            [BILLED, cost("n3", "unbilled", "0.00"), cost("n4", "unbilled", "0.00", parent="n3")],
            [],
        ),
        # a copy that is voided leaves its costs charged once, and nothing else
        ([VOID], [cost("n2", "charged_twice", "200.00", "i1", "i2")], [cost("n2", "billed_full", "100.00", "i1")], []),
        ([VOID], [cost("n2", "marked_several", "0.00")], [cost("n2", "billed_full", "100.00", "i1")], []),
        (
            [BILL],
            [UNBILLED, cost("n2", "marked_several", "0.00")],
            [BILLED, cost("n2", "billed_full", "100.00", "i1")],
            ["n2 (job J) would change from marked_several with 0.00 to billed_full"],
        ),
        ([VOID], [OTHER], [cost("n2", "on_void", "100.00", "i2")], ["n2 (job J) would change from billed_full"]),
        (
            [VOID],
            [cost("n3", "charged_twice", "200.00", "i4", "i5")],
            [cost("n3", "billed_full", "100.00", "i4")],
            ["n3 (job J) would change from charged_twice"],
        ),
    ],
)
def test_objections(changes, before, after, expected):
    found = objections(changes, FINDINGS, dict(before), dict(after))
    assert len(found) == len(expected) and all(
        one.startswith(other) for one, other in zip(found, expected, strict=True)
    )


def test_an_exception_that_is_closed_is_an_objection_and_the_tolerance_counts():
    billed = dict([BILLED])
    assert objections([BILL], {}, billed, billed) == ["exception f1 is not open any more"]
    nearly = dict([cost("n1", "on_draft", "99.99", "i1")])
    assert objections([BILL], FINDINGS, dict([UNBILLED]), nearly, Decimal("0.01")) == []
    assert len(objections([BILL], FINDINGS, dict([UNBILLED]), nearly)) == 1


def test_the_states_that_change():
    before, after = dict([UNBILLED, OTHER]), dict([BILLED, OTHER, cost("n9", "unbilled", "0.00")])
    assert [
        (row["guid"], row["before"], row["after"], row["carried_before"]) for row in changed_states(before, after)
    ] == [
        ("n1", "unbilled", "billed_full", Decimal("0.00")),
        ("n9", None, "unbilled", None),
    ]
