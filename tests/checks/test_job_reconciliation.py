"""Which job an invoice belongs to, and what the reconciliation says of each job. Cases share one snapshot, by job."""

import pytest

from tests.world import audited, invoice, line, nrb, related, unbilled


def sold(jnid, amount, *jobs, text=None, **changes):
    """An invoice of one line for these jobs, each given as its `related` entry."""
    return invoice([line(text or f"R1-{jnid}", amount)], jnid, related=list(jobs), **changes)


def cost(guid, total, job, **changes):
    return nrb(guid, total, nrbJobOrderNumber=job, **{"nrbBilledInName": f"INV-{guid}", **changes})


def other(jnid):
    """A contact, which is no job."""
    return {"id": jnid, "type": "contact", "number": "2000", "name": "John Doe"}


# Which job


def job(number, jnid, name="Client"):
    return related(number, jnid, name)


# Aimsio knows these jobs; each has a cost, so that it may be found
KNOWN = [
    "FOLD-10",
    "FOLD-11",
    "NAME-20",
    "NAME-21",
    "MAP-30",
    "MAP-31",
    "AAA-40",
    "ZZZ-40",
    "SEV-50",
    "SEV-51",
    "DUP-60",
    "DUP60",
]
JOB_MAP = [("MAP-30", "9030"), ("FOLD-11", "9011"), ("MAP-31", "jn-31"), ("ZZZ-40", "jn-40")]
JOBS = [
    # (invoice, its job, what the case is about)
    (sold("eq", "1.00", job("FOLD-10", "J1")), "FOLD-10", "the same number"),
    (sold("fold", "1.00", job(" fold 11 ", "J2")), "FOLD-11", "the same number after normalising"),
    (sold("name", "1.00", job("5001", "J3", "Client / NAME-20")), "5001", "a token of the name is a suggestion"),
    (sold("part", "1.00", job("5002", "J4", "Client / NAME-20B")), "5002", "a part of a token is no name"),
    (sold("two-names", "1.00", job("5003", "J5", "NAME-20 and NAME-21")), "5003", "two names decide nothing"),
    (sold("map", "1.00", job("9030", "J6", "NAME-20")), "MAP-30", "job_map.csv by number, before the name"),
    (sold("map-id", "1.00", job("9031", "jn-31")), "MAP-31", "job_map.csv by id"),
    (sold("map-wins", "1.00", job("AAA-40", "jn-40")), "ZZZ-40", "job_map.csv before the equal number"),
    (sold("unknown", "1.00", job("7777", "J7")), "7777", "a number that Aimsio does not know"),
    (sold("no-number", "1.00", job(None, "J8", "Somewhere")), "Somewhere", "no number: the name"),
    (sold("id-only", "1.00", job(None, "J9", None)), "J9", "neither: the id"),
    (sold("none", "1.00"), None, "no job"),
    (sold("contact", "1.00", other("C1")), None, "a contact is no job"),
    (sold("both", "1.00", other("C1"), job("FOLD-10", "J1")), "FOLD-10", "a contact beside the job"),
    (sold("same-twice", "1.00", job("9011", "J1"), job(" fold 11 ", "J2")), "FOLD-11", "one job under two numbers"),
    (sold("several", "1.00", job("SEV-50", "J10"), job("SEV-51", "J11")), "(several)", "several jobs"),
    (sold("like-both", "1.00", job("dup 60", "J12")), "dup 60", "equal to two jobs of Aimsio: to none"),
    (
        sold("decided", "1.00", job("SEV-50", "J10"), job("SEV-51", "J11"), text="R1-cost-SEV-51"),
        "SEV-51",
        "several jobs, but its NRBs are of one",
    ),
]

# What the reconciliation says


