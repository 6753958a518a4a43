"""nrb-split: purchases below an approval limit that exceed it together."""

from datetime import timedelta
from decimal import Decimal

from tests.world import COST_DAY, SILENT, Account, firing, ms, unbilled

RULE = "nrb-split"
LIMIT = Decimal("1000.00")
VALUES = [{}, {"limit": LIMIT}]


def bought(guid, total, days=0, vendor="BIT", **changes):
    day = None if days is None else ms(COST_DAY + timedelta(days=days))
    return unbilled(guid, total, nrbVendorCode=vendor, **{"nrbInvoiceDate": day, **changes})


CASES = [
    (bought("two-a", "600.00", vendor="TWO"), SILENT),
    (bought("two-b", "400.01", 1, vendor="TWO"), SILENT),  # below half of the limit
    (bought("half-a", "500.00", vendor="HALF"), SILENT),
    (bought("half-b", "500.00", 1, vendor=" half"), "1000.00"),
    (bought("under-a", "499.99", vendor="UNDER"), SILENT),
    (bought("under-b", "999.99", 1, vendor="UNDER"), SILENT),
    (bought("at-limit-a", "1000.00", vendor="LIMIT"), SILENT),
    (bought("at-limit-b", "600.00", 1, vendor="LIMIT"), SILENT),
    # of three the last one is found
    (bought("three-a", "600.00", vendor="THREE"), SILENT),
    (bought("three-b", "600.00", vendor="THREE"), SILENT),
    (bought("three-c", "600.00", 2, vendor="THREE"), "1800.00"),
    # the boundary of $days = 3, and a row of purchases that goes on: each last one, with those before it
    (bought("day-0", "600.00", vendor="DAYS"), SILENT),
    (bought("day-3", "700.00", 3, vendor="DAYS"), "1300.00"),
    (bought("far-0", "600.00", vendor="FAR"), SILENT),
    (bought("far-4", "600.00", 4, vendor="FAR"), SILENT),
    (bought("on-0", "600.00", vendor="ON"), SILENT),
    (bought("on-2", "600.00", 2, vendor="ON"), SILENT),
    (bought("on-4", "600.00", 4, vendor="ON"), "1200.00"),
    (bought("vendor-a", "600.00", vendor="ONE"), SILENT),
    (bought("vendor-b", "600.00", vendor="OTHER"), SILENT),
    (bought("job-a", "600.00", vendor="JOBS"), SILENT),
    (bought("job-b", "600.00", vendor="JOBS", nrbJobOrderNumber="JOB-2"), SILENT),
    # items of one receipt and of one vendor invoice are one purchase
    (bought("parent", "1200.00", vendor="ITEMS", nrbDocumentType="RECEIPT_AP_INVOICE"), SILENT),
    (bought("item-a", "600.00", vendor="ITEMS", nrbParentGuid="parent"), SILENT),
    (bought("item-b", "600.00", vendor="ITEMS", nrbParentGuid="parent"), SILENT),
    (bought("bill-a", "600.00", vendor="BILL", nrbInvoiceNumber="AP-1"), SILENT),
    (bought("bill-b", "600.00", vendor="BILL", nrbInvoiceNumber="ap1"), SILENT),
    (bought("credit-a", "-600.00", vendor="CREDIT"), SILENT),
    (bought("credit-b", "-600.00", vendor="CREDIT"), SILENT),
    # NULL, field by field
    (bought("no-vendor-a", "600.00", vendor=None), SILENT),
    (bought("no-vendor-b", "600.00", vendor=None), SILENT),
    (bought("no-total-a", None, vendor="NIL-1"), SILENT),
    (bought("no-total-b", "600.00", vendor="NIL-1"), SILENT),
    (bought("no-date-a", "600.00", None, vendor="NIL-2", nrbCreatedAt=None), SILENT),
    (bought("no-date-b", "600.00", vendor="NIL-2"), SILENT),
    (bought("no-number-a", "600.00", vendor="NIL-3", nrbInvoiceNumber=None), SILENT),
    (bought("no-number-b", "600.00", vendor="NIL-3", nrbInvoiceNumber="CASH"), "1200.00"),
    (bought("no-job-a", "600.00", vendor="NIL-4", nrbJobOrderNumber=None), SILENT),
    (bought("no-job-b", "600.00", vendor="NIL-4", nrbJobOrderNumber=None), "1200.00"),
]
ACCOUNT = Account([body for body, _ in CASES])


def test_is_off_without_a_limit():
    assert ACCOUNT.risks(RULE) == {}


def test_fires_on_exactly_the_last_of_each():
    assert ACCOUNT.risks(RULE, limit=LIMIT) == firing(CASES)


def test_reason_and_key():
    hit = ACCOUNT.findings(RULE, limit=LIMIT)["three-c"]
    assert hit["reason"] == "3 purchases below the limit make 1800.00 within days"
    assert (hit["severity"], hit["evidence"]["members"], hit["key"]) == ("low", 3, {"members": 3})


def test_limit():
    assert "half-b" not in ACCOUNT.findings(RULE, limit=Decimal("1000.01"))
    assert "half-b" in ACCOUNT.findings(RULE, limit=Decimal("500.01"))
    assert "half-b" not in ACCOUNT.findings(RULE, limit=Decimal("500.00"))


def test_days():
    assert "day-3" not in ACCOUNT.findings(RULE, limit=LIMIT, days=2)
    assert "far-4" in ACCOUNT.findings(RULE, limit=LIMIT, days=4)
