"""nrb-other-job: the cost, or a reference of its own, is on another job's invoice."""

from tests.world import SILENT, Account, firing, invoice, line, nrb, ref, referenced, related, unbilled

RULE = "nrb-other-job"
OTHER = [related("JOB-2", "J2")]


def numbered(guid, number, total, **changes):
    return unbilled(guid, total, **{"nrbOriginReference": None, "nrbInvoiceNumber": number, **changes})


CASES = [
    # a reference of its own, unmarked
    (referenced("named-there", "88.00"), "88.00"),
    (referenced("named-twice-there", "89.00"), "89.00"),
    # marked with the other job's invoice, whose line names it or has its amount
    (referenced("linked-there", nrbBilledInName="INV-other"), "100.00"),
    (nrb("marked-there", "733.19", nrbBilledInName="INV-other"), "733.19"),
    (referenced("internal-there", isInternal=True, nrbBilledInName="INV-other"), "100.00"),
    # nothing but a vendor's number, too little evidence, a draft, something of its own job that may carry it
    (unbilled("by-vendor-number", nrbInvoiceNumber="ABC-47660"), SILENT),
    (referenced("of-another-amount", "91.00"), SILENT),
    (referenced("on-draft", "92.00"), SILENT),
    (referenced("linked-on-draft", "96.00", nrbBilledInName="INV-draft"), SILENT),
    (referenced("named-here-too", "93.00", nrbInvoiceNumber="47550"), SILENT),
    # its own job, one of several, none at all, one that is only suggested
    (referenced("here", "94.00"), SILENT),
    (referenced("of-two-jobs", "95.00"), SILENT),
    (referenced("on-no-job", "97.00"), SILENT),
    # charged twice, or asked about a cost that is not charged: other rules
    (referenced("twice-here", "86.00"), SILENT),
    (referenced("internal-named-there", "85.00", isInternal=True), SILENT),
    # what else the line names, and other lines that cannot carry it, change nothing
    (referenced("beside-another", "84.00"), "84.00"),
    (numbered("the-other", "47999", "20.00", nrbJobOrderNumber="JOB-2"), SILENT),
    (referenced("on-void-too", "82.00", nrbInvoiceNumber="47662"), "82.00"),
    (referenced("on-nothing-too", "81.00", nrbInvoiceNumber="ABC-47661"), "81.00"),
    (referenced("suggested", "98.00", nrbBilledInName="INV-unsure"), SILENT),
    # a person confirmed it
    (referenced("by-hand", "99.00"), SILENT),
    # NULL
    (referenced("no-job", "87.00", nrbJobOrderNumber=None, nrbBilledInName="INV-other"), SILENT),
    (referenced("no-total", None, nrbBilledInName="INV-other"), None),
]
NEIGHBOR = nrb("neighbor", "5.00", nrbJobOrderNumber="JOB-2", nrbBilledInName="INV-404")
INVOICES = [
    invoice(
        [
            line(ref("named-there"), "88.00"),
            line(ref("named-twice-there"), "89.00"),
            line(ref("linked-there"), "100.00"),
            line("Crane", "733.19"),
            line(ref("internal-there"), "100.00"),
            line("ABC-47660", "100.00"),
            line(ref("of-another-amount"), "20.00"),
            line(ref("named-here-too"), "93.00"),
            line(ref("by-hand"), "99.00"),
            line(ref("no-job"), "87.00"),
            line(ref("no-total"), "10.00"),
            line(ref("internal-named-there"), "85.00"),
            line(f"{ref('beside-another')} Trucking 47999", "84.00"),
            line(ref("on-nothing-too"), "81.00"),
            line("ABC-47661", "0.00"),
        ],
        "other",
        related=OTHER,
    ),
    invoice([line(ref("named-twice-there"), "89.00")], "other-2", related=OTHER),
    invoice(
        [line(ref("on-draft"), "92.00"), line(ref("linked-on-draft"), "96.00")],
        "draft",
        related=OTHER,
        status_name="Draft",
    ),
    invoice([line("Trucking 47550", "60.00"), line(ref("here"), "94.00")], "own"),
    invoice([line(ref("twice-here"), "86.00"), line(ref("twice-here"), "86.00")], "own-2"),
    invoice([line(ref("on-void-too"), "82.00")], "other-3", related=OTHER),
    invoice([line("Trucking 47662", "20.00")], "own-void", is_active=False),
    invoice([line(ref("of-two-jobs"), "95.00")], "both", related=[related("JOB-2", "J2"), related()]),
    invoice([line(ref("on-no-job"), "97.00")], "none", related=[]),
    invoice([line(ref("suggested"), "98.00")], "unsure", related=[related("2044", "J4", "Main Street, JOB-2")]),
]  # fmt: skip
ACCOUNT = Account([*(body for body, _ in CASES), NEIGHBOR], INVOICES, links=[("by-hand", "other", 8)])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


def test_reason_evidence_and_key():
    hit = ACCOUNT.findings(RULE)["named-there"]
    assert (hit["reason"], hit["severity"], hit["job_number"]) == (
        "on invoice INV-other of job JOB-2",
        "medium",
        "JOB-1001",
    )
    assert hit["evidence"] == {"jnid": "other", "invoice_number": "INV-other", "other_job": "JOB-2"}
    assert hit["key"] == {"jnid": "other"}
    assert ACCOUNT.findings(RULE)["named-twice-there"]["evidence"]["jnid"] == "other"


def test_no_cost_is_asked_about_twice():
    assert not set(ACCOUNT.findings(RULE)) & set(ACCOUNT.findings("nrb-link-undecided"))


# On two invoices of another job, on one of them by hand; and on one that has no number.
TWICE = Account(
    [referenced("n1", nrbBilledInName="INV-b"), NEIGHBOR],
    [
        invoice([line(ref("n1"), "60.00")], "b", related=OTHER),
        invoice([line("Labor", "60.00")], "a", related=OTHER),
    ],
    links=[("n1", "a", 0)],
)
UNNUMBERED = Account(
    [referenced("n1", nrbBilledInName=None, nrbBilledInGuid="GUID-b"), NEIGHBOR],
    [invoice([line(ref("n1"))], "b", related=OTHER, number=None)],
)


def test_a_line_that_a_person_confirmed_is_not_the_one_that_is_named():
    assert TWICE.findings(RULE)["n1"]["evidence"]["jnid"] == "b"


def test_an_invoice_without_a_number_is_named_by_its_id():
    assert UNNUMBERED.findings(RULE)["n1"]["reason"] == "on invoice b of job JOB-2"
