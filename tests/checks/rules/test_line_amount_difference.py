"""line-amount-difference: the line carries the cost, but for another amount."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.world import COST_DAY, SILENT, Account, firing_lines, invoice, line, ref, referenced, seconds

RULE = "line-amount-difference"


def carried(jnid, total, amount, invoice_changes=None, **changes):
    """An NRB and the invoice whose only line names it."""
    return referenced(jnid, total, **changes), invoice([line(ref(jnid), amount)], jnid, **(invoice_changes or {}))


CASES = [
    (carried("more", "100.00", "862.50"), "762.50"),
    (carried("less", "862.50", "800.00"), "62.50"),
    (carried("equal", "862.50", "862.50"), SILENT),
    # less than 80 % of one cost is nrb-billed-part
    (carried("at-80-percent", "100.00", "80.00"), "20.00"),
    (carried("below-80-percent", "100.00", "79.99"), SILENT),
    (carried("wrong-sign", "100.00", "-100.00"), "200.00"),
    (carried("internal", "100.00", "862.50", isInternal=True), SILENT),
    (carried("not-billable", "100.00", "862.50", nrbIsBillable=False), SILENT),
    (carried("void", "100.00", "862.50", {"is_active": False}), SILENT),
    (carried("draft", "100.00", "862.50", {"status_name": "draft"}), SILENT),
    (carried("credit", "-10.00", "-12.00"), "2.00"),
    # a line of 0.00 carries nothing: nrb-line-not-found
    (carried("line-of-nothing", "100.00", "0.00"), SILENT),
    # short by exactly the vendor's tax is billed in full
    (carried("without-tax", "105.00", "100.00", nrbVendorTax="5.00"), SILENT),
    # NULL, field by field
    (carried("no-total", None, "5.00"), "5.00"),  # counts as 0.00, as in the statement
    (carried("no-amount", "100.00", None), SILENT),
    (carried("no-billable", "100.00", "99.00", nrbIsBillable=None), "1.00"),
    (carried("no-status", "100.00", "99.00", {"status_name": None}), "1.00"),
    (carried("no-job", "100.00", "99.00", nrbJobOrderNumber=None, nrbBilledInName="INV-no-job"), "1.00"),
    (carried("no-date", "100.00", "99.00", {"date_invoice": None, "date_created": None}), "1.00"),
    # the boundary of $tolerance = 0
    (carried("a-cent", "100.00", "100.01"), "0.01"),
]
NRBS, INVOICES = [list(bodies) for bodies in zip(*[pair for pair, _ in CASES], strict=True)]
ACCOUNT = Account(NRBS, INVOICES)


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing_lines([(pair[1], risk) for pair, risk in CASES])


@pytest.mark.parametrize(
    ("subject", "reason", "difference"),
    [("more/0", "charged more than the cost", "762.50"), ("less/0", "charged less than the cost", "-62.50")],
)
def test_reason_evidence_and_key(subject, reason, difference):
    hit = ACCOUNT.findings(RULE)[subject]
    assert (hit["reason"], hit["evidence"]["difference"], hit["severity"]) == (reason, difference, "medium")
    assert hit["key"] == {"nrb_guids": subject.removesuffix("/0"), "difference": 1 if difference > "0" else -1}


def test_tolerance():
    every = firing_lines([(pair[1], risk) for pair, risk in CASES])
    for tolerance, silent in (
        ("0.01", {"a-cent/0"}),
        ("0.99", {"a-cent/0"}),
        ("1.00", {"a-cent/0", "no-billable/0", "no-status/0", "no-job/0", "no-date/0"}),
    ):
        assert set(every) - set(ACCOUNT.findings(RULE, tolerance=Decimal(tolerance))) == silent


# A line of several costs is compared as a whole, also where a person linked them and where it is short by more than a
# fifth; internal costs on it are left out. A cost that several lines overcharge is found on the last of them.
SHARED = Account(
    [
        referenced("both-1", "8.00"),
        referenced("both-2", "4.00"),
        referenced("of-1", "-1.00"),
        referenced("of-2", "3.00", nrbJobOrderNumber="X-2"),
        referenced("far-1", "100.00"),
        referenced("far-2", "100.00"),
        referenced("right-1", "8.00"),
        referenced("right-2", "4.00"),
        referenced("ours", "50.00", isInternal=True),
        referenced("theirs", "50.00"),
        referenced("gift", "50.00", nrbIsBillable=False),
        referenced("charged", "50.00"),
        referenced("split", "30.00"),
        referenced("split-more", "30.00"),
        referenced("split-less", "30.00"),
        referenced("crossed-1", "30.00"),
        referenced("crossed-2", "40.00"),
        referenced("alone-of-a-pair", "20.00"),
        referenced("pair-and-more", "20.00"),
    ],
    [
        invoice(
            [
                line("R1000-both-1 R1000-both-2", "10.00"),
                line("of", "4.00"),
                line("R1000-far-1 R1000-far-2", "100.00"),
                line("R1000-right-1 R1000-right-2", "12.01"),
                line("R1000-ours R1000-theirs", "103.00"),
                line("R1000-split", "20.00"),
                line("R1000-split", "10.00"),
                line("R1000-split-more", "20.00"),
                line("R1000-split-more", "15.00"),
                line("R1000-split-less", "20.00"),
                line("R1000-split-less", "5.00"),
                line("R1000-crossed-1 R1000-crossed-2", "50.00"),
                line("R1000-crossed-1 R1000-crossed-2", "60.00"),
                line("R1000-alone-of-a-pair R1000-pair-and-more", "70.00"),
                line("R1000-pair-and-more", "9.00"),
                line("R1000-gift R1000-charged", "103.00"),
            ]
        )
    ],
    links=[("of-1", "i1", 1), ("of-2", "i1", 1)],
)


def test_lines_of_several_costs_and_costs_on_several_lines():
    assert SHARED.risks(RULE) == {
        "i1/0": "2.00",
        "i1/1": "2.00",
        "i1/2": "100.00",
        "i1/4": "1.50",
        "i1/8": "5.00",
        "i1/12": "40.00",  # two costs that both lines name: together
        "i1/13": "15.00",  # the other cost of this line is on a line of its own, too
        "i1/14": "24.00",
        "i1/15": "1.50",
    }


def test_the_job_and_the_costs_of_a_shared_line():
    found = SHARED.findings(RULE)
    assert (found["i1/0"]["reason"], found["i1/0"]["job_number"]) == (
        "charged less than the 2 costs together",
        "JOB-1001",
    )
    assert found["i1/0"]["evidence"] == {
        "nrb_guids": "both-1 both-2",
        "nrb_amount": "12.00",
        "invoiced_amount": "10.00",
        "difference": "-2.00",
    }
    assert found["i1/1"]["job_number"] == "(several)"
    assert (found["i1/4"]["evidence"]["nrb_guids"], found["i1/15"]["evidence"]["nrb_guids"]) == ("theirs", "charged")
    assert len({hit["fingerprint"] for hit in found.values()}) == len(found)


def test_what_is_billed_in_part_is_found_by_one_of_two_rules():
    """Every cost in state billed_part or billed_over is in exactly one finding."""
    by_line = [guid for hit in SHARED.findings(RULE).values() for guid in hit["evidence"]["nrb_guids"].split()]
    by_cost = list(SHARED.findings("nrb-billed-part"))
    differing = SHARED.draft.query("select guid from nrb_status where state in ('billed_part', 'billed_over')").column()
    assert sorted(by_line + by_cost) == sorted(differing)


# The last line is that of the latest invoice, by its date, else by its creation; one without either comes last of all.
LATER = seconds(COST_DAY + timedelta(days=9))
ON_TWO = Account(
    [referenced("dated", "30.00"), referenced("created", "30.00"), referenced("undated", "30.00")],
    [
        invoice([line(ref("dated"), "20.00"), line(ref("created"), "20.00"), line(ref("undated"), "20.00")], "b"),
        invoice([line(ref("dated"), "20.00")], "a", date_invoice=LATER),
        invoice([line(ref("created"), "20.00")], "a2", date_invoice=None, date_created=LATER),
        invoice([line(ref("undated"), "20.00")], "z", date_invoice=None, date_created=None),
    ],
)


def test_the_last_line_is_that_of_the_latest_invoice():
    assert ON_TWO.risks(RULE) == {"a/0": "10.00", "a2/0": "10.00", "b/2": "10.00"}
