"""nrb-late-cost: entered weeks after the vendor's invoice."""

from datetime import timedelta

from tests.world import COST_DAY, SILENT, Account, firing, ms, nrb

RULE = "nrb-late-cost"


def entered(guid, days, total="100.00", **changes):
    return nrb(guid, total, **{"nrbCreatedAt": ms(COST_DAY + timedelta(days=days)), **changes})


CASES = [
    (entered("same-day", 0), SILENT),
    (entered("before", -40), SILENT),
    # the boundaries of $days = 30 and $most_days = 90
    (entered("day-30", 30), SILENT),
    (entered("day-31", 31), "100.00"),
    (entered("day-90", 90), "100.00"),
    (entered("day-91", 91), SILENT),  # nrb-date-odd
    (entered("internal", 40, isInternal=True), "100.00"),
    (entered("parent", 40, nrbDocumentType="RECEIPT_AP_INVOICE"), SILENT),
    (entered("child", 0, nrbParentGuid="parent"), SILENT),
    # NULL
    (entered("no-invoice-date", 40, nrbInvoiceDate=None), SILENT),
    (entered("no-creation", 40, nrbCreatedAt=None), SILENT),
    (entered("no-total", 40, None), None),
]
ACCOUNT = Account([body for body, _ in CASES])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


def test_reason_and_evidence():
    hit = ACCOUNT.findings(RULE)["day-31"]
    assert (hit["reason"], hit["severity"], hit["key"]) == ("entered 31 days after the vendor's invoice", "low", {})
    assert hit["evidence"] == {
        "vendor_code": "BIT",
        "vendor_invoice_date": "2026-09-10",
        "created_on": "2026-10-11",
        "days_late": 31,
    }


def test_days():
    assert "day-30" in ACCOUNT.findings(RULE, days=29)
    assert "day-31" not in ACCOUNT.findings(RULE, days=31)


def test_most_days():
    assert "day-91" in ACCOUNT.findings(RULE, most_days=91)
    assert "day-90" not in ACCOUNT.findings(RULE, most_days=89)


def test_what_is_later_is_a_doubtful_date():
    assert set(ACCOUNT.findings("nrb-date-odd")) == {"day-91"}
