"""job-unmapped: something to bill on a job that no invoice belongs to."""

from tests.world import Account, invoice, line, nrb, related, unbilled

RULE = "job-unmapped"


def cost(number, total="100.00", guid=None, **changes):
    return unbilled(guid or f"of-{number}", total, nrbJobOrderNumber=number, **changes)


NRBS = [
    cost("LOST-1", "862.50"),
    cost("lost-1", "1.00", "of-the-same"),  # another spelling of one job
    cost("LOST-1", "5000.00", "internal-of-the-same", isInternal=True),
    cost("NUMBER-2"),
    cost("NAME-3"),
    cost("MAP-4"),
    cost("ID-5"),
    cost("VOID-6"),
    cost("FIRST-7"),
    cost("SECOND-8"),
    cost("OURS-9", isInternal=True),
    cost("GIFT-10", nrbIsBillable=False),
    cost("MAPPED-TO-NOTHING-11"),
    # its cost is on another job's invoice, also where that one is a draft
    nrb("billed", "50.00", nrbJobOrderNumber="BILLED-12", nrbBilledInName="INV-elsewhere"),
    nrb("drafted", "51.00", nrbJobOrderNumber="DRAFTED-14", nrbBilledInName="INV-draft"),
    # marked with an invoice that does not exist
    nrb("marked", "52.00", nrbJobOrderNumber="MARKED-15", nrbBilledInName="INV-404"),
    # nothing to bill: 0.00, and a cost that was reversed
    cost("ZERO-16", "0.00"),
    cost("UNDONE-17", "70.00", "wrong", nrbInvoiceNumber="AP-700"),
    cost("UNDONE-17", "-70.00", "reversal", nrbInvoiceNumber="AP-700"),
    # NULL
    cost("NIL-13", None),
    cost(None, guid="no-job"),
    cost("NIL-18", guid="no-type", nrbIsBillable=None, nrbAccountType=None),
]
INVOICES = [
    invoice([line("Labor", "1.00")], "by-number", related=[related("number 2", "J2")]),
    invoice([line("Labor", "2.00")], "by-name", related=[related("2044", "J3", "Sample Client / NAME-3")]),
    invoice([line("Labor", "3.00")], "by-map", related=[related("2045", "J4")]),
    invoice([line("Labor", "4.00")], "by-map-of-id", related=[related("2046", "J5")]),
    invoice([line("Labor", "5.00")], "void", is_active=False, related=[related("VOID-6", "J6")]),
    invoice([line("Labor", "6.00")], "two", related=[related("FIRST-7", "J7"), related("SECOND-8", "J8")]),
    invoice([line("R1-billed", "50.00")], "elsewhere", related=[related("2047", "J9")]),
    invoice([line("R1-drafted", "51.00")], "draft", related=[related("2049", "J11")], status_name="Draft"),
    invoice([line("Labor", "7.00")], "two-in-its-name", related=[related("2048", "J10", "LOST-1 or GIFT-10")]),
    invoice([line("Labor", "8.00")], "no-job", related=[]),
    invoice(
        [line("Labor", "9.00")],
        "contact",
        related=[
            {"id": "C1", "type": "contact", "number": None, "name": "MARKED-15"},
            related(None, "J12", "LOST-1 again"),
        ],
    ),
]
JOBS = [("MAP-4", "2045"), ("ID-5", "J5"), ("MAPPED-TO-NOTHING-11", "9999")]
ACCOUNT = Account(NRBS, INVOICES, jobs=JOBS)
EXPECTED = {
    "LOST-1": "863.50",
    "NAME-3": "100.00",
    "MAPPED-TO-NOTHING-11": "100.00",
    "MARKED-15": "52.00",
    "NIL-13": "0.00",
    "NIL-18": "100.00",
}


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == EXPECTED


def test_reason_and_evidence():
    found = ACCOUNT.findings(RULE)
    hit = found["MAPPED-TO-NOTHING-11"]
    assert (hit["reason"], hit["job_number"], hit["severity"]) == (
        "no invoice belongs to this job",
        "MAPPED-TO-NOTHING-11",
        "low",
    )
    assert hit["key"] == {"suggestion": ""}
    lost = found["LOST-1"]
    assert (lost["evidence"]["nrb_count"], lost["evidence"]["first_cost"]) == (2, "2026-09-10")


def test_a_job_that_is_only_suggested_is_named_and_not_taken():
    hit = ACCOUNT.findings(RULE)["NAME-3"]
    assert hit["reason"] == (
        "no invoice surely belongs to this job; JobNimbus job 2044, Sample Client / NAME-3 may be it"
    )
    assert hit["key"] == {"suggestion": "2044, Sample Client / NAME-3"}
    assert ACCOUNT.findings(RULE)["LOST-1"]["key"] == {"suggestion": "2048, LOST-1 or GIFT-10"}


def unread(job, **changes):
    return Account([cost("JOB-77")], [invoice([line()], "i1", related=[related(job)], **changes)])


HIDDEN = unread("job-77", subtotal="free")
OTHER_HIDDEN = unread("JOB-78", subtotal="free")
READ = unread("JOB-78")
BROKEN = Account([cost("JOB-77")], [invoice([line()], ["i1"], related=[related("job-77")])])
NRB_UNREAD = Account([cost("JOB-77", nrbRate="free")])


def test_an_invoice_that_could_not_be_read_may_belong_to_the_job():
    assert HIDDEN.risks(RULE) == BROKEN.risks(RULE) == {}
    assert NRB_UNREAD.risks(RULE) == OTHER_HIDDEN.risks(RULE) == READ.risks(RULE) == {"JOB-77": "100.00"}
