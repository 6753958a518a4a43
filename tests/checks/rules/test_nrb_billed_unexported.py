"""nrb-billed-unexported: revenue whose cost is not in the ledger."""

import pytest

from tests.world import SILENT, amounts, audited, findings, firing, invoice, line, nrb

RULE = "nrb-billed-unexported"
CASES = [
    (nrb("found", "862.50", nrbIsExported=False), "862.50"),
    (nrb("linked-only", nrbIsExported=False, nrbBilledInName="unknown"), "100.00"),
    (nrb("exported"), SILENT),
    (nrb("not-found", nrbIsExported=False, nrbBilledInName="unknown"), SILENT),
    (nrb("found-without-mark", nrbIsExported=False, nrbBilledInName=None, nrbExternalId="EXT-i1"), SILENT),
    (nrb("internal", nrbIsExported=False, isInternal=True), "100.00"),
    (nrb("child-of-exported", nrbIsExported=None, nrbParentGuid="parent"), SILENT),
    (nrb("parent", nrbDocumentType="RECEIPT_AP_INVOICE"), SILENT),
    # NULL, field by field
    (nrb("no-export-mark", nrbIsExported=None), "100.00"),
    (nrb("no-mark", nrbIsExported=None, nrbBilledInName=None), SILENT),
    (nrb("no-total", None, nrbIsExported=False), None),
]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    invoices = [invoice([line("R1-linked-only", "7.77")], external_id="EXT-i1")]
    with audited(tmp_path_factory.mktemp(RULE), [body for body, _ in CASES], invoices) as snapshot:
        return findings(snapshot, RULE)


def test_it_fires_on_these_alone(found):
    assert amounts(found) == firing(CASES)


def test_it_says_why_and_which_invoice(found):
    assert found["found"]["reason"] == "billed and found, but not exported"
    assert found["found"]["evidence"] == {"vendor_code": "BIT", "found_jnid": "i1"}
