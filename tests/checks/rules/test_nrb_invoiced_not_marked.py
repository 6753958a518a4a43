"""nrb-invoiced-not-marked: an issued line carries it, and Aimsio does not mark it as billed."""

import pytest

from tests.world import SILENT, Account, firing, invoice, line, nrb, ref, referenced, unbilled

RULE = "nrb-invoiced-not-marked"
CASES = [
    (referenced("by-name", "862.50"), "862.50"),
    (unbilled("by-amount", "733.19"), "733.19"),
    (unbilled("by-own-id", "55.00", nrbExternalId="EXT-900"), "55.00"),
    (referenced("in-part", "48.00"), "48.00"),
    (referenced("not-billable", "31.00", nrbIsBillable=False, nrbAccountType="Not Billable"), SILENT),
    (referenced("internal", "32.00", isInternal=True), SILENT),
    (referenced("marked", "41.00", nrbBilledInName="INV-i1"), SILENT),
    (unbilled("nowhere", "42.00"), SILENT),
    (unbilled("by-hand", "43.00"), SILENT),
    (referenced("on-draft", "44.00"), SILENT),
    (referenced("on-void", "45.00"), SILENT),
    # NULL
    (referenced("no-total", None), None),
    (referenced("empty-mark", "46.00", nrbBilledInName=" ", nrbBilledInGuid=""), "46.00"),
    (referenced("no-billable", "49.00", nrbIsBillable=None), "49.00"),
]
FAMILY = [
    nrb("receipt", "47.00", nrbDocumentType="RECEIPT_AP_INVOICE"),
    referenced("child", "47.00", nrbParentGuid="receipt"),
]
NAMED = ["not-billable", "internal", "marked", "empty-mark", "no-billable"]
INVOICES = [
    invoice(
        [
            line(ref("by-name"), "862.50"),
            line("Pump rental", "733.19"),
            line("Something else", "1.00"),
            line(ref("in-part"), "20.00"),
            line(ref("no-total"), "10.00"),
            line(ref("child"), "47.00"),
            *[line(ref(guid), body["nrbTotalAfterMarkup"]) for body, _ in CASES if (guid := body["nrbGuid"]) in NAMED],
        ]
    ),
    invoice([line("Crane", "55.00"), line("Labor", "9.99")], "i9", external_id="EXT-900"),
    invoice([line(ref("on-draft"), "44.00")], "draft", status_name="Draft"),
    invoice([line(ref("on-void"), "45.00")], "void", is_active=False),
]
ACCOUNT = Account([body for body, _ in CASES] + FAMILY, INVOICES, links=[("by-hand", "i1", 2)])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


@pytest.mark.parametrize(
    ("guid", "matched_by"), [("by-name", "name"), ("by-amount", "amount"), ("by-own-id", "mark"), ("in-part", "name")]
)
def test_reason_and_evidence(guid, matched_by):
    hit = ACCOUNT.findings(RULE)[guid]
    assert hit["evidence"] == {"matched_by": matched_by, "vendor_code": "BIT"}
    assert hit["reason"] == (f"on an issued invoice (matched by {matched_by}), but not marked as billed in Aimsio")
    assert hit["key"] == {}


def test_is_low():
    assert {hit["severity"] for hit in ACCOUNT.findings(RULE).values()} == {"low"}
