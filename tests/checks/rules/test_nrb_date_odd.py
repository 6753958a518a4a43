"""nrb-date-odd: a vendor invoice date in the future, before 2005, or long before the NRB was entered."""

from datetime import date, timedelta

import pytest

from tests.world import AS_OF, COST_DAY, SILENT, Account, firing, ms, nrb

RULE = "nrb-date-odd"


def dated(guid, day, created=AS_OF):
    return nrb(guid, nrbInvoiceDate=day and ms(day), nrbCreatedAt=created and ms(created))


def entered(guid, days):
    return dated(guid, COST_DAY, COST_DAY + timedelta(days=days))


CASES = [
    (dated("today", AS_OF), SILENT),
    (dated("tomorrow", AS_OF + timedelta(days=1)), "100.00"),
    # 00:00 UTC is still 2004 in Edmonton
    (nrb("eve-of-2005", nrbInvoiceDate=1_104_537_600_000, nrbCreatedAt=None), "100.00"),
    (dated("year-1999", date(1999, 12, 31), None), "100.00"),
    (nrb("zero", nrbInvoiceDate=0, nrbCreatedAt=None), "100.00"),
    (nrb("seconds", nrbInvoiceDate=ms(COST_DAY) // 1000, nrbCreatedAt=None), "100.00"),
    (dated("year-2199", date(2199, 1, 1), None), "100.00"),
    (dated("first-day", date(2005, 1, 1), None), SILENT),
    (entered("entered-before", -5), SILENT),
    (entered("day-90", 90), SILENT),
    (entered("day-91", 91), "100.00"),
    # NULL
    (dated("no-date", None), SILENT),
    (dated("no-creation", COST_DAY, None), SILENT),
    (dated("neither", None, None), SILENT),
]
ACCOUNT = Account([body for body, _ in CASES])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


@pytest.mark.parametrize(
    ("guid", "reason"),
    [
        ("tomorrow", "in the future"),
        ("year-2199", "in the future"),
        ("eve-of-2005", "before 2005"),
        ("zero", "before 2005"),
        ("seconds", "before 2005"),
        ("day-91", "91 days before it was entered"),
    ],
)
def test_reason(guid, reason):
    hit = ACCOUNT.findings(RULE)[guid]
    assert (hit["reason"], hit["key"]) == (reason, {})


def test_days():
    assert "day-91" not in ACCOUNT.findings(RULE, days=91)
    assert {"day-90", "day-91"} <= set(ACCOUNT.findings(RULE, days=89))


def test_as_of():
    assert "tomorrow" not in ACCOUNT.findings(RULE, as_of=AS_OF + timedelta(days=1))
