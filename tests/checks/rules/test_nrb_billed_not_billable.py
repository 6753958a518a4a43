"""nrb-billed-not-billable: charged or marked as billed, yet internal or not billable."""

from decimal import Decimal

import pytest

from tests.world import SILENT, Account, firing, invoice, line, nrb, ref, referenced, unbilled

RULE = "nrb-billed-not-billable"
OURS = {"nrbIsBillable": False, "nrbAccountType": "Not Billable"}
CASES = [
    (nrb("marked", "862.50", **OURS), "862.50"),
    (nrb("internal", isInternal=True), "100.00"),
    (referenced("on-a-line", **OURS), "7.00"),  # what the line charges
    (referenced("credited-back", **OURS), SILENT),
    (referenced("on-a-draft", **OURS), SILENT),
    (referenced("on-void", **OURS), SILENT),
    (unbilled("neither", **OURS), SILENT),
    (nrb("billable"), SILENT),
    # a mark on nothing charges nothing
    (nrb("nothing", "0.00", **OURS), SILENT),
    (referenced("nothing-but-charged", "0.00", **OURS), "3.00"),
    # NULL, field by field
    (nrb("no-total", None, **OURS), None),
    (nrb("no-flag", nrbIsBillable=None, nrbAccountType="Not Billable"), "100.00"),
    (nrb("no-flag-no-type", nrbIsBillable=None, nrbAccountType=None), SILENT),
    (nrb("no-internal", isInternal=None), SILENT),
]
INVOICES = [
    invoice(
        [
            line(ref("on-a-line"), "7.00"),
            line(ref("credited-back"), "8.00"),
            line(ref("credited-back"), "-8.00"),
            line(ref("nothing-but-charged"), "3.00"),
        ]
    ),
    invoice([line(ref("on-a-draft"), "9.00")], "draft", status_name="Draft"),
    invoice([line(ref("on-void"), "10.00")], "void", is_active=False),
]
ACCOUNT = Account([body for body, _ in CASES], INVOICES)


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


@pytest.mark.parametrize(
    ("guid", "reason"),
    [
        ("marked", "marked as billed, but not billable"),
        ("internal", "marked as billed, but internal"),
        ("on-a-line", "on an invoice line, but not billable"),
    ],
)
def test_reason(guid, reason):
    hit = ACCOUNT.findings(RULE)[guid]
    assert (hit["reason"], hit["key"]) == (reason, {"reason": reason})


def test_tolerance():
    assert "on-a-line" in ACCOUNT.findings(RULE, tolerance=Decimal("6.99"))
    assert "on-a-line" not in ACCOUNT.findings(RULE, tolerance=Decimal("7.00"))
    assert {"marked", "internal"} <= set(ACCOUNT.findings(RULE, tolerance=Decimal("1000.00")))
