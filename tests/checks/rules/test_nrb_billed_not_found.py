"""nrb-billed-not-found: a billed mark that leads nowhere."""

import pytest

from tests.world import SILENT, amounts, audited, findings, firing, invoice, line, nrb, unbilled

RULE = "nrb-billed-not-found"
CASES = [
    (nrb("unknown-name", "862.50", nrbBilledInName="INV-404"), "862.50"),
    (nrb("unknown-guid", nrbBilledInName=None, nrbBilledInGuid="GUID-404"), "100.00"),
    (nrb("found-by-name"), SILENT),
    (nrb("found-by-guid", nrbBilledInName="INV-404", nrbBilledInGuid="guid-I1"), SILENT),
    (nrb("linked", nrbBilledInName="INV-404"), SILENT),
    (nrb("internal", nrbBilledInName="INV-404", isInternal=True), SILENT),
    (nrb("not-billable", nrbBilledInName="INV-404", nrbIsBillable=False), SILENT),
    (unbilled("child", nrbParentGuid="parent"), "100.00"),
    (nrb("parent", nrbBilledInName="INV-404", nrbDocumentType="RECEIPT_AP_INVOICE"), SILENT),
    # NULL, field by field
    (unbilled("no-mark"), SILENT),
    (nrb("no-total", None, nrbBilledInName="INV-404"), None),
    (nrb("no-internal", nrbBilledInName="INV-404", isInternal=None), "100.00"),
    (nrb("no-billable", nrbBilledInName="INV-404", nrbIsBillable=None, nrbAccountType=None), "100.00"),
]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    invoices = [invoice([line("R1-linked", "7.77")])]
    with audited(tmp_path_factory.mktemp(RULE), [body for body, _ in CASES], invoices) as snapshot:
        return findings(snapshot, RULE)


def test_it_fires_on_these_alone(found):
    assert amounts(found) == firing(CASES)


@pytest.mark.parametrize(
    ("guid", "reason"),
    [
        ("unknown-name", "marked as billed in INV-404, which is not in JobNimbus"),
        ("unknown-guid", "marked as billed in GUID-404, which is not in JobNimbus"),
        ("child", "marked as billed in its parent's invoice, which is not in JobNimbus"),
    ],
)
def test_it_names_the_invoice_that_is_missing(found, guid, reason):
    assert found[guid]["reason"] == reason
