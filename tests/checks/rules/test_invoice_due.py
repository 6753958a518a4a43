"""invoice-due: the balance due against total less payments; and overpaid invoices."""

from decimal import Decimal

import pytest

from tests.world import SILENT, Account, firing, invoice, line

RULE = "invoice-due"


def paid(jnid, total, total_paid, due, **changes):
    return invoice([line("Labor", total)], jnid, total=total, total_paid=total_paid, due=due, **changes)


CASES = [
    (paid("due-too-high", "862.50", "100.00", "862.50"), "100.00"),
    (paid("due-too-low", "862.50", "100.00", "0.00"), "762.50"),
    (paid("open", "862.50", "100.00", "762.50"), SILENT),
    (paid("paid", "862.50", "862.50", "0.00"), SILENT),
    (paid("overpaid", "100.00", "150.00", "-50.00"), "50.00"),
    (paid("overpaid-and-cut", "100.00", "150.00", "0.00"), "50.00"),
    (paid("overpaid-by-a-cent", "100.00", "100.01", "-0.01"), "0.01"),
    (paid("credit", "-100.00", "0.00", "-100.00"), SILENT),
    (paid("void", "100.00", "0.00", "50.00", is_active=False), SILENT),
    (paid("draft", "100.00", "0.00", "50.00", status_name="Draft"), SILENT),
    # NULL, field by field
    (paid("no-due", "100.00", "0.00", None), SILENT),
    (paid("no-due-and-overpaid", "100.00", "150.00", None), "50.00"),
    (paid("no-paid", "100.00", None, "100.00"), SILENT),
    (paid("no-paid-and-wrong", "100.00", None, "90.00"), "10.00"),
    (paid("no-status", "100.00", "0.00", "90.00", status_name=None), "10.00"),
    (paid("a-cent", "100.00", "0.00", "100.01"), "0.01"),
    (paid("no-total", None, "0.00", "0.00"), SILENT),
    (paid("no-total-but-paid", None, "50.00", "0.00"), SILENT),
]
ACCOUNT = Account([], [body for body, _ in CASES])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


@pytest.mark.parametrize(
    ("jnid", "reason"),
    [
        ("due-too-high", "total less paid is 762.50"),
        ("overpaid", "overpaid"),
        ("overpaid-and-cut", "total less paid is -50.00"),
    ],
)
def test_reason(jnid, reason):
    assert ACCOUNT.findings(RULE)[jnid]["reason"] == reason


def test_tolerance():
    at_a_cent = ACCOUNT.findings(RULE, tolerance=Decimal("0.01"))
    assert set(firing(CASES)) - set(at_a_cent) == {"a-cent", "overpaid-by-a-cent"}
    assert "no-status" in ACCOUNT.findings(RULE, tolerance=Decimal("9.99"))
    assert "no-status" not in ACCOUNT.findings(RULE, tolerance=Decimal("10.00"))
