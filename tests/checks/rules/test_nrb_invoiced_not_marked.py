"""nrb-invoiced-not-marked: a line carries it, and Aimsio does not say that it is billed."""

import pytest

from tests.world import SILENT, amounts, audited, findings, firing, invoice, line, nrb, unbilled

RULE = "nrb-invoiced-not-marked"


def alone(guid, total="100.00", **changes):
    """An NRB on a job of its own, so that amounts do not meet."""
    return unbilled(guid, total, **changes)


CASES = [
    (alone("by-reference", "862.50"), "862.50"),
    (alone("by-amount", "77.77"), "77.77"),
    (alone("by-external-id", "55.00", nrbExternalId="EXT-9"), "55.00"),
    (alone("not-billable", "31.00", nrbIsBillable=False, nrbAccountType="Not Billable"), "31.00"),
    (nrb("marked", "41.00"), SILENT),
    (alone("nowhere", "42.00"), SILENT),
    (alone("by-hand", "43.00"), SILENT),
    (alone("on-draft", "44.00"), SILENT),
    (alone("on-void", "45.00"), SILENT),
    # NULL
    (alone("no-total", None), None),
    (alone("empty-mark", "46.00", nrbBilledInName=" ", nrbBilledInGuid=""), "46.00"),
]
FAMILY = [
    nrb("receipt", "47.00", nrbDocumentType="RECEIPT_AP_INVOICE"),
    alone("child", "47.00", nrbParentGuid="receipt"),
]
INVOICES = [
    invoice(
        [
            line("R1-by-reference", "862.50"),
            line("No reference", "77.77"),
            line("R1-not-billable", "31.00"),
            line("R1-marked", "41.00"),
            line("Something else", "1.00"),
            line("R1-no-total", "10.00"),
            line("R1-empty-mark", "46.00"),
            line("R1-child", "47.00"),
        ]
    ),
    invoice([line("Labour", "9.99")], "i9", external_id="EXT-9"),
    invoice([line("R1-on-draft", "44.00")], "draft", status_name="Draft"),
    invoice([line("R1-on-void", "45.00")], "void", is_active=False),
]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    nrbs = [body for body, _ in CASES] + FAMILY
    with audited(tmp_path_factory.mktemp(RULE), nrbs, INVOICES, links=[("by-hand", "i1", 4)]) as snapshot:
        return findings(snapshot, RULE)


def test_it_fires_on_these_alone(found):
    assert amounts(found) == firing(CASES)


@pytest.mark.parametrize(
    ("guid", "methods"),
    [("by-reference", "reference"), ("by-amount", "amount"), ("by-external-id", "external-id")],
)
def test_it_says_how_it_was_found(found, guid, methods):
    assert found[guid]["evidence"]["methods"] == methods
