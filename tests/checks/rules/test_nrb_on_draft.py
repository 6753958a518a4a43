"""nrb-on-draft: cost that is left on a draft invoice, too long after the draft's date."""

from datetime import timedelta

import pytest

from tests.world import AS_OF, SILENT, Account, firing, invoice, line, nrb, ref, referenced, seconds

RULE = "nrb-on-draft"


def draft(jnid, days, *guids, **changes):
    """A draft of so many days ago that names NRBs."""
    date = None if days is None else seconds(AS_OF - timedelta(days))
    lines = [line(ref(guid)) for guid in guids] or [line("Labor", "5.00")]
    return invoice(lines, jnid, **{"status_name": "Draft", "date_invoice": date, "date_created": None, **changes})


CASES = [
    (referenced("day-15"), SILENT),
    (referenced("day-16"), "100.00"),
    (referenced("day-60", "100.00"), "100.00"),
    (referenced("issued"), SILENT),
    (referenced("internal", isInternal=True), SILENT),
    (referenced("not-billable", nrbIsBillable=False), SILENT),
    (nrb("marked", nrbBilledInName="INV-marked"), "100.00"),
    # NULL
    (referenced("created"), "100.00"),
    (referenced("undated"), "100.00"),
    (referenced("no-total", None), None),
]
INVOICES = [
    *(draft(name, int(name[4:]), name) for name in ("day-15", "day-16", "day-60")),
    draft("issued", 60, "issued", status_name="Sent"),
    draft("not-charged", 60, "internal", "not-billable"),
    draft("marked", 60),
    draft("created", None, "created", date_created=seconds(AS_OF - timedelta(16))),
    draft("undated", None, "undated"),
    draft("no-total", 60, "no-total"),
]
ACCOUNT = Account([body for body, _ in CASES], INVOICES)


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


@pytest.mark.parametrize(
    ("guid", "reason", "jnid"),
    [
        ("day-16", "on draft INV-day-16 for 16 days", "day-16"),
        ("marked", "on draft INV-marked for 60 days", "marked"),
        ("undated", "on draft INV-undated without a date", "undated"),
    ],
)
def test_reason_and_key(guid, reason, jnid):
    hit = ACCOUNT.findings(RULE)[guid]
    assert (hit["reason"], hit["severity"], hit["key"]) == (reason, "medium", {"jnid": jnid})


def test_days_and_as_of():
    assert "day-15" in ACCOUNT.findings(RULE, days=14)
    assert "day-15" in ACCOUNT.findings(RULE, as_of=AS_OF + timedelta(1))
    assert "day-16" not in ACCOUNT.findings(RULE, days=16)
