"""invoice-total: the total against subtotal and tax."""

import pytest

from tests.world import SILENT, amounts, audited, findings, firing, invoice, line

RULE = "invoice-total"
LINES = [line("Labour", "100.00")]
CASES = [
    (invoice(LINES, "more", total="862.50"), "762.50"),
    (invoice(LINES, "tax-left-out", tax="5.00", total="100.00"), "5.00"),
    (invoice(LINES, "equal", tax="5.00", total="105.00"), SILENT),
    (invoice([line("Credit", "-100.00")], "credit", tax="-5.00", total="-105.00"), SILENT),
    (invoice(LINES, "void", total="90.00", is_active=False), SILENT),
    (invoice(LINES, "draft", total="90.00", status_name="draft"), SILENT),
    # NULL, field by field
    (invoice(LINES, "no-total", tax="5.00", total=None), "105.00"),
    (invoice(LINES, "no-tax", tax=None, total="100.00"), SILENT),
    (invoice(LINES, "no-tax-but-charged", tax=None, total="105.00"), "5.00"),
    (invoice(LINES, "no-subtotal", subtotal=None, total="100.00"), SILENT),
    (invoice(LINES, "no-subtotal-and-wrong", subtotal=None, total="101.00"), "1.00"),
    (invoice(LINES, "nothing-at-all", subtotal=None, tax=None, total=None), "100.00"),
    (invoice(LINES, "no-status", total="90.00", status_name=None), "10.00"),
    (invoice(LINES, "a-cent", total="100.01"), "0.01"),
]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    with audited(tmp_path_factory.mktemp(RULE), [], [body for body, _ in CASES]) as snapshot:
        return findings(snapshot, RULE)


def test_it_fires_on_these_alone(found):
    assert amounts(found) == firing(CASES)


@pytest.mark.parametrize(
    ("jnid", "reason"), [("tax-left-out", "subtotal and tax are 105.00"), ("no-total", "no total")]
)
def test_it_says_what_was_expected(found, jnid, reason):
    assert found[jnid]["reason"] == reason


def test_its_evidence_holds_every_part(found):
    parts = {
        "number": "INV-tax-left-out",
        "subtotal": "100.00",
        "tax": "5.00",
        "total": "100.00",
        "difference": "-5.00",
    }
    assert found["tax-left-out"]["evidence"] == parts
