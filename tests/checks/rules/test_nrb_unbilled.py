"""nrb-unbilled: billable, on no invoice; and how old it is."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.world import AS_OF, SILENT, amounts, asked_again, audited, findings, firing, invoice, line, ms, nrb, unbilled

RULE = "nrb-unbilled"
LINES = ["R1-marked-and-linked", "R1-linked-without-mark"]


def aged(days, guid):
    day = AS_OF - timedelta(days=days)
    return unbilled(guid, nrbInvoiceDate=ms(day)), "100.00"


CASES = [
    (unbilled("never-billed", "862.50"), "862.50"),
    (unbilled("credit", "-5.00"), "-5.00"),
    (unbilled("empty-mark", nrbBilledInName="", nrbBilledInGuid=" "), "100.00"),
    (nrb("marked-and-linked"), SILENT),
    (unbilled("linked-without-mark"), SILENT),
    (nrb("marked-guid-only", nrbBilledInGuid="GUID-unknown", nrbBilledInName=None), SILENT),
    (nrb("marked-name-only", nrbBilledInName="unknown"), SILENT),
    (unbilled("names-its-invoice", nrbExternalId="EXT-i1"), SILENT),
    (unbilled("internal", isInternal=True), SILENT),
    (unbilled("not-billable", nrbIsBillable=False, nrbAccountType="Not Billable"), SILENT),
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


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    invoices = [invoice([line(text, "7.77") for text in LINES], external_id="EXT-i1")]
    with audited(tmp_path_factory.mktemp(RULE), [body for body, _ in CASES] + FAMILY, invoices) as snapshot:
        yield snapshot


@pytest.fixture(scope="module")
def found(snapshot):
    return findings(snapshot, RULE)


def test_it_fires_on_these_alone(found):
    assert amounts(found) == firing(CASES)


def test_it_says_why_and_of_what_job(found):
    hit = found["never-billed"]
    assert hit["reason"] == "billable, and on no invoice"
    assert (hit["job_number"], hit["severity"], hit["evidence"]["vendor_code"]) == ("JOB-1001", "high", "BIT")
    assert found["no-job"]["job_number"] is None


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
def test_age(found, guid, days, bucket):
    evidence = found[guid]["evidence"]
    assert (evidence["age_days"], evidence["age_bucket"]) == (days, bucket)


def test_the_age_is_counted_in_the_accounts_days(found):
    evidence = found["late-in-the-evening"]["evidence"]
    assert (evidence["accounting_date"], evidence["age_days"]) == ("2026-09-10", 20)


def test_min_amount(snapshot):
    kept = {guid: risk for guid, risk in firing(CASES).items() if risk in (None, "862.50", "100.01", "-100.01")}
    assert {"no-total", "never-billed", "above", "credit-above"} == set(kept)
    assert asked_again(snapshot, RULE, min_amount=Decimal(100)) == kept
