"""record-quarantined: records, and fields that matter, that could not be read, of either vendor."""

import pytest

from tests.world import Account, invoice, line, related, unbilled

RULE = "record-quarantined"
NRBS = [
    unbilled("bad-total", nrbTotalAfterMarkup="1,000.00"),
    unbilled("bad-twice", nrbRate="NaN", nrbQuantity="2,5"),
    unbilled("bad-flag", isInternal="no"),
    unbilled("bad-mark", nrbBilledInName=["INV-1"]),
    unbilled("bad-children", nrbChildren="none"),
    {**unbilled("no-guid"), "nrbGuid": ["no-guid"]},
    # what the audit does not need
    unbilled("bad-notes", nrbNotes=["a"], nrbPONumber=True, nrbUpdatedAt="today"),
    # what can be read in another form
    unbilled("lenient", nrbVendorTax="37.125", nrbOriginReference=3233, isInternal="false", nrbInvoiceDate=""),
    unbilled("good"),
    unbilled("all-null", None, nrbRate=None, nrbQuantity=None, nrbUpdatedAt=None),
]
INVOICES = [
    invoice(
        [line("Labor", "1.00"), line("Labor", amount=None, price="free")], "bad-line", subtotal="1.00", total="1.00"
    ),
    invoice([line("Labor", "1.00")], "bad-jobs", related=[related(), 7]),
    invoice([line("Labor", "1.00", cost="free")], "bad-cost", margin="high"),
    invoice([line("Labor", "1.00")], "good-invoice"),
]
ACCOUNT = Account(NRBS, INVOICES)


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == {
        "bad-total": None,
        "bad-twice": "100.00",
        "bad-flag": "100.00",
        "bad-mark": "100.00",
        "bad-children": "100.00",
        "no-guid": None,
        "bad-line": "1.00",
        "bad-jobs": "1.00",
    }


@pytest.mark.parametrize(
    ("subject", "kind", "field", "reason"),
    [
        (
            "bad-total",
            "nrb",
            "nrbTotalAfterMarkup",
            'nrbTotalAfterMarkup: expected a number such as 862.50, found "1,000.00"',
        ),
        (
            "bad-twice",
            "nrb",
            "nrbQuantity, nrbRate",
            'nrbQuantity: expected a number such as 862.50, found "2,5";'
            ' nrbRate: expected a number such as 862.50, found "NaN"',
        ),
        ("no-guid", "nrb", "nrbGuid", 'nrbGuid: expected "no-guid", found nothing'),
        ("bad-line", "invoice", "items[1].price", 'items[1].price: expected a number such as 862.50, found "free"'),
        ("bad-jobs", "invoice", "related[1]", "related[1]: expected an object, found 7"),
    ],
)
def test_reason_vendor_and_fields(subject, kind, field, reason):
    hit = ACCOUNT.findings(RULE)[subject]
    assert (hit["subject_type"], hit["evidence"]["field"], hit["reason"]) == (kind, field, reason)
    assert hit["job_number"] == (None if kind == "invoice" or subject == "no-guid" else "JOB-1001")
    assert hit["key"] == {"digest": hit["evidence"]["digest"]}


# Nothing keeps the ids of two vendors apart; each is a finding with a fingerprint of its own.
SAME_IDS = Account(
    [unbilled("same", nrbTotalAfterMarkup="free"), unbilled("nrb x"), unbilled("x", nrbRate="1,0")],
    [invoice(jnid="same", total="free")],
)


def test_records_of_both_vendors_may_have_one_id():
    SAME_IDS.findings(RULE)
    rows = SAME_IDS.draft.query(
        "select subject_type, subject_id, fingerprint from finding where rule_id = $rule order by all", {"rule": RULE}
    ).rows
    assert [row[:2] for row in rows] == [("invoice", "same"), ("nrb", "same"), ("nrb", "x")]
    assert len({fingerprint for *_, fingerprint in rows}) == 3


def test_a_record_without_an_identity_is_in_no_other_rule():
    found = set(ACCOUNT.findings("nrb-unbilled"))
    assert "no-guid" not in found and {"good", "bad-notes", "lenient"} <= found
