"""invoice-subtotal: the subtotal against the sum of the lines."""

import pytest

from tests.world import SILENT, amounts, audited, findings, firing, invoice, line

RULE = "invoice-subtotal"
LINES = [line("Labour", "60.00"), line("Material", "40.00")]
CASES = [
    (invoice(LINES, "more", subtotal="862.50"), "762.50"),
    (invoice(LINES, "less", subtotal="90.00"), "10.00"),
    (invoice(LINES, "equal", subtotal="100.00"), SILENT),
    (invoice([line("Labour", "60.00"), line("Discount", "-70.00")], "credit", subtotal="-10.00"), SILENT),
    (invoice([], "no-lines", subtotal="5.00"), "5.00"),
    (invoice(LINES, "void", subtotal="90.00", is_active=False), SILENT),
    (invoice(LINES, "draft", subtotal="90.00", status_name="DRAFT "), SILENT),
    # NULL, field by field
    (invoice(LINES, "no-subtotal", subtotal=None), SILENT),
    (invoice([], "neither-lines-nor-subtotal", subtotal=None), SILENT),
    (invoice([line("Labour", None, price=None)], "no-amount", subtotal="5.00"), "5.00"),
    (invoice(LINES, "no-active", subtotal="90.00", is_active=None), "10.00"),
    (invoice(LINES, "no-status", subtotal="90.00", status_name=None), "10.00"),
    (invoice(LINES, "no-job", subtotal="90.00", related=[]), "10.00"),
    (invoice(LINES, "a-cent", subtotal="100.01"), "0.01"),
]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    with audited(tmp_path_factory.mktemp(RULE), [], [body for body, _ in CASES]) as snapshot:
        return findings(snapshot, RULE)


def test_it_fires_on_these_alone(found):
    assert amounts(found) == firing(CASES)


def test_it_says_both_sides(found):
    hit = found["less"]
    assert (hit["reason"], hit["job_number"], hit["severity"]) == ("the lines sum to 100.00", "JOB-1001", "high")
    assert hit["evidence"] == {
        "number": "INV-less",
        "line_total": "100.00",
        "subtotal": "90.00",
        "difference": "-10.00",
    }
