"""invoice-overdue: past its due date and not paid; and how late."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.world import AS_OF, SILENT, Account, firing, invoice, line, seconds

RULE = "invoice-overdue"


def sold(jnid, days_late, due="862.50", **changes):
    due_day = None if days_late is None else seconds(AS_OF - timedelta(days=days_late))
    return invoice([line("Labor", "1000.00")], jnid, date_due=due_day, due=due, **changes)


LATE = [1, 30, 31, 61, 91, 180, 181]
CASES = [
    *[(sold(f"day-{days}", days), "862.50") for days in LATE],
    (sold("due-today", 0), SILENT),
    (sold("due-tomorrow", -1), SILENT),
    (sold("paid", 5, "0.00"), SILENT),
    (sold("a-cent", 5, "0.01"), "0.01"),
    (sold("credit", 5, "-5.00"), SILENT),
    (sold("void", 5, is_active=False), SILENT),
    (sold("draft", 5, status_name="Draft"), SILENT),
    # NULL, field by field
    (sold("no-due-date", None), SILENT),
    (sold("no-due", 5, None, total_paid="400.00"), "600.00"),
    (sold("no-due-no-paid", 5, None, total_paid=None), "1000.00"),
    (sold("no-due-no-total", 5, None, total=None), SILENT),
    (sold("no-status", 5, status_name=None), "862.50"),
]
ACCOUNT = Account([], [body for body, _ in CASES])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


@pytest.mark.parametrize(
    ("days", "bucket"),
    [(1, "0-30"), (30, "0-30"), (31, "31-60"), (61, "61-90"), (91, "91-180"), (180, "91-180"), (181, "over 180")],
)
def test_how_late(days, bucket):
    hit = ACCOUNT.findings(RULE)[f"day-{days}"]
    assert (hit["evidence"]["days_late"], hit["evidence"]["late_bucket"]) == (days, bucket)
    assert (hit["reason"], hit["key"]) == (f"due for {days} days", {})


def test_days():
    kept = ACCOUNT.findings(RULE, days=30)
    assert {f"day-{days}" for days in LATE} & set(kept) == {"day-31", "day-61", "day-91", "day-180", "day-181"}


def test_as_of():
    assert "due-today" in ACCOUNT.findings(RULE, as_of=AS_OF + timedelta(days=1))


def test_tolerance():
    assert "a-cent" not in ACCOUNT.findings(RULE, tolerance=Decimal("0.01"))
    assert "no-due" in ACCOUNT.findings(RULE, tolerance=Decimal("599.99"))
    assert "no-due" not in ACCOUNT.findings(RULE, tolerance=Decimal("600.00"))
