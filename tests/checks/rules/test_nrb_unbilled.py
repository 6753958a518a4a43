"""nrb-unbilled: billable, and nothing shows that it was ever on an invoice; and how old it is."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.world import AS_OF, SILENT, Account, firing, invoice, line, ms, nrb, ref, referenced, unbilled

RULE = "nrb-unbilled"


def aged(days, guid):
    day = AS_OF - timedelta(days=days)
    return unbilled(guid, nrbInvoiceDate=ms(day)), "100.00"


CASES = [
    (unbilled("never-billed", "862.50"), "862.50"),
    (unbilled("credit", "-5.00"), "-5.00"),
    (unbilled("empty-mark", nrbBilledInName="", nrbBilledInGuid=" "), "100.00"),
    # whatever shows that it may have been billed, also weakly
    (referenced("on-a-line"), SILENT),
    (referenced("in-part"), SILENT),
    (referenced("on-a-draft"), SILENT),
    (referenced("on-void"), SILENT),
    (unbilled("perhaps-on-a-line", nrbOriginReference=None, nrbInvoiceNumber="47110"), SILENT),
    (unbilled("equal-amount", "733.19"), SILENT),
    (nrb("marked-guid-only", nrbBilledInGuid="GUID-unknown", nrbBilledInName=None), SILENT),
    (nrb("marked-name-only", nrbBilledInName="unknown"), SILENT),
    (nrb("marked", nrbBilledInName="INV-i1"), SILENT),
    (unbilled("names-its-invoice", nrbExternalId="EXT-100"), SILENT),
    (unbilled("internal", isInternal=True), SILENT),
    (unbilled("not-billable", nrbIsBillable=False, nrbAccountType="Not Billable"), SILENT),
    # a wrong bill and its reversal
    (unbilled("wrong", "64.00", nrbInvoiceNumber="AP-640"), SILENT),
    (unbilled("reversal", "-64.00", nrbInvoiceNumber="AP-640"), SILENT),
    # a line of its job has the same amount, too common to be taken for it
    (unbilled("look-first", "500.00"), "500.00"),
    # the vendor's number in an amount of liters, a month, a part of another number
    (unbilled("thousand", nrbOriginReference=None, nrbInvoiceNumber="1000"), "100.00"),
    # NULL, field by field
    (unbilled("no-total", None), None),
    (unbilled("no-internal", isInternal=None), "100.00"),
    (unbilled("no-billable", nrbIsBillable=None), "100.00"),
    (unbilled("no-billable-but-account", nrbIsBillable=None, nrbAccountType="Not Billable"), SILENT),
    (unbilled("neither-billable-nor-account", nrbIsBillable=None, nrbAccountType=None), "100.00"),
    (unbilled("no-job", nrbJobOrderNumber=None), "100.00"),
    (unbilled("no-vendor", nrbVendorCode=None), "100.00"),
    (unbilled("no-invoice-date", nrbInvoiceDate=None), "100.00"),
    (unbilled("no-date", nrbInvoiceDate=None, nrbCreatedAt=None), "100.00"),
    # 05:00 UTC on the 11th is the evening of the 10th in Edmonton
    (unbilled("late-in-the-evening", nrbInvoiceDate=ms(date(2026, 9, 11)) - 7 * 3_600_000), "100.00"),
    # the boundaries of $min_amount = 0 and 100
    (unbilled("above", "100.01"), "100.01"),
    (unbilled("credit-above", "-100.01"), "-100.01"),
    (unbilled("nothing", "0.00"), SILENT),
    (unbilled("a-cent", "0.01"), "0.01"),
    # the boundaries of the age
    aged(0, "today"),
    aged(30, "day-30"),
    aged(31, "day-31"),
    aged(60, "day-60"),
    aged(61, "day-61"),
    aged(90, "day-90"),
    aged(91, "day-91"),
    aged(-1, "tomorrow"),
]
# A child has the mark of its parent where it has none of its own.
FAMILY = [
    nrb("parent", nrbDocumentType="RECEIPT_AP_INVOICE"),
    unbilled("child", nrbParentGuid="parent"),
]
INVOICES = [
    invoice(
        [
            line(ref("on-a-line"), "100.00"),
            line(ref("in-part"), "20.00"),
            line("Trucking 47110", "60.00"),
            line("Pump rental", "733.19"),
            line("Crane", "500.00"),
            line("1000 L dust control", "300.00"),
        ],
        external_id="EXT-100",
    ),
    invoice([line(ref("on-a-draft"))], "draft", status_name="Draft"),
    invoice([line(ref("on-void"))], "void", is_active=False),
]
ACCOUNT = Account([body for body, _ in CASES] + FAMILY, INVOICES)


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


def test_reason_job_and_key():
    found = ACCOUNT.findings(RULE)
    hit = found["never-billed"]
    assert hit["reason"] == "billable, and on no invoice"
    assert (hit["job_number"], hit["severity"], hit["evidence"]["vendor_code"]) == ("JOB-1001", "high", "BIT")
    assert hit["key"] == {"look_first": False}
    assert found["no-job"]["job_number"] is None


def test_an_equal_line_is_to_be_looked_at_first():
    found = ACCOUNT.findings(RULE)
    assert {guid for guid, hit in found.items() if hit["evidence"]["look_first"]} == {"look-first"}
    hit = found["look-first"]
    assert hit["reason"] == "on no invoice by name; a line of its job has the same amount, so look at it first"
    assert hit["key"] == {"look_first": True}


@pytest.mark.parametrize(
    ("guid", "days", "bucket"),
    [
        ("today", 0, "0-30"),
        ("day-30", 30, "0-30"),
        ("day-31", 31, "31-60"),
        ("day-60", 60, "31-60"),
        ("day-61", 61, "61-90"),
        ("day-90", 90, "61-90"),
        ("day-91", 91, "91-180"),
        ("tomorrow", -1, "future"),
        ("no-invoice-date", 20, "0-30"),  # the day it was created
        ("no-date", None, "no date"),
    ],
)
def test_age(guid, days, bucket):
    evidence = ACCOUNT.findings(RULE)[guid]["evidence"]
    assert (evidence["age_days"], evidence["age_bucket"]) == (days, bucket)


def test_the_age_is_counted_in_the_days_of_the_account():
    evidence = ACCOUNT.findings(RULE)["late-in-the-evening"]["evidence"]
    assert (evidence["accounting_date"], evidence["age_days"]) == ("2026-09-10", 20)


def test_days_of_grace():
    kept = ACCOUNT.findings(RULE, days=31)
    assert "day-30" not in kept and {"day-31", "day-60", "no-date"} <= set(kept)
    assert "tomorrow" in ACCOUNT.findings(RULE, days=0)


def test_min_amount():
    above = {guid: risk for guid, risk in firing(CASES).items() if risk is None or abs(Decimal(risk)) > 100}
    assert {"no-total", "never-billed", "above", "credit-above", "look-first"} == set(above)
    assert ACCOUNT.risks(RULE, min_amount=Decimal(100)) == above
