"""invoice-paid-open: the state of payment contradicts the figures."""

from datetime import timedelta

import pytest

from tests.world import COST_DAY, SILENT, amounts, audited, findings, firing, invoice, line, seconds

RULE = "invoice-paid-open"
PAID_ON = seconds(COST_DAY + timedelta(days=3))


def sold(jnid, status, total_paid, due, paid_on=None, **changes):
    figures = {"total_paid": total_paid, "due": due, "date_paid_in_full": paid_on}
    return invoice([line("Labour", "100.00")], jnid, status_name=status, **figures, **changes)


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
    (sold("paid-the-day-before", "Paid", "100.00", "0.00", seconds(COST_DAY - timedelta(days=1))), "100.00"),
    # the same day, though an hour before the instant of the invoice's date
    (sold("paid-the-same-day", "Paid", "100.00", "0.00", seconds(COST_DAY) - 3_600), SILENT),
    (sold("void", "Closed", "0.00", "100.00", is_active=False), SILENT),
    (sold("draft", "Draft", "100.00", "0.00"), SILENT),
    # NULL, field by field
    (sold("no-due", "Closed", "0.00", None), SILENT),
    (sold("no-paid", "Closed", None, "0.00"), SILENT),
    (sold("no-invoice-date", "Paid", "100.00", "0.00", PAID_ON, date_invoice=None), SILENT),
    (sold("no-status", None, "0.00", "100.00"), SILENT),
]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    with audited(tmp_path_factory.mktemp(RULE), [], [body for body, _ in CASES]) as snapshot:
        return findings(snapshot, RULE)


def test_it_fires_on_these_alone(found):
    assert amounts(found) == firing(CASES)


@pytest.mark.parametrize(
    ("jnid", "reason"),
    [
        ("closed-and-due", "closed or paid, but not all is settled"),
        ("no-date-of-payment", "paid, but without a date of payment in full"),
        ("paid-the-day-before", "paid in full before it was invoiced"),
    ],
)
def test_it_says_what_contradicts(found, jnid, reason):
    assert found[jnid]["reason"] == reason
