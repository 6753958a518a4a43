"""nrb-duplicate-unnumbered: the same vendor, day and cost without a vendor's invoice number."""

from datetime import timedelta
from decimal import Decimal

from tests.world import COST_DAY, SILENT, Account, firing, invoice, line, ms, ref, referenced, unbilled

RULE = "nrb-duplicate-unnumbered"


def bought(guid, total, number=None, vendor="BIT", days=0, **changes):
    day = None if days is None else ms(COST_DAY + timedelta(days=days))
    fields = {"nrbInvoiceNumber": number, "nrbVendorCode": vendor, "nrbInvoiceDate": day, **changes}
    return unbilled(guid, total, **{"nrbOriginReference": None, "nrbPONumber": None, **fields})


CASES = [
    (bought("twice-a", "1.00"), SILENT),
    (bought("twice-b", "1.00", vendor=" bit "), "1.00"),
    (bought("thrice-a", "2.00"), SILENT),
    (bought("thrice-b", "2.00"), "2.00"),
    (bought("thrice-c", "2.00"), "2.00"),
    # a placeholder is no number
    (bought("cash-a", "3.00", "CASH"), SILENT),
    (bought("cash-b", "3.00", "n/a"), "3.00"),
    (bought("numbered-a", "4.00", "AP-1"), SILENT),
    (bought("numbered-b", "4.00"), SILENT),
    (bought("vendor-a", "5.00"), SILENT),
    (bought("vendor-b", "5.00", vendor="OTHER"), SILENT),
    (bought("cost-a", "6.00"), SILENT),
    (bought("cost-b", "6.01"), SILENT),
    (bought("day-a", "7.00"), SILENT),
    (bought("day-b", "7.00", days=1), SILENT),
    (bought("job-a", "8.00"), SILENT),
    (bought("job-b", "8.00", nrbJobOrderNumber="JOB-2"), SILENT),
    (bought("type-a", "9.00"), SILENT),
    (bought("type-b", "9.00", nrbTypeName="Fuel"), SILENT),
    (bought("type-case-a", "10.00", nrbTypeName="Fuel"), SILENT),
    (bought("type-case-b", "10.00", nrbTypeName=" fuel"), "10.00"),
    (bought("markup-a", "110.00", nrbRate="100.00", nrbUpcharge="10"), SILENT),
    (bought("markup-b", "120.00", nrbRate="100.00", nrbUpcharge="20"), "120.00"),
    (bought("credit-a", "-11.00"), SILENT),
    (bought("credit-b", "-11.00"), "-11.00"),
    (bought("zero-a", "0.00"), SILENT),
    (bought("zero-b", "0.00"), SILENT),
    (bought("parent", "26.00", nrbDocumentType="RECEIPT_AP_INVOICE"), SILENT),
    (bought("sibling-a", "13.00", nrbParentGuid="parent"), SILENT),
    (bought("sibling-b", "13.00", nrbParentGuid="parent"), SILENT),
    # NULL, field by field
    (bought("no-vendor-a", "14.00", vendor=None), SILENT),
    (bought("no-vendor-b", "14.00", vendor=None), SILENT),
    (bought("no-total-a", None), SILENT),
    (bought("no-total-b", None), SILENT),
    (bought("no-date-a", "15.00", days=None, nrbCreatedAt=None), SILENT),
    (bought("no-date-b", "15.00", days=None, nrbCreatedAt=None), SILENT),
    (bought("no-type-a", "16.00", nrbTypeName=None), SILENT),
    (bought("no-type-b", "16.00", nrbTypeName=None), "16.00"),
    (bought("no-job-a", "17.00", nrbJobOrderNumber=None), SILENT),
    (bought("no-job-b", "17.00", nrbJobOrderNumber=None), "17.00"),
    (bought("no-rate-a", "18.00", nrbRate=None), SILENT),
    (bought("no-rate-b", "18.00", nrbRate=None), "18.00"),
]
ACCOUNT = Account([body for body, _ in CASES])


def test_fires_on_exactly_the_surplus_copies():
    assert ACCOUNT.risks(RULE) == firing(CASES)


def test_reason_evidence_and_key():
    hit = ACCOUNT.findings(RULE)["thrice-c"]
    assert (hit["reason"], hit["severity"]) == ("the same vendor, day and cost are booked without a number", "low")
    assert hit["key"] == {"others": "thrice-a thrice-b"}
    assert hit["evidence"]["accounting_date"] == "2026-09-10"


def test_min_amount_is_the_least_absolute_amount():
    assert "credit-b" in ACCOUNT.findings(RULE, min_amount=Decimal("11.00"))
    assert "credit-b" not in ACCOUNT.findings(RULE, min_amount=Decimal("11.01"))


# Three equal loads of one day: each on an invoice line of its own is a purchase of its own.
BILLED = [referenced(f"load-{n}", nrbInvoiceNumber=None, nrbPONumber=None) for n in range(3)]
EACH_ON_A_LINE = Account(BILLED, [invoice([line(ref(body["nrbGuid"])) for body in BILLED])])
TWO_ON_A_LINE = Account(BILLED, [invoice([line(ref(body["nrbGuid"])) for body in BILLED[:2]])])
FIRST_ON_NONE = Account(BILLED, [invoice([line(ref(body["nrbGuid"])) for body in BILLED[1:]])])
# All on one line, which is no line of their own. Others have the next line, and the first of another invoice.
ON_ONE_LINE = Account(
    [*BILLED, referenced("beside", "51.00"), referenced("elsewhere", "52.00")],
    [
        invoice([line(" ".join(ref(body["nrbGuid"]) for body in BILLED), "300.00"), line(ref("beside"), "51.00")]),
        invoice([line(ref("elsewhere"), "52.00")], "i2"),
    ],
)
ON_A_DRAFT = Account(BILLED, [invoice([line(ref(body["nrbGuid"])) for body in BILLED], status_name="Draft")])
# A reversal without a number could be a credit, so the state `reversed` needs one; a placeholder is one there.
REVERSED = Account(
    [
        bought("wrong", "12.00", "CASH"),
        bought("reversal", "-12.00", "CASH"),
        bought("re-entry", "12.00", "CASH"),
    ]
)


def test_costs_on_lines_of_their_own():
    assert set(EACH_ON_A_LINE.findings(RULE)) == set()
    assert set(TWO_ON_A_LINE.findings(RULE)) == {"load-2"}
    assert set(FIRST_ON_NONE.findings(RULE)) == {"load-1", "load-2"}
    assert set(ON_ONE_LINE.findings(RULE)) == set(ON_A_DRAFT.findings(RULE)) == {"load-1", "load-2"}


def test_a_reversed_cost_is_no_copy():
    assert REVERSED.draft.query("select count(*) from nrb_state where state = 'reversed'").scalar() == 2
    assert REVERSED.risks(RULE) == {}
