"""invoice-status-missing: counted as issued because nothing says otherwise."""

import pytest

from tests.world import SILENT, amounts, audited, findings, firing, invoice

RULE = "invoice-status-missing"
CASES = [
    (invoice(jnid="whole"), SILENT),
    (invoice(jnid="no-flag", is_active=None), "100.00"),
    (invoice(jnid="no-name", status_name=None), "100.00"),
    (invoice(jnid="empty-name", status_name=" "), "100.00"),
    (invoice(jnid="neither", is_active=None, status_name=None), "100.00"),
    (invoice(jnid="draft-without-flag", is_active=None, status_name="Draft"), "100.00"),
    (invoice(jnid="void-without-name", is_active=False, status_name=None), SILENT),
    (invoice(jnid="no-total", is_active=None, total=None), None),
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
        ("no-flag", "no is_active, counted as issued"),
        ("no-name", "no status name, counted as issued"),
        ("neither", "neither is_active nor a status name, counted as issued"),
        ("draft-without-flag", "no is_active, counted as draft"),
    ],
)
def test_it_says_what_is_missing(found, jnid, reason):
    assert found[jnid]["reason"] == reason
