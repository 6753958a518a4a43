"""nrb-link-undecided: lines may carry the cost, and nothing proves it."""

import pytest

from tests.world import SILENT, Account, firing, invoice, line, nrb, ref, referenced, related, unbilled

RULE = "nrb-link-undecided"


def numbered(guid, number, total="100.00", **changes):
    return unbilled(guid, total, **{"nrbOriginReference": None, "nrbInvoiceNumber": number, **changes})


CASES = [
    # the vendor's number on a line of another amount asks; with the same amount it settles
    (numbered("asking", "47110"), "100.00"),
    (numbered("settled", "47220"), SILENT),
    # a weak name asks where nothing settles
    (numbered("weak", "PO7", nrbPONumber="PO-47330", nrbInvoiceNumber=None), "100.00"),
    (numbered("on-void", "47440"), SILENT),
    # two costs of one amount and one line of it, on the invoice of their mark
    (nrb("tied-a", "55.00"), "55.00"),
    (nrb("tied-b", "55.00"), "55.00"),
    # marks that fit several invoices, and one whose invoice has no line
    (nrb("several", "66.00", nrbBilledInName="INV-double"), "66.00"),
    (nrb("unreadable", "77.00", nrbBilledInName="INV-empty"), "77.00"),
    (nrb("unreadable-too", "78.00", nrbBilledInName=None, nrbBilledInGuid="GUID-unnumbered"), "78.00"),
    # a reference of its own on another job's invoice is nrb-other-job, unless something of its own job may carry it
    (referenced("away", "88.00"), SILENT),
    (referenced("away-and-near", "89.00", nrbInvoiceNumber="47550"), "89.00"),
    (numbered("away-by-vendor", "ABC-47660", "90.00"), "90.00"),
    (referenced("away-weakly", "91.00"), "91.00"),
    (referenced("away-on-draft", "92.00"), "92.00"),
    # two lines of one invoice, the first lines of two invoices, an amount besides a name
    (numbered("on-two-lines", "48110"), "100.00"),
    (numbered("on-two-invoices", "48220"), "100.00"),
    (nrb("tied-and-named-a", "56.00", nrbPONumber="PO-48330"), "56.00"),
    (nrb("tied-and-named-b", "56.00"), "56.00"),
    (nrb("of-that-order", "13.00", nrbPONumber="PO-48330", nrbBilledInName="INV-404"), "13.00"),
    (unbilled("unbilled"), SILENT),
    (numbered("internal", "47770", isInternal=True), SILENT),
    (numbered("not-billable", "47770", nrbIsBillable=False), SILENT),
    (numbered("nothing", "47770", "0.00"), SILENT),
    # NULL
    (numbered("no-total", "47880", None), None),
    (numbered("no-billable", "47990", nrbIsBillable=None), "100.00"),
]
OTHER = [related("JOB-2", "J2")]
INVOICES = [
    invoice(
        [
            line("Trucking 47110", "60.00"),
            line("Trucking 47220", "100.00"),
            line("Trucking PO-47330", "60.00"),
            line("Crane", "55.00"),
            line("Trucking 47550", "60.00"),
            line("Trucking 47770", "60.00"),
            line("Trucking 47880", "60.00"),
            line("Trucking 47990", "60.00"),
            line("Trucking 48110", "60.00"),
            line("Crane 48110", "30.00"),
            line("Crane PO-48330", "56.00"),
        ]
    ),
    invoice([line("Trucking 48220", "60.00")], "first"),
    invoice([line("Trucking 48220", "30.00")], "second"),
    invoice([line("Trucking 47440", "60.00")], "void", is_active=False),
    *[invoice([line("Labor", "9.00")], f"double-{n}", number="INV-double") for n in range(2)],
    invoice([], "empty", total="77.00"),
    invoice([], "unnumbered", total="78.00", number=None),
    invoice([line(ref("away"), "88.00")], "other", related=OTHER),
    invoice([line(ref("away-and-near"), "89.00")], "other-2", related=OTHER),
    invoice([line("ABC-47660", "90.00")], "other-3", related=OTHER),
    invoice([line(ref("away-weakly"), "20.00")], "other-4", related=OTHER),
    invoice([line(ref("away-on-draft"), "92.00")], "other-5", related=OTHER, status_name="Draft"),
]
# So that JOB-2 is a job of Aimsio.
NEIGHBOR = nrb("neighbor", "5.00", nrbJobOrderNumber="JOB-2", nrbBilledInName="INV-404")
ACCOUNT = Account([*(body for body, _ in CASES), NEIGHBOR], INVOICES)


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


@pytest.mark.parametrize(
    ("guid", "reason", "state", "lines"),
    [
        (
            "asking",
            "named, but not surely: vendor's invoice number 47110 (plain) 2",
            "undecided",
            "i1/0",
        ),
        (
            "weak",
            "perhaps named: purchase order or WBS po47330 (distinct) 1",
            "undecided",
            "i1/2",
        ),
        ("tied-a", "2 NRBs and 1 line have this amount, and nothing tells them apart", "undecided", "i1/3"),
        ("several", "its mark fits several invoices", "marked_several", ""),
        ("unreadable", "its invoice INV-empty has no line that can be read", "unreadable", ""),
        ("unreadable-too", "its invoice unnumbered has no line that can be read", "unreadable", ""),
    ],
)
def test_reason_and_candidates(guid, reason, state, lines):
    hit = ACCOUNT.findings(RULE)[guid]
    assert hit["reason"].startswith(reason)
    assert (hit["evidence"]["state"], hit["evidence"]["candidate_lines"]) == (state, lines)
    assert hit["evidence"]["candidates"] == (1 if lines else 0)
    assert hit["severity"] == "medium"


def test_several_candidates_are_all_named():
    hit = ACCOUNT.findings(RULE)["away-and-near"]
    assert (hit["evidence"]["candidates"], hit["evidence"]["candidate_lines"]) == (2, "i1/4 other-2/0")


@pytest.mark.parametrize(
    ("guid", "lines"),
    [
        ("on-two-lines", "i1/8 i1/9"),
        ("on-two-invoices", "first/0 second/0"),
        ("tied-and-named-a", "i1/10"),
        ("tied-and-named-b", "i1/10"),
    ],
)
def test_each_candidate_is_named_once(guid, lines):
    hit = ACCOUNT.findings(RULE)[guid]
    assert (hit["evidence"]["candidates"], hit["evidence"]["candidate_lines"]) == (len(lines.split()), lines)


def test_an_acceptance_rests_on_the_state_and_the_lines():
    keys = ACCOUNT.draft.query(
        "select line_key from invoice_item where description in ('Trucking 47550', $words) order by line_key",
        {"words": ref("away-and-near")},
    ).column()
    assert ACCOUNT.findings(RULE)["away-and-near"]["key"] == {"state": "undecided", "line_keys": " ".join(keys)}
    assert ACCOUNT.findings(RULE)["several"]["key"] == {"state": "marked_several", "line_keys": ""}


def test_every_undecided_cost_is_found_by_one_of_two_rules():
    states = ("undecided", "marked_several", "unreadable")
    waiting = ACCOUNT.draft.query("select guid from nrb_status where state in $states", {"states": states}).column()
    found = [*ACCOUNT.findings(RULE), *ACCOUNT.findings("nrb-other-job")]
    assert sorted(found) == sorted(waiting)


def test_no_undecided_cost_is_called_unbilled():
    assert set(ACCOUNT.findings("nrb-unbilled")) == {"unbilled", "on-void"}
