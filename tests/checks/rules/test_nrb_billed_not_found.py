"""nrb-billed-not-found: a mark that leads to no invoice."""

import pytest

from tests.world import SILENT, Account, firing, invoice, line, nrb, ref, referenced, unbilled

RULE = "nrb-billed-not-found"
CASES = [
    (nrb("unknown-name", "862.50", nrbBilledInName="INV-404"), "862.50"),
    (nrb("unknown-guid", nrbBilledInName=None, nrbBilledInGuid="GUID-404"), "100.00"),
    (nrb("found-by-name"), SILENT),
    (nrb("found-by-bare-number", nrbBilledInName="90017"), SILENT),
    (nrb("found-by-guid", nrbBilledInName="INV-404", nrbBilledInGuid="guid-I1"), SILENT),
    (nrb("found-by-external-id", nrbBilledInName="QB-100"), SILENT),
    (referenced("named-by-a-line", nrbBilledInName="INV-404"), SILENT),
    (nrb("internal", nrbBilledInName="INV-404", isInternal=True), SILENT),
    (nrb("not-billable", nrbBilledInName="INV-404", nrbIsBillable=False), SILENT),
    (nrb("nothing", "0.00", nrbBilledInName="INV-404"), SILENT),
    (unbilled("child", nrbParentGuid="parent"), "100.00"),
    (nrb("own-mark", nrbBilledInName="INV-405", nrbParentGuid="parent"), "100.00"),
    (nrb("parent", nrbBilledInName="INV-404", nrbDocumentType="RECEIPT_AP_INVOICE"), SILENT),
    # NULL, field by field
    (unbilled("no-mark"), SILENT),
    (nrb("no-total", None, nrbBilledInName="INV-404"), None),
    (nrb("no-internal", nrbBilledInName="INV-404", isInternal=None), "100.00"),
    (nrb("no-billable", nrbBilledInName="INV-404", nrbIsBillable=None, nrbAccountType=None), "100.00"),
]
INVOICES = [
    invoice([line(ref("named-by-a-line"), "7.77")], external_id="QB-100"),
    invoice([line("Labor", "8.88")], "i2", number="INV 90017"),
]
ACCOUNT = Account([body for body, _ in CASES], INVOICES)


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


@pytest.mark.parametrize(
    ("guid", "reason"),
    [
        ("unknown-name", "marked as billed in INV-404, which is not in JobNimbus"),
        ("unknown-guid", "marked as billed in GUID-404, which is not in JobNimbus"),
        ("child", "marked as billed in INV-404, which is not in JobNimbus"),
        ("own-mark", "marked as billed in INV-405, which is not in JobNimbus"),
    ],
)
def test_reason(guid, reason):
    assert ACCOUNT.findings(RULE)[guid]["reason"] == reason


def test_evidence_and_key():
    hit = ACCOUNT.findings(RULE)["unknown-name"]
    assert hit["evidence"] == hit["key"] == {"billed_in_guid": None, "billed_in_name": "INV-404"}
    child = ACCOUNT.findings(RULE)["child"]
    assert child["key"] == {"billed_in_guid": None, "billed_in_name": "INV-404"}


# An invoice that is there and could not be read is not missing.
MARKED = [
    nrb("n1", nrbBilledInName="inv-404"),
    nrb("n2", nrbBilledInName="INV-405"),
    nrb("n3", nrbBilledInName=None, nrbBilledInGuid="GUID-b404"),
]
HIDDEN = invoice([line("Labor", "1.00")], "b404", number=["INV-404"], guid=["GUID-b404"])
BROKEN = invoice([], ["b404"], number="INV-404", guid="GUID-b404")
UNREAD = [Account(MARKED, [HIDDEN]), Account(MARKED, [BROKEN])]
# The same text in an NRB that could not be read says nothing about invoices.
UNREAD_NRB = Account([*MARKED, nrb("n4", nrbNotes="INV-404", nrbBilledInName=None, nrbRate="free")], [])


@pytest.mark.parametrize("account", UNREAD, ids=["a field", "the body"])
def test_an_invoice_that_could_not_be_read_is_not_called_missing(account):
    assert set(account.findings(RULE)) == {"n2"}
    asked = account.findings("nrb-link-undecided")
    assert {guid: hit["reason"] for guid, hit in asked.items()} == dict.fromkeys(
        ("n1", "n3"), "it, or an invoice that names it, could not be read as a whole"
    )


def test_unread_nrbs_hold_no_invoices():
    assert set(UNREAD_NRB.findings(RULE)) == {"n1", "n2", "n3"}
    assert UNREAD_NRB.findings("nrb-link-undecided") == {}
