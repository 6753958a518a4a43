"""nrb-unexported: leaves that are not marked as exported."""

from datetime import timedelta

from tests.world import AS_OF, COST_DAY, SILENT, Account, firing, ms, nrb

RULE = "nrb-unexported"
CASES = [
    (nrb("not-exported", "862.50", nrbIsExported=False), "862.50"),
    (nrb("exported"), SILENT),
    (nrb("internal", nrbIsExported=False, isInternal=True), "100.00"),
    (nrb("child-of-exported", nrbIsExported=None, nrbParentGuid="exported-parent"), SILENT),
    (nrb("own-mark-wins", nrbIsExported=False, nrbParentGuid="exported-parent"), "100.00"),
    (nrb("child-of-unexported", nrbIsExported=None, nrbParentGuid="unexported-parent"), "100.00"),
    (nrb("own-mark-wins-too", nrbIsExported=True, nrbParentGuid="unexported-parent"), SILENT),
    # parents are no leaves
    (nrb("exported-parent", nrbDocumentType="RECEIPT_AP_INVOICE"), SILENT),
    (nrb("unexported-parent", nrbDocumentType="RECEIPT_AP_INVOICE", nrbIsExported=False), SILENT),
    (nrb("of-tomorrow", nrbIsExported=False, nrbInvoiceDate=ms(AS_OF + timedelta(1))), "100.00"),
    # NULL, field by field
    (nrb("unknown", nrbIsExported=None), "100.00"),
    (nrb("no-total", None, nrbIsExported=False), None),
    (nrb("no-job", nrbIsExported=False, nrbJobOrderNumber=None), "100.00"),
    (nrb("undated", nrbIsExported=False, nrbInvoiceDate=None, nrbCreatedAt=None), "100.00"),
]
ACCOUNT = Account([body for body, _ in CASES])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


def test_reason_and_key():
    found = ACCOUNT.findings(RULE)
    assert found["not-exported"]["reason"] == "not exported"
    assert found["unknown"]["reason"] == "not known whether it was exported"
    assert (found["unknown"]["severity"], found["unknown"]["key"]) == ("medium", {})


def test_days_of_grace():
    """A cost is due on the day of its age: those here are of one day."""
    age = (AS_OF - COST_DAY).days
    assert "not-exported" in ACCOUNT.findings(RULE, days=age)
    assert "not-exported" not in ACCOUNT.findings(RULE, days=age + 1)
    assert "undated" in ACCOUNT.findings(RULE, days=age + 1)
