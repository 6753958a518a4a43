"""nrb-line-not-found: its invoice is there and issued, but nothing on it charges for the cost."""

import pytest

from tests.world import SILENT, Account, firing, invoice, line, nrb, ref, referenced

RULE = "nrb-line-not-found"
CASES = [
    (nrb("no-line", "862.50"), "862.50"),
    (nrb("found-without-mark", nrbBilledInName=None, nrbExternalId="EXT-100"), "100.00"),
    (referenced("with-line", nrbBilledInName="INV-i1"), SILENT),
    (referenced("on-another-invoice", nrbBilledInName="INV-i1"), SILENT),
    (nrb("equal-amount", "7.77"), SILENT),
    (referenced("line-of-nothing", "55.00"), "55.00"),
    (nrb("on-void", nrbBilledInName="INV-void"), SILENT),
    (nrb("on-draft", nrbBilledInName="INV-draft"), SILENT),
    (nrb("not-found", nrbBilledInName="INV-404"), SILENT),
    (nrb("unreadable", nrbBilledInName="INV-empty"), SILENT),  # nrb-link-undecided
    (nrb("several", nrbBilledInName="INV-double"), SILENT),  # nrb-link-undecided
    (nrb("internal", isInternal=True), SILENT),
    (nrb("not-billable", nrbIsBillable=False), SILENT),
    (nrb("nothing", "0.00"), SILENT),
    # NULL, field by field
    (nrb("no-total", None), None),
    (nrb("no-internal", "101.00", isInternal=None), "101.00"),
    (nrb("no-status", nrbBilledInName="INV-unnamed"), "100.00"),
    (nrb("no-active", nrbBilledInName="INV-unset"), "100.00"),
    (nrb("no-number", nrbBilledInName=None, nrbBilledInGuid="GUID-unnumbered"), "100.00"),
]
INVOICES = [
    invoice(
        [line(ref("with-line"), "100.00"), line("Labor", "7.77"), line(ref("line-of-nothing"), "0.00")],
        external_id="EXT-100",
    ),
    invoice([line(ref("on-another-invoice"), "100.00")], "other"),
    invoice([line("Labor", "9.00")], "void", is_active=False),
    invoice([line("Labor", "9.00")], "draft", status_name="Draft"),
    invoice([line("Labor", "9.00")], "unnamed", status_name=None),
    invoice([line("Labor", "9.00")], "unset", is_active=None),
    invoice([line("Labor", "9.00")], "unnumbered", number=None),
    invoice([], "empty", total="100.00"),
    invoice([line("Labor", "9.00")], "double-1", number="INV-double"),
    invoice([line("Labor", "9.00")], "double-2", number="INV-double"),
]
ACCOUNT = Account([body for body, _ in CASES], INVOICES)


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


@pytest.mark.parametrize(
    ("guid", "number", "jnid", "method"),
    [
        ("no-line", "INV-i1", "i1", "invoice number"),
        ("found-without-mark", "INV-i1", "i1", "own id"),
        ("line-of-nothing", "INV-i1", "i1", "reference on a line of 0.00"),
        ("no-number", None, "unnumbered", "invoice guid"),
    ],
)
def test_reason_and_evidence(guid, number, jnid, method):
    hit = ACCOUNT.findings(RULE)[guid]
    assert hit["reason"] == f"its invoice {number or jnid} was found (by {method}), but none of its lines is this cost"
    assert hit["evidence"] == {"found_jnid": jnid, "found_method": method, "invoice_number": number}
    assert (hit["severity"], hit["key"]) == ("high", {})
