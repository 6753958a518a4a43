"""nrb-cutoff: cost and revenue in periods far apart."""

from datetime import date, timedelta

import pytest

from tests.world import SILENT, amounts, asked_again, audited, findings, invoice, line, ms, nrb, seconds

RULE = "nrb-cutoff"
COST = date(2026, 6, 10)


def billed(guid, invoiced, risk, cost=COST, sold=None, **changes):
    """An NRB, its invoice with its line, and what is at risk."""
    body = nrb(guid, **{"nrbInvoiceDate": cost and ms(cost), "nrbBilledInName": f"INV-{guid}", **changes})
    return body, invoice([line(f"R1-{guid}")], guid, date_invoice=invoiced and seconds(invoiced), **(sold or {})), risk


def later(guid, days, risk, **changes):
    return billed(guid, COST + timedelta(days=days), risk, **changes)


CASES = [
    later("same-day", 0, SILENT),
    later("day-45", 45, SILENT),
    later("day-46", 46, "100.00"),
    billed("same-month-before", date(2026, 6, 1), SILENT),
    billed("month-before", date(2026, 5, 31), "100.00"),
    later("draft", 60, SILENT, sold={"status_name": "Draft"}),
    later("void", 60, SILENT, sold={"is_active": False}),
    # NULL, field by field
    later("no-vendor-date", 46, SILENT, nrbInvoiceDate=None, nrbCreatedAt=ms(COST + timedelta(days=1))),
    later("no-cost-date", 60, SILENT, nrbInvoiceDate=None, nrbCreatedAt=None),
    billed("no-invoice-date", None, "100.00", sold={"date_created": seconds(COST + timedelta(days=46))}),
    billed("no-date", None, SILENT, sold={"date_created": None}),
    later("no-total", 46, None, nrbTotalAfterMarkup=None),
]
# The invoice that the mark names stands in where no line carries it; of several invoices, the furthest away.
FAR = seconds(COST + timedelta(days=50))
FARTHEST = seconds(COST + timedelta(days=70))
MARKED_ONLY = nrb("marked-only", nrbInvoiceDate=ms(COST), nrbBilledInName="INV-labour")
ON_TWO = nrb("on-two", "30.00", nrbInvoiceDate=ms(COST), nrbBilledInName=None)
FURTHER = [
    invoice([line("Labour", "5.00")], "labour", date_invoice=FAR),
    invoice([line("Part one", "10.00")], "part-one", date_invoice=FAR),
    invoice([line("Part two", "20.00")], "part-two", date_invoice=FARTHEST),
]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    nrbs = [*(body for body, _, _ in CASES), MARKED_ONLY, ON_TWO]
    invoices = [*(sold for _, sold, _ in CASES), *FURTHER]
    links = [("on-two", "part-one", 0), ("on-two", "part-two", 0)]
    with audited(tmp_path_factory.mktemp(RULE), nrbs, invoices, links=links) as snapshot:
        yield snapshot


def test_it_fires_on_these_alone(snapshot):
    expected = {body["nrbGuid"]: risk for body, _, risk in CASES if risk != SILENT}
    assert amounts(findings(snapshot, RULE)) == {**expected, "marked-only": "100.00", "on-two": "30.00"}


@pytest.mark.parametrize(
    ("guid", "reason", "jnid"),
    [
        ("day-46", "invoiced 46 days after the cost", "day-46"),
        ("month-before", "invoiced in a month before the cost's", "month-before"),
        ("marked-only", "invoiced 50 days after the cost", "labour"),
        ("on-two", "invoiced 70 days after the cost", "part-two"),
    ],
)
def test_it_says_how_far_apart(snapshot, guid, reason, jnid):
    hit = findings(snapshot, RULE)[guid]
    assert (hit["reason"], hit["evidence"]["jnid"]) == (reason, jnid)


def test_days(snapshot):
    assert "day-45" in asked_again(snapshot, RULE, days=44)
    assert "day-46" not in asked_again(snapshot, RULE, days=46)
