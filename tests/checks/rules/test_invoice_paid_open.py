"""invoice-paid-open: the payment status contradicts the balance."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.world import COST_DAY, SILENT, Account, firing, invoice, line, seconds

RULE = "invoice-paid-open"
PAID_ON = seconds(COST_DAY + timedelta(days=3))
BEFORE = seconds(COST_DAY - timedelta(days=30))


def sold(jnid, status, total_paid, due, paid_on=None, **changes):
    figures = {"total_paid": total_paid, "due": due, "date_paid_in_full": paid_on}
    return invoice([line("Labor", "100.00")], jnid, status_name=status, **figures, **changes)


CASES = [
    (sold("closed-and-due", "Closed", "60.00", "40.00"), "40.00"),
    (sold("paid-and-due", " paid ", "99.99", "0.01"), "0.01"),
    (sold("overpaid", "Closed", "150.00", "-50.00", PAID_ON), "50.00"),
    (sold("open", "Sent", "60.00", "40.00"), SILENT),
    (sold("settled", "Closed", "100.00", "0.00", PAID_ON), SILENT),
    (sold("settled-without-status", None, "100.00", "0.00", PAID_ON), SILENT),
    (sold("no-date-of-payment", "Sent", "100.00", "0.00"), "100.00"),
    (sold("unset-date-of-payment", "Paid", "100.00", "0.00", 0), "100.00"),
    (sold("free", "Closed", "0.00", "0.00"), SILENT),
    # a deposit is paid before it is invoiced
    (sold("deposit-paid-before", "Paid", "100.00", "0.00", BEFORE), SILENT),
    (sold("deposit-paid-before-and-open", "Sent", "100.00", "0.00", BEFORE), SILENT),
    (sold("void", "Closed", "0.00", "100.00", is_active=False), SILENT),
    (sold("draft", "Draft", "100.00", "0.00"), SILENT),
    # NULL, field by field
    (sold("no-due", "Closed", "0.00", None), SILENT),
    (sold("no-paid", "Closed", None, "0.00"), SILENT),
    (sold("no-invoice-date", "Paid", "100.00", "0.00", PAID_ON, date_invoice=None), SILENT),
    (sold("no-status", None, "0.00", "100.00"), SILENT),
]
ACCOUNT = Account([], [body for body, _ in CASES])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


@pytest.mark.parametrize(
    ("jnid", "reason"),
    [
        ("closed-and-due", "closed or paid, but not all is settled"),
        ("no-date-of-payment", "paid, but without a date of payment in full"),
    ],
)
def test_reason(jnid, reason):
    hit = ACCOUNT.findings(RULE)[jnid]
    assert (hit["reason"], hit["key"]) == (reason, {"reason": reason})


def test_tolerance():
    assert "paid-and-due" not in ACCOUNT.findings(RULE, tolerance=Decimal("0.01"))
    assert "closed-and-due" in ACCOUNT.findings(RULE, tolerance=Decimal("39.99"))
    assert "closed-and-due" not in ACCOUNT.findings(RULE, tolerance=Decimal("40.00"))
