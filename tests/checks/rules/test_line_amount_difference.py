"""line-amount-difference: the line carries the NRB, but for another amount."""

from decimal import Decimal

import pytest

from tests.world import SILENT, amounts, asked_again, audited, findings, firing_lines, invoice, line, nrb

RULE = "line-amount-difference"


def carried(jnid, total, amount, invoice_changes=None, **changes):
    """An NRB and the invoice whose only line names it."""
    body = nrb(jnid, total, nrbBilledInName=f"INV-{jnid}", **changes)
    return body, invoice([line(f"R1-{jnid}", amount)], jnid, **(invoice_changes or {}))


CASES = [
    (carried("more", "100.00", "862.50"), "762.50"),
    (carried("less", "862.50", "100.00"), "762.50"),
    (carried("equal", "862.50", "862.50"), SILENT),
    (carried("internal", "100.00", "862.50", isInternal=True), SILENT),
    (carried("not-billable", "100.00", "862.50", nrbIsBillable=False), SILENT),
    (carried("void", "100.00", "862.50", {"is_active": False}), SILENT),
    (carried("draft", "100.00", "862.50", {"status_name": "draft"}), SILENT),
    (carried("credit", "-10.00", "-12.00"), "2.00"),
    # NULL, field by field
    (carried("no-total", None, "5.00"), "5.00"),  # counts as 0.00, as in the statement
    (carried("no-amount", "100.00", None), "100.00"),
    (carried("no-billable", "100.00", "99.00", nrbIsBillable=None), "1.00"),
    (carried("no-status", "100.00", "99.00", {"status_name": None}), "1.00"),
    (carried("no-job", "100.00", "99.00", nrbJobOrderNumber=None), "1.00"),
    # the boundary of $tolerance = 0
    (carried("a-cent", "100.00", "100.01"), "0.01"),
]


# Two NRBs of 8.00 and 4.00 on one line of 10.00: two thirds to the first, one third to the second. Two of -1.00 and
# 3.00, of two jobs, on one of 4.00: a quarter to the first, three to the second.
BOTH = (
    [nrb("both-1", "8.00"), nrb("both-2", "4.00"), nrb("of-1", "-1.00"), nrb("of-2", "3.00", nrbJobOrderNumber="X-2")],
    [invoice([line("both", "10.00"), line("of", "4.00")], "both")],
)
SHARED = [("both-1", "both", 0), ("both-2", "both", 0), ("of-1", "both", 1), ("of-2", "both", 1)]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    nrbs, invoices = zip(*[pair for pair, _ in CASES], strict=True)
    folder = tmp_path_factory.mktemp(RULE)
    with audited(folder, [*nrbs, *BOTH[0]], [*invoices, *BOTH[1]], links=SHARED) as snapshot:
        yield snapshot


@pytest.fixture(scope="module")
def found(snapshot):
    return findings(snapshot, RULE)


def test_it_fires_on_these_alone(found):
    risks = {subject: risk for subject, risk in amounts(found).items() if not subject.startswith("both/")}
    assert risks == firing_lines([(pair[1], risk) for pair, risk in CASES])


@pytest.mark.parametrize(
    ("subject", "reason", "difference"),
    [("more/0", "charged more than the NRB", "762.50"), ("less/0", "charged less than the NRB", "-762.50")],
)
def test_it_says_which_side_is_more(found, subject, reason, difference):
    assert (found[subject]["reason"], found[subject]["evidence"]["difference"]) == (reason, difference)


def test_a_shared_line_is_one_finding_of_its_parts(snapshot, found):
    sql = (
        "select nrb_guid, nrb_amount::varchar, invoiced_amount::varchar from link where group_id = 'both/0' order by 1"
    )
    assert snapshot.query(sql).rows == [("both-1", "8.00", "6.67"), ("both-2", "4.00", "3.33")]
    assert (found["both/0"]["amount_at_risk"], found["both/0"]["job_number"]) == (Decimal("2.00"), "JOB-1001")
    assert found["both/0"]["reason"] == "charged less than the NRBs both-1 both-2"
    assert found["both/0"]["evidence"] == {
        "nrb_guids": "both-1 both-2",
        "nrb_amount": "12.00",
        "invoiced_amount": "10.00",
        "difference": "-2.00",
    }
    assert (found["both/1"]["amount_at_risk"], found["both/1"]["job_number"]) == (Decimal("2.00"), "(several)")
    fingerprints = snapshot.query("select fingerprint from finding").rows
    assert len(set(fingerprints)) == len(fingerprints)


def test_tolerance(snapshot):
    every = firing_lines([(pair[1], risk) for pair, risk in CASES])
    for tolerance, silent in (
        ("0.00", set()),
        ("0.01", {"a-cent/0"}),
        ("0.99", {"a-cent/0"}),
        ("1.00", {"a-cent/0", "no-billable/0", "no-status/0", "no-job/0"}),
    ):
        hits = asked_again(snapshot, RULE, tolerance=Decimal(tolerance))
        assert set(hits) - {"both/0", "both/1"} == set(every) - silent
    assert "both/0" not in asked_again(snapshot, RULE, tolerance=Decimal("2.00"))
    assert "both/0" in asked_again(snapshot, RULE, tolerance=Decimal("1.99"))
