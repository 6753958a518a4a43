"""Situations that are normal in a contractor's books: no rule of medium or higher severity may fire on them."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.world import AS_OF, COST_DAY, Account, invoice, line, ms, nrb, ref, referenced, related, seconds, unbilled


def day(days):
    return seconds(COST_DAY + timedelta(days=days))


def paid(items, jnid, days=0, **changes):
    """An invoice that is paid in full a week after it was issued."""
    total = sum(Decimal(item["amount"]) for item in items) + Decimal(changes.get("tax") or 0)
    settled = {"total_paid": str(total), "due": "0.00", "date_paid_in_full": day(days + 7), "status_name": "Paid"}
    return invoice(items, jnid, **{"date_invoice": day(days), **settled, **changes})


def billed(guid, total="100.00", jnid="i1", **changes):
    """A cost that is marked with an invoice and named by its reference."""
    return referenced(guid, total, **{"nrbBilledInName": f"INV-{jnid}", "nrbPONumber": None, **changes})


LABOR = [{**related("LABOR-1", "J9"), "name": "Main Street"}]
WEEKS = range(4)
TAXED = {"nrbRate": "750.00", "nrbUpcharge": "10", "nrbVendorTax": "37.50"}
SITUATIONS = {
    "a job of labor alone": ([], [invoice([line("Labor", "862.50")], related=LABOR)]),
    "a deposit that was paid before it was invoiced, and a final invoice of one amount": (
        [billed("n1", "1000.00", "final")],
        [
            paid([line("Deposit 50 %", "1000.00", item_type="labor")], "deposit", date_paid_in_full=day(-20)),
            paid([line(ref("n1"), "1000.00")], "final", 20),
        ],
    ),
    "progress billing over months": (
        [billed("n1", "1000.00", "first")],
        [
            paid([line(f"{ref('n1')} 40 %", "400.00")], "first", 20),
            paid([line(f"{ref('n1')} 30 %", "300.00")], "second", 50),
            paid([line(f"{ref('n1')} 30 %", "300.00")], "third", 80),
        ],
    ),
    "one cost on two invoices 40/60, without a mark": (
        [referenced("n1", "1000.00")],
        [paid([line(ref("n1"), "400.00")], "first"), paid([line(ref("n1"), "600.00")], "second", 30)],
    ),
    "weekly rent with running numbers, invoiced week by week": (
        [
            billed(
                f"w{n}",
                "700.00",
                f"w{n}",
                nrbInvoiceNumber=f"RENT-70{n}40",
                nrbInvoiceDate=ms(COST_DAY + timedelta(7 * n)),
            )
            for n in WEEKS
        ],
        [paid([line("Rent of one tank, week", "700.00")], f"w{n}", 7 * n) for n in WEEKS],
    ),
    "two loads of one day with running numbers": (
        [billed("a", nrbInvoiceNumber="TKT-480011"), billed("b", nrbInvoiceNumber="TKT-480012")],
        [paid([line("TKT-480011"), line("TKT-480012")], "i1")],
    ),
    "two loads of one day on one vendor invoice": (
        [billed("a", nrbInvoiceNumber="AP-4800"), billed("b", nrbInvoiceNumber="AP-4800")],
        [paid([line(ref("a")), line(ref("b"))], "i1")],
    ),
    "one vendor invoice split over two jobs, both billed": (
        [
            billed("a", jnid="a", nrbInvoiceNumber="AP-4900"),
            billed("b", jnid="b", nrbInvoiceNumber="AP-4900", nrbJobOrderNumber="JOB-2"),
        ],
        [paid([line(ref("a"))], "a"), paid([line(ref("b"))], "b", related=[related("JOB-2", "J2")])],
    ),
    "a cost of nothing": ([unbilled("n1", "0.00", nrbRate="0.00"), nrb("n2", "0.00", nrbRate="0.00")], []),
    "a wrong bill, its reversal, and the re-entry that was billed": (
        [
            unbilled("wrong", "100.00", nrbInvoiceNumber="AP-5000"),
            unbilled("reversal", "-100.00", nrbInvoiceNumber="AP-5000"),
            billed("right", "110.00", nrbInvoiceNumber="AP-5000-R"),
        ],
        [paid([line(ref("right"), "110.00")], "i1")],
    ),
    "a vendor's credit netted into one line": (
        [billed("cost", "1000.00"), billed("credit", "-200.00")],
        [paid([line(f"{ref('cost')} less {ref('credit')}", "800.00")], "i1")],
    ),
    "a lump of three costs, a cent off": (
        [billed(f"n{n}", total) for n, total in enumerate(("10.00", "20.00", "30.00"))],
        [paid([line(", ".join(ref(f"n{n}") for n in range(3)), "60.01")], "i1")],
    ),
    "rebilled without the recoverable tax": (
        [billed("n1", "862.50", **TAXED)],
        [paid([line(ref("n1"), "825.00")], "i1")],
    ),
    "void and reissued": (
        [billed("n1")],
        [
            invoice([line(ref("n1"))], "old", number="INV-i1", is_active=False),
            paid([line(ref("n1"))], "i1"),
        ],
    ),
    "an invoice, its credit note and its reissue": (
        [billed("n1")],
        [
            paid([line(ref("n1"))], "i1"),
            paid([line(f"Credit {ref('n1')}", "-100.00")], "credit", 3, status_name="Sent", date_paid_in_full=day(4)),
            paid([line(f"{ref('n1')} corrected")], "again", 4),
        ],
    ),
    "marked with one invoice, billed on another of the job": (
        [billed("n1", jnid="first")],
        [paid([line("Labor", "9.00", item_type="labor")], "first"), paid([line(ref("n1"))], "second", 5)],
    ),
    "two costs and two lines of one amount": (
        [
            billed("a", "55.00", nrbOriginReference=None),
            billed("b", "55.00", nrbOriginReference=None, nrbInvoiceNumber="AP-52"),
        ],
        [paid([line("Crane", "55.00"), line("Crane", "55.00")], "i1")],
    ),
    "retainage held back and released": (
        [billed("n1", "1000.00")],
        [
            paid([line(ref("n1"), "1000.00"), line("Holdback 10 %", "-100.00")], "i1"),
            paid([line("Release of holdback", "100.00", item_type="labor")], "release", 40),
        ],
    ),
    "two trucks of one day at one price, an invoice for each": (
        [billed("a", jnid="a", nrbOriginReference="REF-7001"), billed("b", jnid="b", nrbOriginReference="REF-7002")],
        [paid([line("Vacuum truck")], "a"), paid([line("Vacuum truck")], "b")],
    ),
    "cash purchases without a number": (
        [
            billed(f"n{n}", f"{n}0.00", nrbInvoiceNumber="CASH", nrbOriginReference=ref(f"n{n}")) for n in (1, 2, 3)
        ],
        [paid([line(ref(f"n{n}"), f"{n}0.00") for n in (1, 2, 3)], "i1")],
    ),
    "a receipt whose items are billed": (
        [
            nrb("receipt", "100.00", nrbDocumentType="RECEIPT_AP_INVOICE", nrbBilledInName="INV-i1"),
            billed("a", "60.00", nrbParentGuid="receipt", nrbInvoiceNumber="AP-53"),
            billed("b", "40.00", nrbParentGuid="receipt", nrbInvoiceNumber="AP-53"),
        ],
        [paid([line(ref("a"), "60.00"), line(ref("b"), "40.00")], "i1")],
    ),
    "an internal cost that nobody bills": (
        [unbilled("n1", isInternal=True, nrbIsBillable=False, nrbAccountType=None)],
        [],
    ),
    "an invoice that is not due yet": ([billed("n1")], [invoice([line(ref("n1"))], date_due=seconds(AS_OF))]),
}  # fmt: skip
ACCOUNTS = {name: Account(nrbs, invoices) for name, (nrbs, invoices) in SITUATIONS.items()}


@pytest.mark.parametrize("name", SITUATIONS)
def test_nothing_of_medium_or_higher_severity_fires(name):
    assert ACCOUNTS[name].loud() == {}


def test_a_situation_that_is_not_normal_is_seen():
    """The same, with a fault: the test above would notice."""
    assert Account([unbilled("n1")], [invoice([line("Labor", "9.00")])]).loud() == {
        "nrb-exported-unbilled": {"n1": "100.00"},
        "nrb-unbilled": {"n1": "100.00"},
    }


def test_a_vendor_invoice_split_over_two_jobs_is_possible_and_not_high():
    halves = [
        unbilled("a", nrbInvoiceNumber="AP-4900", nrbIsExported=False),
        unbilled("b", nrbInvoiceNumber="AP-4900", nrbIsExported=False, nrbJobOrderNumber="JOB-2"),
    ]
    account = Account(halves)
    assert account.risks("nrb-duplicate") == {}
    hit = account.findings("nrb-duplicate-near")["b"]
    assert (hit["severity"], hit["reason"].endswith("split or booked twice")) == ("medium", True)


def test_an_aggregate_never_repeats_what_its_items_say():
    """A job whose costs are each found unbilled, in part, twice or credited has no other finding of medium or more."""
    account = Account(
        [
            *(unbilled("u"), referenced("part"), referenced("twice"), referenced("back")),
            nrb("lost", nrbBilledInName="INV-404"),
        ],
        [
            invoice(
                [
                    line(ref("part"), "40.00"),
                    *[line(ref("twice"))] * 2,
                    line(ref("back"), "100.00"),
                    line(ref("back"), "-100.00"),
                ]
            )
        ],
    )  # fmt: skip
    found = account.loud()
    assert set(found) == {
        "nrb-billed-not-found",
        "nrb-billed-part",
        "nrb-charged-twice",
        "nrb-credited-back",
        "nrb-exported-unbilled",
        "nrb-unbilled",
    }
    assert account.risks("job-unmapped") == {}
