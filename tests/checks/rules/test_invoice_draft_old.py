"""invoice-draft-old: a draft that was never sent, by what it charges beside costs."""

from datetime import timedelta
from decimal import Decimal

from tests.world import AS_OF, SILENT, Account, firing, invoice, line, ref, referenced, seconds

RULE = "invoice-draft-old"


def draft(jnid, days, *lines, **changes):
    """A draft of so many days ago, of labor unless lines are given."""
    date = None if days is None else seconds(AS_OF - timedelta(days))
    dates = {"date_invoice": date, "date_created": None}
    return invoice([*lines] or [line("Labor", "500.00")], jnid, **{"status_name": "Draft", **dates, **changes})


CASES = [
    (draft("day-30", 30), SILENT),
    (draft("day-31", 31), "500.00"),
    (draft("with-cost", 60, line("Labor", "500.00"), line(ref("n1"))), "500.00"),
    (draft("cost-alone", 60, line(ref("n2"))), SILENT),
    (draft("tax", 60, line(ref("n3")), tax="5.00"), "5.00"),
    (draft("sent", 60, status_name="Sent"), SILENT),
    (draft("void", 60, is_active=False), SILENT),
    (draft("empty", 60, line("Gift", "0.00")), SILENT),
    # NULL
    (draft("created", None, date_created=seconds(AS_OF - timedelta(31))), "500.00"),
    (draft("undated", None), "500.00"),
    (draft("no-total", 60, total=None), SILENT),
]
ACCOUNT = Account([referenced(guid) for guid in ("n1", "n2", "n3")], [body for body, _ in CASES])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


def test_reason_and_evidence():
    found = ACCOUNT.findings(RULE)
    assert (found["day-31"]["reason"], found["day-31"]["severity"]) == ("a draft for 31 days", "high")
    assert found["undated"]["reason"] == "a draft without a date"
    assert found["with-cost"]["evidence"]["total"] == "600.00"
    assert found["with-cost"]["key"] == {}


def test_days_tolerance_and_as_of():
    assert "day-30" in ACCOUNT.findings(RULE, days=29)
    assert "day-30" in ACCOUNT.findings(RULE, as_of=AS_OF + timedelta(1))
    assert "tax" not in ACCOUNT.findings(RULE, tolerance=Decimal("5.00"))
