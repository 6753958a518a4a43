"""nrb-billed-unexported: charged to the client, and not in the ledger."""

from tests.world import SILENT, Account, firing, invoice, line, nrb, ref, referenced

RULE = "nrb-billed-unexported"
NOT = {"nrbIsExported": False}
CASES = [
    (referenced("charged", "862.50", **NOT), "862.50"),
    (referenced("in-part", **NOT), "100.00"),
    (referenced("exported"), SILENT),
    # a mark alone charges nobody
    (nrb("marked-only", **NOT), SILENT),
    (nrb("not-found", nrbBilledInName="INV-404", **NOT), SILENT),
    (referenced("credited-back", **NOT), SILENT),
    (referenced("on-draft", **NOT), SILENT),
    (referenced("on-void", **NOT), SILENT),
    (referenced("internal", isInternal=True, **NOT), "100.00"),
    (referenced("child-of-exported", nrbIsExported=None, nrbParentGuid="parent"), SILENT),
    (nrb("parent", nrbDocumentType="RECEIPT_AP_INVOICE"), SILENT),
    # NULL, field by field
    (referenced("no-export-mark", nrbIsExported=None), "100.00"),
    (referenced("no-total", None, **NOT), None),
]
CHARGED = ["exported", "internal", "child-of-exported", "no-export-mark", "no-total"]
INVOICES = [
    invoice(
        [
            line(ref("charged"), "862.50"),
            line(ref("in-part"), "40.00"),
            line(ref("credited-back"), "100.00"),
            line(ref("credited-back"), "-100.00"),
            *[line(ref(guid), "100.00") for guid in CHARGED],
        ]
    ),
    invoice([line(ref("on-draft"), "100.00")], "draft", status_name="Draft"),
    invoice([line(ref("on-void"), "100.00")], "void", is_active=False),
]
ACCOUNT = Account([body for body, _ in CASES], INVOICES)


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


def test_reason_and_evidence():
    hit = ACCOUNT.findings(RULE)["charged"]
    assert (hit["reason"], hit["severity"], hit["key"]) == ("billed, but not exported", "medium", {})
    assert hit["evidence"] == {"vendor_code": "BIT", "found_jnid": None}
