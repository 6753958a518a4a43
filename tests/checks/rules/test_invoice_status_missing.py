"""invoice-status-missing: counted as issued because nothing shows that it is not."""

import pytest

from tests.world import SILENT, Account, firing, invoice

RULE = "invoice-status-missing"
CASES = [
    (invoice(jnid="whole"), SILENT),
    (invoice(jnid="no-flag", is_active=None), "100.00"),
    (invoice(jnid="no-name", status_name=None), "100.00"),
    (invoice(jnid="empty-name", status_name=" "), "100.00"),
    (invoice(jnid="neither", is_active=None, status_name=None), "100.00"),
    (invoice(jnid="draft-without-flag", is_active=None, status_name="Draft"), "100.00"),
    (invoice(jnid="void-without-name", is_active=False, status_name=None), SILENT),
    (invoice(jnid="void-by-status-without-flag", is_active=None, status_name="Void"), SILENT),
    (invoice(jnid="no-total", is_active=None, total=None), None),
]
ACCOUNT = Account([], [body for body, _ in CASES])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


@pytest.mark.parametrize(
    ("jnid", "reason"),
    [
        ("no-flag", "no is_active, counted as issued"),
        ("no-name", "no status name, counted as issued"),
        ("neither", "neither is_active nor a status name, counted as issued"),
        ("draft-without-flag", "no is_active, counted as draft"),
    ],
)
def test_reason(jnid, reason):
    hit = ACCOUNT.findings(RULE)[jnid]
    assert (hit["reason"], hit["key"]) == (reason, {})
