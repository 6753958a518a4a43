"""nrb-exported-unbilled: cost in the ledger, revenue missing; a subset of nrb-unbilled."""

from decimal import Decimal

import pytest

from tests.world import SILENT, amounts, asked_again, audited, findings, firing, invoice, line, nrb, subjects, unbilled

RULE = "nrb-exported-unbilled"
CASES = [
    (unbilled("exported", "862.50"), "862.50"),
    (unbilled("credit", "-5.00"), "-5.00"),
    (unbilled("not-exported", nrbIsExported=False), SILENT),
    (nrb("billed"), SILENT),
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


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    invoices = [invoice([line("R1-billed")])]
    with audited(tmp_path_factory.mktemp(RULE), [body for body, _ in CASES], invoices) as snapshot:
        yield snapshot


def test_it_fires_on_these_alone(snapshot):
    assert amounts(findings(snapshot, RULE)) == firing(CASES)


def test_it_says_why(snapshot):
    assert findings(snapshot, RULE)["exported"]["reason"] == "exported to the ledger, and on no invoice"


def test_it_is_a_subset_of_unbilled(snapshot):
    assert subjects(snapshot, RULE) < subjects(snapshot, "nrb-unbilled")


def test_min_amount(snapshot):
    above = {"exported": "862.50", "no-total": None}
    assert asked_again(snapshot, RULE, min_amount=Decimal("862.49")) == above
    assert asked_again(snapshot, RULE, min_amount=Decimal("862.50")) == {"no-total": None}
    assert set(asked_again(snapshot, RULE, min_amount=Decimal("4.99"))) == {*above, "credit", "child"}
    assert set(asked_again(snapshot, RULE, min_amount=Decimal("5.00"))) == {*above, "child"}
