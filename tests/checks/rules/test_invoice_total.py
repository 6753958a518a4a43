"""invoice-total: the total against subtotal and tax."""

from decimal import Decimal

import pytest

from tests.world import SILENT, Account, firing, invoice, line

RULE = "invoice-total"
LINES = [line("Labor", "100.00")]
CASES = [
    (invoice(LINES, "more", total="862.50"), "762.50"),
    (invoice(LINES, "tax-left-out", tax="5.00", total="100.00"), "5.00"),
    (invoice(LINES, "equal", tax="5.00", total="105.00"), SILENT),
    (invoice([line("Credit", "-100.00")], "credit", tax="-5.00", total="-105.00"), SILENT),
    (invoice(LINES, "void", total="90.00", is_active=False), SILENT),
    (invoice(LINES, "void-without-total", total=None, is_active=False), SILENT),
    (invoice(LINES, "draft", total="90.00", status_name="draft"), SILENT),
    # NULL, field by field
    (invoice(LINES, "no-total", tax="5.00", total=None), "105.00"),
    (invoice(LINES, "no-tax", tax=None, total="100.00"), SILENT),
    (invoice(LINES, "no-tax-but-charged", tax=None, total="105.00"), "5.00"),
    (invoice(LINES, "no-subtotal", subtotal=None, total="100.00"), SILENT),
    (invoice(LINES, "no-subtotal-and-wrong", subtotal=None, total="101.00"), "1.00"),
    (invoice(LINES, "nothing-at-all", subtotal=None, tax=None, total=None), "100.00"),
    (invoice(LINES, "no-status", total="90.00", status_name=None), "10.00"),
    (invoice(LINES, "a-cent", total="100.01"), "0.01"),
]
ACCOUNT = Account([], [body for body, _ in CASES])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


@pytest.mark.parametrize(
    ("jnid", "reason"), [("tax-left-out", "subtotal and tax are 105.00"), ("no-total", "no total")]
)
def test_reason(jnid, reason):
    assert ACCOUNT.findings(RULE)[jnid]["reason"] == reason


def test_evidence_holds_every_part():
    hit = ACCOUNT.findings(RULE)["tax-left-out"]
    assert hit["evidence"] == {
        "number": "INV-tax-left-out",
        "subtotal": "100.00",
        "tax": "5.00",
        "total": "100.00",
        "difference": "-5.00",
    }
    assert hit["key"] == {"difference": -1}


def test_tolerance():
    assert "a-cent" not in ACCOUNT.findings(RULE, tolerance=Decimal("0.01"))
    kept = ACCOUNT.findings(RULE, tolerance=Decimal("10.00"))
    assert "no-status" not in kept and {"no-total", "more"} <= set(kept)
    assert "no-status" in ACCOUNT.findings(RULE, tolerance=Decimal("9.99"))