VERDICTS = [
    ("ONE-1", [cost("a1", "50.00", "ONE-1", nrbBilledInName=None)], [], "nrb-only"),
    ("ONE-2", [cost("a2", "50.00", "ONE-2")], [sold("a2", "50.00", job("ONE-2", "K2"), is_active=False)], "nrb-only"),
    (
        "ONE-3",
        [cost("a3", "50.00", "ONE-3")],
        [sold("a3", "50.00", job("ONE-3", "K3"), status_name="Draft")],
        "nrb-only",
    ),
    ("TWO-1", [], [sold("b1", "50.00", job("TWO-1", "K4"))], "invoice-only"),
    ("SAME-1", [cost("c1", "50.00", "SAME-1")], [sold("c1", "50.00", job("SAME-1", "K5"))], "agrees"),
    ("SAME-2", [unbilled("c2", "50.00", nrbJobOrderNumber="SAME-2", isInternal=True)], [], "agrees"),
    ("SAME-3", [unbilled("c3", "50.00", nrbJobOrderNumber="SAME-3", nrbIsBillable=False)], [], "agrees"),
    (
        "SAME-4",  # its other lines are no variance
        [cost("c4", "50.00", "SAME-4")],
        [sold("c4", "50.00", job("SAME-4", "K6")), sold("c5", "9.00", job("SAME-4", "K6"), text="Labor")],
        "agrees",
    ),
    ("LESS-1", [cost("d1", "50.00", "LESS-1")], [sold("d1", "49.99", job("LESS-1", "K7"))], "under-billed"),
    (
        "LESS-2",
        [cost("d2", "50.00", "LESS-2")],
        [sold("d3", "7.00", job("LESS-2", "K8"), text="Labor")],
        "under-billed",
    ),
    ("MORE-1", [cost("e1", "50.00", "MORE-1")], [sold("e1", "50.01", job("MORE-1", "K9"))], "over-billed"),
    (
        "MORE-2",  # an internal NRB that the client was charged for
        [cost("e2", "50.00", "MORE-2", isInternal=True)],
        [sold("e2", "50.00", job("MORE-2", "K10"))],
        "over-billed",
    ),
    ("AWAY-1", [cost("f1", "50.00", "AWAY-1")], [], "agrees"),  # on an invoice of another job
    ("AWAY-2", [], [sold("f1", "50.00", job("AWAY-2", "K11"))], "invoice-only"),
    (None, [unbilled("g1", "30.00", nrbJobOrderNumber=None)], [], "under-billed"),  # beside invoices without one
]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    known = [unbilled(f"cost-{number}", "77.77", nrbJobOrderNumber=number) for number in KNOWN]
    nrbs = [body for _, nrbs, _, _ in VERDICTS for body in nrbs]
    invoices = [body for _, _, invoices, _ in VERDICTS for body in invoices]
    folder = tmp_path_factory.mktemp("jobs")
    with audited(folder, known + nrbs, [body for body, _, _ in JOBS] + invoices, jobs=JOB_MAP) as snapshot:
        yield snapshot


@pytest.mark.parametrize(("body", "number", "what"), JOBS, ids=[what for _, _, what in JOBS])
def test_the_job_of_an_invoice(snapshot, body, number, what):
    sql = "select job_number from invoice_status where jnid = $jnid"
    assert snapshot.query(sql, {"jnid": body["jnid"]}).scalar() == number


@pytest.mark.parametrize(("number", "nrbs", "invoices", "verdict"), VERDICTS, ids=[str(each[0]) for each in VERDICTS])
def test_verdict(snapshot, number, nrbs, invoices, verdict):
    sql = "select verdict from job_reconciliation where job_number is not distinct from $number"
    assert snapshot.query(sql, {"number": number}).rows == [(verdict,)]


def test_every_figure_of_a_job(snapshot):
    (row,) = snapshot.query("select * from job_reconciliation where job_number = 'SAME-4'").records()
    assert {name: str(value) for name, value in row.items()} == {
        "job_number": "SAME-4",
        "nrb_count": "1",
        "nrb_total": "50.00",
        "billable_total": "50.00",
        "billed_total": "50.00",
        "linked_total": "50.00",
        "unbilled_total": "0.00",
        "undecided_total": "0.00",
        "invoice_count": "2",
        "invoice_total": "59.00",
        "linked_line_total": "50.00",
        "free_line_total": "0.00",
        "other_line_total": "9.00",
        "variance": "0.00",
        "rounding": "0.00",
        "verdict": "agrees",
    }


def test_no_job_is_dropped_and_no_money_is_counted_twice(snapshot):
    sums = "sum(nrb_count), sum(nrb_total), sum(invoice_count), sum(invoice_total)"
    counted = """
        select (select count(*) from nrb_status), (select sum(total) from nrb_status),
            (select count(*) from invoice_status where state = 'issued'),
            (select sum(total) from invoice_status where state = 'issued')
    """
    assert snapshot.query(f"select {sums} from job_reconciliation").rows == snapshot.query(counted).rows
    assert (
        snapshot.query("select max(n) from (select count(*) as n from job_reconciliation group by job_number)").scalar()
        == 1
    )


def test_several_jobs_are_a_row_that_agrees(snapshot):
    sql = "select invoice_count, verdict from job_reconciliation where job_number = '(several)'"
    assert snapshot.query(sql).rows == [(1, "agrees")]


def test_the_map_says_where_a_pair_comes_from(snapshot):
    rows = set(snapshot.query("select * from job_map").rows)
    assert {("MAP-30", "9030", "job_map.csv"), ("MAP-31", "jn-31", "job_map.csv")} <= rows
    assert {a for a, _, source in rows if source == "equal number"} >= {"FOLD-10", "SEV-50"}
    assert ("FOLD-11", " fold 11 ", "equal key") in rows
    assert not [row for row in rows if row[0].startswith("DUP")]
