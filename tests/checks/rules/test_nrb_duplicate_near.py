"""nrb-duplicate-near: one cost under two spellings, two numbers, two vendors or two jobs."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.world import COST_DAY, SILENT, Account, firing, invoice, line, ms, ref, referenced, unbilled

RULE = "nrb-duplicate-near"


def bought(guid, number, total, vendor="BIT", days=0, **changes):
    day = None if days is None else ms(COST_DAY + timedelta(days=days))
    fields = {"nrbInvoiceNumber": number, "nrbVendorCode": vendor, "nrbInvoiceDate": day, **changes}
    return unbilled(guid, total, **{"nrbOriginReference": None, "nrbPONumber": None, **fields})


CASES = [
    # another spelling of the number: leading zeros, O for 0, a revision letter
    (bought("zeros-a", "AP-0071", "1.00"), SILENT),
    (bought("zeros-b", "ap 71", "1.00", " bit "), "1.00"),
    (bought("oh-a", "A20-7", "2.00"), SILENT),
    (bought("oh-b", "A2O-7", "2.00"), "2.00"),
    (bought("revised-a", "7731", "3.00"), SILENT),
    (bought("revised-b", "7731-R", "3.00"), "3.00"),
    (bought("revised-c", "7731-A", "3.00"), "3.00"),
    (bought("spelled-other-job-a", "AP-0081", "4.00"), SILENT),
    (bought("spelled-other-job-b", "AP-81", "4.00", nrbJobOrderNumber="JOB-2"), "4.00"),
    (bought("spelled-other-vendor-a", "AP-0082", "36.00"), SILENT),
    (bought("spelled-other-vendor-b", "AP-82", "36.00", "OTHER"), SILENT),
    # the later date is the copy, whatever the ids
    (bought("turned-a", "AP-0083", "37.00", days=1), "37.00"),
    (bought("turned-b", "AP-83", "37.00"), SILENT),
    # one edit apart, entered within two days
    (bought("longer-a", "INV-4711", "5.00"), SILENT),
    (bought("longer-b", "INV-47111", "5.00"), "5.00"),
    (bought("changed-a", "INV-4711", "6.00"), SILENT),
    (bought("changed-b", "INV-4911", "6.00"), "6.00"),
    (bought("swap-a", "INV-4771", "7.00"), SILENT),
    (bought("swap-b", "INV-7471", "7.00"), "7.00"),
    (bought("two-days-a", "INV-4711", "8.00"), SILENT),
    (bought("two-days-b", "INV-4911", "8.00", days=2), "8.00"),
    (bought("three-days-a", "INV-4711", "9.00"), SILENT),
    (bought("three-days-b", "INV-4911", "9.00", days=3), SILENT),
    # running numbers differ in their last digit alone: two loads of one day
    (bought("running-a", "INV-4711", "10.00"), SILENT),
    (bought("running-b", "INV-4712", "10.00"), SILENT),
    (bought("last-letter-a", "4711-77B", "11.00"), SILENT),
    (bought("last-letter-b", "4711-77C", "11.00"), "11.00"),
    # two edits, a swap across a digit, a swap beside another edit
    (bought("two-edits-a", "INV-4711", "12.00"), SILENT),
    (bought("two-edits-b", "INV-4822", "12.00"), SILENT),
    (bought("far-swap-a", "INV-4567", "13.00"), SILENT),
    (bought("far-swap-b", "INV-6547", "13.00"), SILENT),
    (bought("swap-and-edit-a", "INV-4567", "14.00"), SILENT),
    (bought("swap-and-edit-b", "INV-5468", "14.00"), SILENT),
    # six letters and digits at least, on both sides
    (bought("short-a", "AB-471", "15.00"), SILENT),
    (bought("short-b", "AB-4711", "15.00"), SILENT),
    (bought("shorter-a", "AB-4711", "38.00"), SILENT),
    (bought("shorter-b", "AB-471", "38.00"), SILENT),
    (bought("six-a", "AB-4711", "16.00"), SILENT),
    (bought("six-b", "AB-4911", "16.00"), "16.00"),
    (bought("five-a", "AB-711", "17.00"), SILENT),
    (bought("five-b", "AB-911", "17.00"), SILENT),
    (bought("credit-a", "INV-4711", "-22.00"), SILENT),
    (bought("credit-b", "INV-4911", "-22.00"), "-22.00"),
    (bought("edit-other-vendor-a", "INV-4711", "39.00"), SILENT),
    (bought("edit-other-vendor-b", "INV-4911", "39.00", "OTHER"), SILENT),
    # another vendor: the same number, date and cost
    (bought("vendor-a", "47", "18.00"), SILENT),
    (bought("vendor-b", "47", "18.00", "OTHER"), "18.00"),
    (bought("vendor-other-day-a", "47", "19.00"), SILENT),
    (bought("vendor-other-day-b", "47", "19.00", "OTHER", days=1), SILENT),
    (bought("vendor-other-number-a", "47", "20.00"), SILENT),
    (bought("vendor-other-number-b", "48", "20.00", "OTHER"), SILENT),
    # another job: one vendor invoice, split in halves or booked twice
    (bought("job-a", "AP-900", "21.00"), SILENT),
    (bought("job-b", "ap900", "21.00", nrbJobOrderNumber="JOB-2"), "21.00"),
    (bought("job-other-amount-a", "AP-902", "40.00"), SILENT),
    (bought("job-other-amount-b", "AP-902", "40.01", nrbJobOrderNumber="JOB-2"), SILENT),
    (bought("job-other-vendor-a", "AP-903", "41.00"), SILENT),
    (bought("job-other-vendor-b", "AP-903", "41.00", "OTHER", days=1, nrbJobOrderNumber="JOB-2"), SILENT),
    (bought("no-job-a", "AP-901", "23.00"), SILENT),
    (bought("no-job-b", "AP-901", "23.00", nrbJobOrderNumber=None), "23.00"),
    # equal numbers on one job are nrb-duplicate
    (bought("equal-a", "INV-4711", "24.00"), SILENT),
    (bought("equal-b", "inv4711", "24.00"), SILENT),
    (bought("other-amount-a", "INV-4711", "25.00"), SILENT),
    (bought("other-amount-b", "INV-04711", "25.01"), SILENT),
    # the cost before markup counts
    (bought("markup-a", "AP-0512", "110.00", nrbRate="100.00", nrbUpcharge="10"), SILENT),
    (bought("markup-b", "AP-512", "120.00", nrbRate="100.00", nrbUpcharge="20"), "120.00"),
    # the boundary of $days = 20
    (bought("day-0", "AP-0031", "26.00"), SILENT),
    (bought("day-20", "AP-31", "26.00", days=20), "26.00"),
    (bought("far-0", "AP-0032", "27.00"), SILENT),
    (bought("far-21", "AP-32", "27.00", days=21), SILENT),
    # weekly rent with running numbers
    *[(bought(f"rent-{week}", f"RENT-7{week}40", "700.00", days=7 * week), SILENT) for week in range(4)],
    # items of one receipt, a reversed cost, nothing
    (bought("parent", "X-1", "56.00", nrbDocumentType="RECEIPT_AP_INVOICE"), SILENT),
    (bought("sibling-a", "AP-0041", "28.00", nrbParentGuid="parent"), SILENT),
    (bought("sibling-b", "AP-41", "28.00", nrbParentGuid="parent"), SILENT),
    (bought("reversed-a", "AP-0042", "29.00"), SILENT),
    (bought("reversed-b", "AP-0042", "-29.00"), SILENT),
    (bought("reversed-c", "AP-42", "29.00"), SILENT),
    (bought("zero-a", "AP-0043", "0.00"), SILENT),
    (bought("zero-b", "AP-43", "0.00"), SILENT),
    # placeholders are no numbers
    (bought("cash-a", "CASH", "30.00"), SILENT),
    (bought("cash-b", "CASH", "30.00", "OTHER"), SILENT),
    (bought("cash-c", "CASH", "30.00", nrbJobOrderNumber="JOB-2"), SILENT),
    (bought("nil-a", "0", "31.00"), SILENT),
    (bought("nil-b", "000", "31.00"), SILENT),
    # NULL, field by field
    (bought("no-vendor-a", "AP-0051", "32.00", None), SILENT),
    (bought("no-vendor-b", "AP-51", "32.00", None), SILENT),
    (bought("no-number-a", None, "33.00"), SILENT),
    (bought("no-number-b", "AP-52", "33.00"), SILENT),
    (bought("no-total-a", "AP-0053", None), SILENT),
    (bought("no-total-b", "AP-53", None), SILENT),
    (bought("no-date-a", "AP-0054", "34.00", days=None, nrbCreatedAt=None), SILENT),
    (bought("no-date-b", "AP-54", "34.00"), SILENT),
    (bought("no-rate-a", "AP-0055", "35.00", nrbRate=None), SILENT),
    (bought("no-rate-b", "AP-55", "35.00", nrbRate=None), "35.00"),
]
ACCOUNT = Account([body for body, _ in CASES])


def test_fires_on_exactly_the_surplus_copies():
    assert ACCOUNT.risks(RULE) == firing(CASES)


@pytest.mark.parametrize(
    ("guid", "reason", "others"),
    [
        ("zeros-b", "the same cost is booked under another spelling of the number", "zeros-a"),
        ("revised-b", "the same cost is booked under another spelling of the number", "revised-a"),
        ("revised-c", "the same cost is booked under another spelling of the number", "revised-a revised-b"),
        ("changed-b", "the same cost is booked under an almost equal number of the same vendor", "changed-a"),
        ("vendor-b", "the same number, date and cost are booked under another vendor", "vendor-a"),
        ("job-b", "the same vendor invoice and cost are booked on another job: split or booked twice", "job-a"),
    ],
)
def test_reason_and_the_other_costs(guid, reason, others):
    hit = ACCOUNT.findings(RULE)[guid]
    assert (hit["reason"], hit["evidence"]["others"], hit["severity"]) == (reason, others, "medium")
    assert hit["key"] == {"others": others}


def test_days():
    assert "day-20" not in ACCOUNT.findings(RULE, days=19)
    assert "far-21" in ACCOUNT.findings(RULE, days=21)


def test_min_amount_is_the_least_absolute_amount():
    assert "credit-b" in ACCOUNT.findings(RULE, min_amount=Decimal("22.00"))
    assert "credit-b" not in ACCOUNT.findings(RULE, min_amount=Decimal("22.01"))
    assert ACCOUNT.risks(RULE, min_amount=Decimal("110.01")) == {}  # one of the two is below it


# Costs that are each on an invoice line of their own: two numbers are two documents, and one that is split over two
# jobs is billed on both. One document under two spellings or two vendors is charged twice.
def pair(name, numbers, vendors=("BIT", "BIT"), jobs=("JOB-1001", "JOB-1001")):
    return [
        referenced(
            f"{name}-{side}",
            nrbInvoiceNumber=numbers[place],
            nrbVendorCode=vendors[place],
            nrbJobOrderNumber=jobs[place],
            nrbPONumber=None,
            nrbBilledInName="INV-i1",
        )
        for place, side in enumerate("ab")
    ]


BILLED = [
    *pair("edit", ("INV-4711", "INV-4911")),
    *pair("split", ("AP-900", "AP-900"), jobs=("JOB-1001", "JOB-2")),
    *pair("spelled", ("AP-0071", "AP-71")),
    *pair("vendor", ("47001", "47001"), vendors=("BIT", "OTHER")),
]
EACH_ON_A_LINE = Account(BILLED, [invoice([line(ref(body["nrbGuid"])) for body in BILLED])])
FIRST_ON_A_LINE = Account(BILLED, [invoice([line(ref(body["nrbGuid"])) for body in BILLED[::2]])])
SECOND_ON_A_LINE = Account(BILLED, [invoice([line(ref(body["nrbGuid"])) for body in BILLED[1::2]])])
ON_A_DRAFT = Account(BILLED, [invoice([line(ref(body["nrbGuid"])) for body in BILLED], status_name="Draft")])
# All on one line, which is no line of their own. Others have the next line, and the first of another invoice.
ALL_ON_ONE = Account(
    [*BILLED, referenced("beside", "51.00"), referenced("elsewhere", "52.00")],
    [
        invoice([line(" ".join(ref(body["nrbGuid"]) for body in BILLED), "800.00"), line(ref("beside"), "51.00")]),
        invoice([line(ref("elsewhere"), "52.00")], "i2"),
    ],
)


def test_costs_on_lines_of_their_own():
    both = {"spelled-b", "vendor-b"}
    every = {"edit-b", "split-b", *both}
    assert set(EACH_ON_A_LINE.findings(RULE)) == both
    assert set(FIRST_ON_A_LINE.findings(RULE)) == set(SECOND_ON_A_LINE.findings(RULE)) == every
    assert set(ON_A_DRAFT.findings(RULE)) == every
    assert set(ALL_ON_ONE.findings(RULE)) == every
