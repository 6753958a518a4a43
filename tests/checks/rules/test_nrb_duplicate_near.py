"""nrb-duplicate-near: almost the same number of one vendor, or the same number of another."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.world import COST_DAY, SILENT, amounts, asked_again, audited, findings, firing, ms, nrb

RULE = "nrb-duplicate-near"


def bought(guid, number, total, vendor="BIT", days=0, **changes):
    day = ms(COST_DAY + timedelta(days=days))
    return nrb(guid, total, **{"nrbInvoiceNumber": number, "nrbVendorCode": vendor, "nrbInvoiceDate": day, **changes})


CASES = [
    (bought("zeros-a", "AP-0071", "1.00"), "1.00"),
    (bought("zeros-b", "ap 71", "1.00", " bit "), "1.00"),
    (bought("edit-a", "INV-4711", "2.00"), "2.00"),
    (bought("edit-b", "INV-4712", "2.00"), "2.00"),
    (bought("longer-a", "INV-4711", "3.00"), "3.00"),
    (bought("longer-b", "INV-47111", "3.00"), "3.00"),
    (bought("swap-a", "INV-4771", "18.00"), "18.00"),
    (bought("swap-b", "INV-7471", "18.00"), "18.00"),
    (bought("swap-short-a", "AB-12", "19.00"), SILENT),
    (bought("swap-short-b", "AB-21", "19.00"), SILENT),
    # neighbours of neighbours, and a swap beside another edit
    (bought("far-swap-a", "INV-4567", "20.00"), SILENT),
    (bought("far-swap-b", "INV-6547", "20.00"), SILENT),
    (bought("swap-and-edit-a", "INV-4567", "21.00"), SILENT),
    (bought("swap-and-edit-b", "INV-5468", "21.00"), SILENT),
    (bought("credit-a", "INV-4711", "-22.00"), "-22.00"),
    (bought("credit-b", "INV-4712", "-22.00"), "-22.00"),
    (bought("two-edits-a", "INV-4711", "4.00"), SILENT),
    (bought("two-edits-b", "INV-4722", "4.00"), SILENT),
    # one edit apart, but 5 letters and digits on one side
    (bought("short-a", "AB-471", "5.00"), SILENT),
    (bought("short-b", "AB-4711", "5.00"), SILENT),
    (bought("six-a", "AB-4711", "6.00"), "6.00"),
    (bought("six-b", "AB-4712", "6.00"), "6.00"),
    # equal numbers are nrb-duplicate
    (bought("equal-a", "INV-4711", "7.00"), SILENT),
    (bought("equal-b", "inv4711", "7.00"), SILENT),
    (bought("other-amount-a", "INV-4711", "8.00"), SILENT),
    (bought("other-amount-b", "INV-4712", "8.01"), SILENT),
    # the boundary of $days = 20
    (bought("day-0", "INV-4711", "9.00"), "9.00"),
    (bought("day-20", "INV-4712", "9.00", days=20), "9.00"),
    (bought("day-21-a", "INV-4711", "10.00"), SILENT),
    (bought("day-21-b", "INV-4712", "10.00", days=21), SILENT),
    # another vendor: number, date and amount
    (bought("vendor-a", "47", "11.00"), "11.00"),
    (bought("vendor-b", "47", "11.00", "OTHER"), "11.00"),
    (bought("vendor-other-day-a", "47", "12.00"), SILENT),
    (bought("vendor-other-day-b", "47", "12.00", "OTHER", days=1), SILENT),
    # items of one receipt
    (bought("parent", "X-1", "26.00", nrbDocumentType="RECEIPT_AP_INVOICE"), SILENT),
    (bought("sibling-a", "INV-4711", "13.00", nrbParentGuid="parent"), SILENT),
    (bought("sibling-b", "INV-4712", "13.00", nrbParentGuid="parent"), SILENT),
    # NULL, field by field
    (bought("no-vendor-a", "INV-4711", "14.00", None), SILENT),
    (bought("no-vendor-b", "INV-4712", "14.00", None), SILENT),
    (bought("no-number-a", None, "15.00"), SILENT),
    (bought("no-number-b", "INV-4712", "15.00"), SILENT),
    (bought("no-total-a", "INV-4711", None), SILENT),
    (bought("no-total-b", "INV-4712", None), SILENT),
    (bought("no-date-a", "INV-4711", "16.00", nrbInvoiceDate=None, nrbCreatedAt=None), SILENT),
    (bought("no-date-b", "INV-4712", "16.00"), SILENT),
]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    with audited(tmp_path_factory.mktemp(RULE), [body for body, _ in CASES]) as snapshot:
        yield snapshot


def test_it_fires_on_these_alone(snapshot):
    assert amounts(findings(snapshot, RULE)) == firing(CASES)


def test_it_names_the_other_and_how_they_are_alike(snapshot):
    found = findings(snapshot, RULE)
    assert found["edit-a"]["evidence"]["others"] == "edit-b"
    assert found["edit-a"]["reason"] == "the same amount stands under an almost equal number of the same vendor"
    assert found["vendor-b"]["evidence"]["others"] == "vendor-a"
    assert found["vendor-b"]["reason"] == "the same number, date and amount stand under another vendor"
    assert found["day-20"]["evidence"]["accounting_date"] == str(date(2026, 9, 30))


def test_days(snapshot):
    pair = {"day-21-a", "day-21-b"}
    assert pair <= set(asked_again(snapshot, RULE, days=21))
    assert not pair & set(asked_again(snapshot, RULE, days=20))


def test_min_amount_is_the_least_absolute_amount(snapshot):
    at_22, above = (
        asked_again(snapshot, RULE, min_amount=Decimal("22.00")),
        asked_again(snapshot, RULE, min_amount=Decimal("22.01")),
    )
    assert at_22 == {"credit-a": "-22.00", "credit-b": "-22.00"}
    assert above == {}
