"""nrb-exported-unbilled: cost in the ledger, revenue missing; a subset of nrb-unbilled."""

from decimal import Decimal

from tests.world import SILENT, Account, firing, invoice, line, nrb, ref, referenced, unbilled

RULE = "nrb-exported-unbilled"
CASES = [
    (unbilled("exported", "862.50"), "862.50"),
    (unbilled("credit", "-5.00"), "-5.00"),
    (unbilled("not-exported", nrbIsExported=False), SILENT),
    (referenced("billed"), SILENT),
    (nrb("marked"), SILENT),
    (unbilled("internal", isInternal=True), SILENT),
    (unbilled("child", nrbIsExported=None, nrbParentGuid="parent"), "100.00"),  # exported as its parent
    (unbilled("parent", nrbDocumentType="RECEIPT_AP_INVOICE"), SILENT),
    # NULL, field by field
    (unbilled("no-export-mark", nrbIsExported=None), SILENT),
    (unbilled("no-total", None), None),
    # the boundary of $min_amount = 0
    (unbilled("nothing", "0.00"), SILENT),
    (unbilled("a-cent", "0.01"), "0.01"),
]
ACCOUNT = Account([body for body, _ in CASES], [invoice([line(ref("billed"))])])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


def test_reason_and_key():
    hit = ACCOUNT.findings(RULE)["exported"]
    assert (hit["reason"], hit["severity"]) == ("exported to the ledger, and on no invoice", "high")
    assert hit["key"] == {"look_first": False}


def test_is_a_subset_of_unbilled():
    assert set(ACCOUNT.findings(RULE)) < set(ACCOUNT.findings("nrb-unbilled"))


def test_min_amount():
    above = {"exported": "862.50", "no-total": None}
    assert ACCOUNT.risks(RULE, min_amount=Decimal("862.49")) == above
    assert ACCOUNT.risks(RULE, min_amount=Decimal("862.50")) == {"no-total": None}
    assert set(ACCOUNT.findings(RULE, min_amount=Decimal("4.99"))) == {*above, "credit", "child"}
    assert set(ACCOUNT.findings(RULE, min_amount=Decimal("5.00"))) == {*above, "child"}
