"""nrb-billed-not-billable: billed or on a line, yet internal or not billable."""

import pytest

from tests.world import SILENT, amounts, audited, findings, firing, invoice, line, nrb, unbilled

RULE = "nrb-billed-not-billable"
OURS = {"nrbIsBillable": False, "nrbAccountType": "Not Billable"}
CASES = [
    (nrb("marked", "862.50", **OURS), "862.50"),
    (nrb("internal", isInternal=True), "100.00"),
    (unbilled("on-a-line", **OURS), "100.00"),
    (unbilled("neither", **OURS), SILENT),
    (nrb("billable"), SILENT),
    # NULL, field by field
    (nrb("no-total", None, **OURS), None),
    (nrb("no-flag", nrbIsBillable=None, nrbAccountType="Not Billable"), "100.00"),
    (nrb("no-flag-no-type", nrbIsBillable=None, nrbAccountType=None), SILENT),
    (nrb("no-internal", isInternal=None), SILENT),
]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    invoices = [invoice([line("R1-on-a-line", "7.00")])]
    with audited(tmp_path_factory.mktemp(RULE), [body for body, _ in CASES], invoices) as snapshot:
        return findings(snapshot, RULE)


def test_it_fires_on_these_alone(found):
    assert amounts(found) == firing(CASES)


@pytest.mark.parametrize(
    ("guid", "reason"),
    [
        ("marked", "marked as billed, but not billable"),
        ("internal", "marked as billed, but internal"),
        ("on-a-line", "on an invoice line, but not billable"),
    ],
)
def test_it_says_what_contradicts(found, guid, reason):
    assert found[guid]["reason"] == reason
