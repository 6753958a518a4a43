"""nrb-billed-on-void: a void invoice charges nobody."""

import pytest

from tests.world import SILENT, amounts, audited, findings, firing, invoice, line, nrb

RULE = "nrb-billed-on-void"
CASES = [
    (nrb("no-line", "862.50", nrbBilledInName="INV-void"), "862.50"),
    (nrb("on-its-line", nrbBilledInName="INV-void"), "100.00"),
    (nrb("line-without-mark", nrbBilledInName=None), "100.00"),
    (nrb("issued-again", nrbBilledInName="INV-void"), SILENT),  # its reference stands on an issued invoice of the job
    (nrb("issued"), SILENT),
    (nrb("draft", nrbBilledInName="INV-draft"), SILENT),
    (nrb("not-found", nrbBilledInName="INV-404"), SILENT),
    (nrb("internal", nrbBilledInName="INV-void", isInternal=True), SILENT),
    (nrb("not-billable", nrbBilledInName="INV-void", nrbIsBillable=False), SILENT),
    # NULL, field by field
    (nrb("no-total", None, nrbBilledInName="INV-void"), None),
    (nrb("no-active", nrbBilledInName="INV-unset"), SILENT),
    (nrb("no-billable", nrbBilledInName="INV-void", nrbIsBillable=None), "100.00"),
]
INVOICES = [
    invoice([line("R1-issued-again", "7.77"), line("R1-issued", "7.78")]),
    invoice([line("R1-on-its-line", "7.79"), line("R1-line-without-mark", "7.80")], "void", is_active=False),
    invoice([], "draft", status_name="Draft"),
    invoice([], "unset", is_active=None),
]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    with audited(tmp_path_factory.mktemp(RULE), [body for body, _ in CASES], INVOICES) as snapshot:
        return findings(snapshot, RULE)


def test_it_fires_on_these_alone(found):
    assert amounts(found) == firing(CASES)


def test_it_says_why_and_which_invoice(found):
    assert found["no-line"]["reason"] == "its invoice is void"
    assert found["no-line"]["evidence"] == {"found_jnid": "void"}
