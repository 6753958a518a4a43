"""exposure: each cost and invoice once per side, the charge side tied to the statement."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from auditkit.checks.run import Decisions
from auditkit.warehouse.snapshots import Draft
from tests.checks.test_lifecycle import accepting
from tests.syncs import synced
from tests.world import AS_OF, audited, invoice, line, nrb, ref, referenced, seconds, unbilled, workbench

OLD = seconds(AS_OF - timedelta(60))
NRBS = [
    unbilled("u1", "10.00"),
    unbilled("u2", "0.05"),
    referenced("part", "100.00"),
    referenced("over", "100.00"),
    referenced("twice", "50.00"),
    referenced("drafted", "70.00"),
    nrb("lost", "30.00", nrbBilledInName="INV-404"),
    nrb("free", "20.00", nrbOriginReference=ref("free"), nrbIsBillable=False, nrbBilledInName=None),
    referenced("paid", "40.00"),
    *(referenced(guid, "60.00", nrbInvoiceNumber="AP-60") for guid in ("copy-a", "copy-b")),
    unbilled("ledger", "15.00", nrbIsExported=False),
]
INVOICES = [
    invoice(
        [
            *(line(ref("part"), "90.00"), line(ref("over"), "101.50"), line(ref("twice"), "50.00")),
            *(line(ref("twice"), "50.00"), line(ref("free"), "20.00"), line(ref("paid"), "40.00")),
            line(f"{ref('copy-a')} {ref('copy-b')}", "120.00"),
        ]
    ),
    invoice([line(ref("drafted"), "70.00"), line("Labor", "500.00")], "i2", status_name="Draft", date_invoice=OLD),
]
ROWS = "select side, cause, subject_id, amount, standing from exposure order by all"
EXPECTED = {
    ("charge", "never_invoiced", "ledger", "15.00"),
    ("charge", "never_invoiced", "u1", "10.00"),
    ("charge", "never_invoiced", "u2", "0.05"),
    ("charge", "under_billed", "part", "10.00"),
    ("charge", "on_draft", "drafted", "70.00"),
    ("charge", "invoice_missing", "lost", "30.00"),
    ("overcharge", "over_billed", "over", "1.50"),
    ("overcharge", "charged_twice", "twice", "50.00"),
    ("overcharge", "non_billable_charged", "free", "20.00"),
    ("overcharge", "duplicate_charged", "copy-b", "60.00"),
    ("ledger", "not_exported", "ledger", "15.00"),
    ("invoice", "draft_old", "i2", "500.00"),
}


def exposed(draft: Any) -> set[tuple[str, str, str, str]]:
    return {(side, cause, subject, str(amount)) for side, cause, subject, amount, _ in draft.query(ROWS).rows}


def test_each_cost_and_invoice_once_per_side(tmp_path: Path) -> None:
    with audited(tmp_path, NRBS, INVOICES) as snapshot:
        assert exposed(snapshot) == EXPECTED
        subjects = snapshot.query("select side, subject_id from exposure").rows
        assert len(subjects) == len(set(subjects))


def test_the_charge_side_is_the_statements_unbilled_cost(tmp_path: Path) -> None:
    with audited(tmp_path, NRBS, INVOICES) as snapshot:
        stated = snapshot.query(
            "select code, -amount from statement where scope = 'all' and amount <> 0"
            " and code in (select cause from exposure where side = 'charge')"
        )
        causes = snapshot.query("select cause, sum(amount) from exposure where side = 'charge' group by cause")
        assert dict(causes.rows) == dict(stated.rows)
        unbilled_cost = snapshot.query(
            "select -amount from statement where scope = 'all' and code = 'unbilled'"
        ).scalar()
        assert snapshot.query("select sum(amount) from exposure where side = 'charge'").scalar() == unbilled_cost


@pytest.mark.parametrize(
    ("thresholds", "standing"),
    [
        ({}, {"u1": "open", "u2": "open"}),
        ({"nrb-unbilled": {"min_amount": "1.00"}}, {"u1": "open", "u2": "below threshold"}),
        ({"nrb-unbilled": {"days": "400"}}, {"u1": "not yet due", "u2": "not yet due"}),
    ],
    ids=["usual", "threshold", "grace"],
)
def test_what_no_rule_shows_is_still_counted(thresholds: Any, standing: dict[str, str], tmp_path: Path) -> None:
    with audited(tmp_path, NRBS, INVOICES, thresholds=thresholds) as snapshot:
        assert exposed(snapshot) == EXPECTED
        rows = snapshot.query(ROWS).rows
    assert {row[2]: row[4] for row in rows if row[0] == "charge" and row[2] in standing} == standing


def test_an_accepted_exception_stands_apart() -> None:
    with workbench() as draft:
        synced(draft, 1, [unbilled("a", "10.00"), unbilled("b", "20.00")])
        accepted: Decisions = accepting(draft, "a")
        synced(draft, 1, [unbilled("a", "10.00"), unbilled("b", "20.00")], decisions=accepted)
        assert _standing(draft) == {"a": ("accepted", Decimal("10.00")), "b": ("open", Decimal("20.00"))}


def _standing(draft: Draft) -> dict[str, tuple[str, Decimal]]:
    rows = draft.query("select subject_id, standing, amount from exposure where side = 'charge'").rows
    return {subject: (standing, amount) for subject, standing, amount in rows}


def test_a_gap_between_exposure_and_statement_is_no_clean_audit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from auditkit.checks import run

    monkeypatch.setattr(run, "_expose", lambda *_: None)
    with audited(tmp_path, NRBS, INVOICES) as snapshot:
        assert snapshot.query("select verdict from audit_run").scalar() == "incomplete"
