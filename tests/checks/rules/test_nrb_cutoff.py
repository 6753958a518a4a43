"""nrb-cutoff: cost and revenue in periods far apart."""

from datetime import date, timedelta

import pytest

from tests.world import SILENT, Account, invoice, line, ms, nrb, ref, referenced, seconds

RULE = "nrb-cutoff"
COST = date(2026, 6, 10)


def billed(guid, invoiced, risk, cost=COST, sold=None, total="100.00", **changes):
    """An NRB, its invoice with its line, and what is at risk."""
    body = referenced(guid, total, **{"nrbInvoiceDate": cost and ms(cost), **changes})
    return body, invoice([line(ref(guid))], guid, date_invoice=invoiced and seconds(invoiced), **(sold or {})), risk


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
    later("nothing", 60, SILENT, total="0.00"),
    # NULL, field by field
    later("no-vendor-date", 46, SILENT, nrbInvoiceDate=None, nrbCreatedAt=ms(COST + timedelta(days=1))),
    later("no-cost-date", 60, SILENT, nrbInvoiceDate=None, nrbCreatedAt=None),
    billed("no-invoice-date", None, "100.00", sold={"date_created": seconds(COST + timedelta(days=46))}),
    billed("no-date", None, SILENT, sold={"date_created": None}),
    later("no-total", 46, None, total=None),
]
FAR, FARTHER = seconds(COST + timedelta(days=50)), seconds(COST + timedelta(days=120))
MORE = [
    # the invoice that the mark names counts where no line carries the cost
    nrb("marked-only", nrbInvoiceDate=ms(COST), nrbBilledInName="INV-labor"),
    # of several invoices the first: what follows is progress billing
    referenced("late-from-the-start", "30.00", nrbInvoiceDate=ms(COST)),
    referenced("in-progress", "30.00", nrbInvoiceDate=ms(COST)),
    # an undated invoice is no first one
    referenced("one-undated", "30.00", nrbInvoiceDate=ms(COST)),
]
FURTHER = [
    invoice([line("Labor", "5.00")], "labor", date_invoice=FAR),
    invoice([line(ref("in-progress"), "10.00")], "in-time", date_invoice=seconds(COST)),
    invoice([line(ref("late-from-the-start"), "10.00"), line(ref("in-progress"), "10.00")], "far", date_invoice=FAR),
    invoice(
        [
            line(ref("late-from-the-start"), "20.00"),
            line(ref("in-progress"), "10.00"),
            line(ref("one-undated"), "10.00"),
        ],
        "farther",
        date_invoice=FARTHER,
    ),
    invoice([line(ref("one-undated"), "20.00")], "undated", date_invoice=None, date_created=None),
]
ACCOUNT = Account([*(body for body, _, _ in CASES), *MORE], [*(sold for _, sold, _ in CASES), *FURTHER])


def test_fires_on_exactly_these():
    expected = {body["nrbGuid"]: risk for body, _, risk in CASES if risk != SILENT}
    more = {"marked-only": "100.00", "late-from-the-start": "30.00", "one-undated": "30.00"}
    assert ACCOUNT.risks(RULE) == {**expected, **more}


@pytest.mark.parametrize(
    ("guid", "reason", "jnid"),
    [
        ("day-46", "invoiced 46 days after the cost", "day-46"),
        ("month-before", "invoiced in a month before the cost's", "month-before"),
        ("marked-only", "invoiced 50 days after the cost", "labor"),
        ("late-from-the-start", "invoiced 50 days after the cost", "far"),
        ("one-undated", "invoiced 120 days after the cost", "farther"),
    ],
)
def test_reason_and_evidence(guid, reason, jnid):
    hit = ACCOUNT.findings(RULE)[guid]
    assert (hit["reason"], hit["evidence"]["jnid"], hit["key"]) == (reason, jnid, {})


def test_days():
    assert "day-45" in ACCOUNT.findings(RULE, days=44)
    assert "day-46" not in ACCOUNT.findings(RULE, days=46)


# A cost whose line is on a draft is not looked for on the invoice that its mark names.
DRAFTED = Account(
    [referenced("n1", nrbInvoiceDate=ms(COST), nrbBilledInName="INV-far")],
    [invoice([line("Labor")], "far", date_invoice=FAR), invoice([line(ref("n1"))], "draft", status_name="Draft")],
)


def test_the_mark_counts_only_where_no_line_carries_the_cost():
    assert DRAFTED.risks(RULE) == {}
