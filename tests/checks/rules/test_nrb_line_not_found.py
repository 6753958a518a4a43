"""nrb-line-not-found: its invoice is there and issued, but no line carries it."""

import pytest

from tests.world import SILENT, amounts, audited, findings, firing, invoice, line, nrb

RULE = "nrb-line-not-found"
CASES = [
    (nrb("no-line", "862.50"), "862.50"),
    (nrb("found-without-mark", nrbBilledInName=None, nrbExternalId="EXT-i1"), "100.00"),
    (nrb("with-line"), SILENT),
    (nrb("on-void", nrbBilledInName="INV-void"), SILENT),
    (nrb("on-draft", nrbBilledInName="INV-draft"), SILENT),
    (nrb("not-found", nrbBilledInName="INV-404"), SILENT),
    (nrb("internal", isInternal=True), SILENT),
    (nrb("not-billable", nrbIsBillable=False), SILENT),
    # NULL, field by field
    (nrb("no-total", None), None),
    (nrb("no-internal", isInternal=None), "100.00"),
    (nrb("no-status", nrbBilledInName="INV-unnamed"), "100.00"),
    (nrb("no-active", nrbBilledInName="INV-unset"), "100.00"),
]
INVOICES = [
    invoice([line("R1-with-line", "7.77")], external_id="EXT-i1"),
    invoice([], "void", is_active=False),
    invoice([], "draft", status_name="Draft"),
    invoice([], "unnamed", status_name=None),
    invoice([], "unset", is_active=None),
]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    with audited(tmp_path_factory.mktemp(RULE), [body for body, _ in CASES], INVOICES) as snapshot:
        return findings(snapshot, RULE)


def test_it_fires_on_these_alone(found):
    assert amounts(found) == firing(CASES)


@pytest.mark.parametrize(("guid", "method"), [("no-line", "billed-number"), ("found-without-mark", "external-id")])
def test_it_says_how_the_invoice_was_found(found, guid, method):
    assert found[guid]["reason"] == f"its invoice was found ({method}), but none of its lines carries it"
    assert found[guid]["evidence"] == {"found_jnid": "i1", "found_method": method}
