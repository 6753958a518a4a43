"""nrb-duplicate: the same vendor, vendor's invoice number and cost, more than once on one job."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.world import COST_DAY, SILENT, Account, firing, invoice, line, ms, ref, referenced, unbilled

RULE = "nrb-duplicate"
PLACEHOLDERS = ["N/A", "CASH", "TBD", "0", "000", "none", "-", "---"]


def bought(guid, number, total="100.00", vendor="BIT", days=0, **changes):
    day = None if days is None else ms(COST_DAY + timedelta(days=days))
    fields = {"nrbInvoiceNumber": number, "nrbVendorCode": vendor, "nrbInvoiceDate": day, **changes}
    return unbilled(guid, total, **{"nrbOriginReference": None, "nrbPONumber": None, **fields})


CASES = [
    # the earliest is the document, every other is a surplus copy
    (bought("twice-a", "AP-1", "862.50", days=10), "862.50"),
    (bought("twice-b", "ap 1", "862.50", vendor=" bit "), SILENT),  # letters and digits alone, case-folded
    (bought("thrice-a", "AP-2"), SILENT),
    (bought("thrice-b", "AP-2"), "100.00"),
    (bought("thrice-c", "AP-2"), "100.00"),
    (bought("other-number", "AP-3"), SILENT),
    (bought("other-vendor", "AP-1", "862.50", vendor="OTHER"), SILENT),
    (bought("other-amount", "AP-1", "862.51"), SILENT),
    (bought("other-job", "AP-1", "862.50", nrbJobOrderNumber="JOB-2"), SILENT),
    (bought("leading-zero", "AP-01", "862.50"), SILENT),
    # the cost before markup counts
    (bought("markup-a", "AP-12", "110.00", nrbRate="100.00", nrbUpcharge="10"), SILENT),
    (bought("markup-b", "AP-12", "120.00", nrbRate="100.00", nrbUpcharge="20"), "120.00"),
    (bought("same-total-a", "AP-13", "110.00", nrbRate="100.00", nrbUpcharge="10"), SILENT),
    (bought("same-total-b", "AP-13", "110.00", nrbRate="110.00"), SILENT),
    (bought("tax-a", "AP-14", "105.00", nrbRate="100.00", nrbVendorTax="5.00"), SILENT),
    (bought("tax-b", "AP-14", "105.00", nrbRate="105.00"), "105.00"),
    # items of one receipt
    (bought("parent", "AP-4", "200.00", nrbDocumentType="RECEIPT_AP_INVOICE"), SILENT),
    (bought("sibling-a", "AP-4", nrbParentGuid="parent"), SILENT),
    (bought("sibling-b", "AP-4", nrbParentGuid="parent"), SILENT),
    (bought("parent-too", "AP-9", nrbDocumentType="RECEIPT_AP_INVOICE"), SILENT),
    (bought("child", "AP-9", nrbParentGuid="parent-too"), SILENT),
    (bought("like-the-child", "AP-9"), "100.00"),
    (bought("zero-a", "AP-7", "0.00"), SILENT),
    (bought("zero-b", "AP-7", "0.00"), SILENT),
    (bought("n1", "AP-10"), SILENT),  # a guid that is the beginning of another
    (bought("n10", "AP-10"), "100.00"),
    (bought("credit-a", "AP-11", "-50.00"), SILENT),
    (bought("credit-b", "AP-11", "-50.00"), "-50.00"),
    # the boundary of $days = 60
    (bought("day-0", "AP-15"), SILENT),
    (bought("day-60", "AP-15", days=60), "100.00"),
    (bought("far-0", "AP-16"), SILENT),
    (bought("far-61", "AP-16", days=61), SILENT),
    # a wrong bill, its reversal and its re-entry; one of three that is reversed leaves two
    (bought("wrong", "AP-17"), SILENT),
    (bought("reversal", "AP-17", "-100.00"), SILENT),
    (bought("re-entry", "AP-17"), SILENT),
    (bought("reversed-a", "AP-18"), SILENT),
    (bought("reversed-b", "AP-18", "-100.00"), SILENT),
    (bought("reversed-c", "AP-18"), SILENT),
    (bought("reversed-d", "AP-18"), "100.00"),
    # what is no number makes no duplicate
    *[(bought(f"placeholder-{n}-{side}", PLACEHOLDERS[n]), SILENT) for n in range(len(PLACEHOLDERS)) for side in "ab"],
    # NULL, field by field
    (bought("no-vendor-a", "AP-5", vendor=None), SILENT),
    (bought("no-vendor-b", "AP-5", vendor=None), SILENT),
    (bought("no-number-a", None), SILENT),
    (bought("no-number-b", None), SILENT),
    (bought("no-total-a", "AP-6", None), SILENT),
    (bought("no-total-b", "AP-6", None), SILENT),
    (bought("no-date-a", "AP-8", days=None, nrbCreatedAt=None), SILENT),
    (bought("no-date-b", "AP-8"), SILENT),
    (bought("no-job-a", "AP-19", nrbJobOrderNumber=None), SILENT),
    (bought("no-job-b", "AP-19", nrbJobOrderNumber=None), "100.00"),
    (bought("no-rate-a", "AP-20", nrbRate=None), SILENT),
    (bought("no-rate-b", "AP-20", nrbRate=None), "100.00"),  # the total, where the cost is not known
]
ACCOUNT = Account([body for body, _ in CASES])


def test_fires_on_exactly_the_surplus_copies():
    assert ACCOUNT.risks(RULE) == firing(CASES)


def test_a_pair_risks_one_copy():
    assert sum(hit["amount_at_risk"] for guid, hit in ACCOUNT.findings(RULE).items() if guid[:5] == "twice") == 862.5


def test_reason():
    found = ACCOUNT.findings(RULE)
    assert found["twice-a"]["reason"] == "vendor BIT, invoice AP-1 and cost are booked 2 times"
    assert (found["thrice-b"]["evidence"]["members"], found["thrice-b"]["severity"]) == (3, "high")


@pytest.mark.parametrize(
    ("guid", "earliest", "others"),
    [
        ("twice-a", "twice-b", "twice-b"),
        ("thrice-b", "thrice-a", "thrice-a thrice-c"),
        ("thrice-c", "thrice-a", "thrice-a thrice-b"),
        ("n10", "n1", "n1"),
    ],
)
def test_the_other_copies_and_the_earliest(guid, earliest, others):
    hit = ACCOUNT.findings(RULE)[guid]
    assert (hit["evidence"]["earliest"], hit["evidence"]["others"]) == (earliest, others)
    assert hit["key"] == {"others": others}


def test_days():
    assert "day-60" not in ACCOUNT.findings(RULE, days=59)
    assert "far-61" in ACCOUNT.findings(RULE, days=61)


def test_min_amount_is_the_least_absolute_amount():
    assert "credit-b" in ACCOUNT.findings(RULE, min_amount=Decimal("50.00"))
    assert "credit-b" not in ACCOUNT.findings(RULE, min_amount=Decimal("50.01"))
    assert ACCOUNT.risks(RULE, min_amount=Decimal("120.01")) == {"twice-a": "862.50"}


# Equal items of one document, each on an invoice line of its own, are two purchases; not if they were entered on two
# days or under two spellings, nor while one of them is on no line, or on a line together with others.
def loads(pair, number, *, other=None, entered=0):
    fields = {"nrbPONumber": None, "nrbInvoiceNumber": number}
    return [
        referenced(f"{pair}-a", **fields),
        referenced(
            f"{pair}-b",
            **{**fields, "nrbInvoiceNumber": other or number, "nrbCreatedAt": ms(COST_DAY + timedelta(days=entered))},
        ),
    ]


BILLED = Account(
    [
        *loads("loads", "AP-701"),
        *loads("spelled", "AP-702", other="ap 702"),
        *loads("entered", "AP-703", entered=1),
        *loads("one-open", "AP-704"),
        *loads("first-open", "AP-707"),
        *loads("together", "AP-705"),
        *loads("on-draft", "AP-706"),
    ],
    [
        invoice(
            [
                line(ref("loads-a")),
                line(ref("loads-b")),
                line(ref("spelled-a")),
                line(ref("spelled-b")),
                line(ref("entered-a")),
                line(ref("entered-b")),
                line(ref("one-open-a")),
                line(ref("first-open-b")),
            ]
        ),
        invoice([line(f"{ref('together-a')} {ref('together-b')}", "200.00"), line(ref("on-draft-a"))], "together"),
        invoice([line(ref("on-draft-b"))], "draft", status_name="Draft"),
    ],
)


def test_equal_items_of_one_document():
    copies = {"spelled-b", "entered-b", "one-open-b", "first-open-b", "together-b", "on-draft-b"}
    assert set(BILLED.findings(RULE)) == copies
