"""invoice-edited-after-close: updated long after its status became Closed."""

from datetime import timedelta

from tests.world import COST_DAY, SILENT, Account, firing, invoice, seconds

RULE = "invoice-edited-after-close"


def sold(jnid, days, name="Closed", **changes):
    updated = {"date_status_change": seconds(COST_DAY), "date_updated": seconds(COST_DAY + timedelta(days=days))}
    return invoice(jnid=jnid, status_name=name, **{**updated, **changes})


CASES = [
    (sold("same-day", 0), SILENT),
    (sold("day-7", 7), SILENT),
    (sold("day-8", 8), "100.00"),
    (sold("in-other-case", 8, " CLOSED "), "100.00"),
    (sold("sent", 30, "Sent"), SILENT),
    (sold("paid", 30, "Paid"), SILENT),
    (sold("void", 30, is_active=False), SILENT),
    # NULL, field by field
    (sold("no-status-name", 30, None, status=4), "100.00"),
    (sold("no-status-name-not-4", 30, None, status=2), SILENT),
    (sold("code-4-by-another-name", 30, "Sent", status=4), SILENT),
    (sold("no-change-of-status", 30, date_status_change=None), SILENT),
    (sold("unset-change-of-status", 30, date_status_change=0), SILENT),
    (sold("no-update", 30, date_updated=None), SILENT),
    (sold("no-total", 30, total=None), None),
]
ACCOUNT = Account([], [body for body, _ in CASES])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


def test_reason_and_evidence():
    hit = ACCOUNT.findings(RULE)["day-8"]
    assert hit["reason"] == "changed 8 days after it was closed"
    assert (hit["evidence"]["closed_on"], hit["evidence"]["updated_on"]) == ("2026-09-10", "2026-09-18")
    assert hit["key"] == {}


def test_days():
    assert "day-7" in ACCOUNT.findings(RULE, days=6)
    assert "day-8" not in ACCOUNT.findings(RULE, days=8)
