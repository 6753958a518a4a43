"""Situations of real books, each with its one right answer: the states of its costs, and every finding that is loud."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.world import Account, invoice, line, nrb, related, unbilled


@dataclass(frozen=True)
class Situation:
    """`states` of its costs, each with its charge; `loud`: rule → subject → money of each medium or high finding."""

    nrbs: Sequence[dict[str, Any]]
    invoices: Sequence[dict[str, Any]]
    states: Mapping[str, tuple[str, str]]
    loud: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)


def on(jnid: str, *lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return invoice(lines, jnid, **changes)


def of(job: str, name: str) -> list[dict[str, Any]]:
    return [related(job, f"J-{job}", name)]


THREE = [
    nrb(f"n{place}", total, nrbBilledInName="INV-i1") for place, total in ((1, "100.00"), (2, "200.00"), (3, "300.00"))
]
NAMES = "R1-n1, R1-n2 and R1-n3"
TAXED = [nrb("n1", "862.50", nrbRate="825.00", nrbVendorTax="37.50")]
WITHOUT_TAX = [on("i1", line("R1-n1", "825.00"))]
SAME_BILL = {"nrbInvoiceNumber": "AP-70201"}

SITUATIONS = {
    "one cost billed 40/60 on two invoices, both lines name it, marked": Situation(
        [nrb("n1", "1000.00")],
        [on("i1", line("R1-n1 progress", "400.00")), on("i2", line("R1-n1 final", "600.00"))],
        {"n1": ("billed_full", "1000.00")},
    ),
    "one cost billed 40/60 on two invoices, both lines name it, not marked": Situation(
        [unbilled("n1", "1000.00")],
        [on("i1", line("R1-n1 progress", "400.00")), on("i2", line("R1-n1 final", "600.00"))],
        {"n1": ("billed_full", "1000.00")},
        notes={"n1": "billed, though not marked as billed"},
    ),
    "one cost billed in two halves, with the same words": Situation(
        [nrb("n1", "1000.00")],
        [on("i1", line("R1-n1 half", "500.00")), on("i2", line("R1-n1 half", "500.00"))],
        {"n1": ("billed_full", "1000.00")},
    ),
    "one cost on two invoices at the full amount each": Situation(
        [nrb("n1", "1000.00")],
        [on("i1", line("R1-n1", "1000.00")), on("i2", line("Crane, R1-n1", "1000.00"))],
        {"n1": ("charged_twice", "2000.00")},
        {"nrb-charged-twice": {"n1": "1000.00"}},
    ),
    "a line names three costs and is their sum": Situation(
        THREE, [on("i1", line(NAMES, "600.00"))], {f"n{n}": ("billed_full", f"{n}00.00") for n in (1, 2, 3)}
    ),
    "a line names three costs and is 0.01 off their sum": Situation(
        THREE,
        [on("i1", line(NAMES, "600.01"))],
        {"n1": ("billed_full", "100.00"), "n2": ("billed_full", "200.00"), "n3": ("billed_full", "300.01")},
    ),
    "a line names three costs and is 5.00 off their sum": Situation(
        THREE,
        [on("i1", line(NAMES, "605.00"))],
        {"n1": ("billed_over", "100.83"), "n2": ("billed_over", "201.67"), "n3": ("billed_over", "302.50")},
        {"line-amount-difference": {"i1/0": "5.00"}},
    ),
    "a vendor's number that is a year, beside labor of that year": Situation(
        [unbilled("n1", "250.00", nrbOriginReference=None, nrbInvoiceNumber="2026")],
        [on("i1", line("labor September 2026", "900.00", item_type="labor"))],
        {"n1": ("unbilled", "0.00")},
        {"nrb-unbilled": {"n1": "250.00"}, "nrb-exported-unbilled": {"n1": "250.00"}},
    ),
    "a vendor's number that is a quantity on a line": Situation(
        [unbilled("n1", "250.00", nrbOriginReference=None, nrbInvoiceNumber="1000")],
        [on("i1", line("1000 L dust control", "900.00"))],
        {"n1": ("unbilled", "0.00")},
        {"nrb-unbilled": {"n1": "250.00"}, "nrb-exported-unbilled": {"n1": "250.00"}},
    ),
    "a job whose name holds the number of another": Situation(
        [unbilled("n1", "733.19", nrbJobOrderNumber="1200", nrbOriginReference=None, nrbInvoiceNumber=None)],
        [on("i1", line("Pump", "733.19"), related=of("5001", "1200 Main Street"))],
        {"n1": ("unbilled", "0.00")},
        {"nrb-unbilled": {"n1": "733.19"}, "nrb-exported-unbilled": {"n1": "733.19"}},
    ),
    "two jobs whose numbers are written alike": Situation(
        [unbilled("n1", "733.19", nrbJobOrderNumber="24-101", nrbOriginReference=None, nrbInvoiceNumber=None)],
        [
            on("i1", line("Pump", "733.19"), related=of("2410-1", "Elsewhere")),
            on("i2", line("Crew", "10.00"), related=of("24-101", "Here")),
        ],
        {"n1": ("unbilled", "0.00")},
        {"nrb-unbilled": {"n1": "733.19"}, "nrb-exported-unbilled": {"n1": "733.19"}},
    ),
    "a vendor's credit netted into a line that names both": Situation(
        [nrb("n1", "1000.00", nrbBilledInName="INV-i1"), nrb("n2", "-200.00", nrbBilledInName="INV-i1")],
        [on("i1", line("R1-n1 less R1-n2", "800.00"))],
        {"n1": ("billed_full", "1000.00"), "n2": ("billed_full", "-200.00")},
    ),
    "a wrong bill, its reversal and the new entry, which alone is billed": Situation(
        [
            unbilled("n1", "845.00", **SAME_BILL),
            unbilled("n2", "-845.00", **SAME_BILL),
            nrb("n3", "854.00", nrbInvoiceNumber="AP-70201-A"),
        ],
        [on("i1", line("R1-n3", "854.00"))],
        {"n1": ("reversed", "0.00"), "n2": ("reversed", "0.00"), "n3": ("billed_full", "854.00")},
    ),
    "a mark that two years use": Situation(
        [nrb("n1", nrbBilledInName="1001")],
        [
            on("i1", line("R1-n1"), number="1001"),
            on(
                "i2",
                line("Crew", "10.00"),
                number="1001",
                related=of("JOB-2025", "Last year"),
                date_invoice=1_700_000_000,
            ),
        ],
        {"n1": ("billed_full", "100.00")},
        {"invoice-duplicate": {"i1": "0.00", "i2": "0.00"}},
    ),
    "a mark with its prefix written otherwise": Situation(
        [nrb("n1", "141.00", nrbBilledInName="INV 1001", nrbOriginReference=None, nrbInvoiceNumber=None)],
        [on("i1", line("Pump", "141.00"), number="INV-1001")],
        {"n1": ("billed_full", "141.00")},
    ),
    "an invoice, its credit note and the new invoice, all naming the cost": Situation(
        [nrb("n1", "500.00")],
        [on("i1", line("R1-n1", "500.00")), on("i2", line("R1-n1", "-500.00")), on("i3", line("R1-n1", "500.00"))],
        {"n1": ("billed_full", "500.00")},
    ),
    "marked with one invoice, its reference on another of the job": Situation(
        [nrb("n1")],
        [on("i1", line("Crew", "10.00")), on("i2", line("R1-n1"))],
        {"n1": ("billed_full", "100.00")},
        notes={"n1": "billed on another invoice than its mark names"},
    ),
    "rebilled without the vendor's tax, by default": Situation(
        TAXED,
        WITHOUT_TAX,
        {"n1": ("billed_full", "825.00")},
        notes={"n1": "short by exactly the vendor's tax"},
    ),
    "rebilled without the vendor's tax, which is recoverable": Situation(
        TAXED,
        WITHOUT_TAX,
        {"n1": ("billed_full", "825.00")},
        notes={"n1": "short by exactly the vendor's tax"},
        settings={"vendor_tax": "recoverable"},
    ),
    "rebilled without the vendor's tax, which is the client's": Situation(
        TAXED,
        WITHOUT_TAX,
        {"n1": ("billed_part", "825.00")},
        {"line-amount-difference": {"i1/0": "37.50"}},
        settings={"vendor_tax": "rebilled"},
    ),
    "two costs of one amount, two lines of it on the invoice that they are marked with": Situation(
        [
            nrb(f"n{n}", "141.00", nrbBilledInName="INV-i1", nrbOriginReference=None, nrbInvoiceNumber=None)
            for n in (1, 2)
        ],
        [on("i1", line("Pump", "141.00"), line("Pump", "141.00"))],
        {"n1": ("billed_full", "141.00"), "n2": ("billed_full", "141.00")},
    ),
}


@pytest.fixture(params=SITUATIONS)
def situation(request: pytest.FixtureRequest) -> tuple[Situation, Account]:
    chosen = SITUATIONS[request.param]
    return chosen, Account(chosen.nrbs, chosen.invoices, **chosen.settings)


def test_each_cost_is_in_its_state_and_charged_so_much(situation: tuple[Situation, Account]) -> None:
    expected, account = situation
    rows = account.draft.query("select guid, state, charged, note from nrb_state").rows
    assert {guid: (state, str(charged)) for guid, state, charged, _ in rows} == expected.states
    assert {guid: note for guid, _, _, note in rows if note} == expected.notes


def test_nothing_else_is_loud(situation: tuple[Situation, Account]) -> None:
    expected, account = situation
    assert account.loud() == expected.loud


def test_the_statement_reconciles(situation: tuple[Situation, Account]) -> None:
    _, account = situation
    query = "select amount, gross from statement where scope = 'all' and code = 'difference'"
    assert account.draft.query(query).rows == [(0, 0)]


def test_both_lines_of_a_second_charge_are_named() -> None:
    chosen = SITUATIONS["one cost on two invoices at the full amount each"]
    (hit,) = Account(chosen.nrbs, chosen.invoices).findings("nrb-charged-twice").values()
    assert "INV-i1" in hit["evidence"]["lines"] and "INV-i2" in hit["evidence"]["lines"]


def test_a_number_in_the_name_of_a_job_is_at_most_a_suggestion() -> None:
    chosen = SITUATIONS["a job whose name holds the number of another"]
    rows = Account(chosen.nrbs, chosen.invoices).draft.query(
        "select aimsio_job_number, jobnimbus_job_number, confirmed from job_suggestion"
    )
    assert rows.rows == [("1200", "5001", False)]
