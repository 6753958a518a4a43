"""job-variance: every verdict of the job's reconciliation but `agrees`."""

import pytest

from tests.world import SILENT, amounts, audited, findings, invoice, line, nrb, related, unbilled

RULE = "job-variance"


def job(number, nrbs, invoices):
    """The NRBs and the invoices of one job."""
    return (
        number,
        [{**body, "nrbJobOrderNumber": number} for body in nrbs],
        [{**body, "related": [related(number, number and f"J-{number}")] if number else []} for body in invoices],
    )


def billed(guid, total, jnid):
    return nrb(guid, total, nrbBilledInName=f"INV-{jnid}")


CASES = [
    (job("OPEN-1", [unbilled("a", "862.50")], []), ("nrb-only", "862.50")),
    (job("SOLD-2", [], [invoice([line("Labour", "70.00")], "b")]), ("invoice-only", "70.00")),
    (job("SAME-3", [billed("c", "50.00", "c")], [invoice([line("R1-c", "50.00")], "c")]), SILENT),
    (job("LESS-4", [billed("d", "50.00", "d")], [invoice([line("R1-d", "40.00")], "d")]), ("under-billed", "10.00")),
    (job("MORE-5", [billed("e", "50.00", "e")], [invoice([line("R1-e", "60.00")], "e")]), ("over-billed", "10.00")),
    (job("CENT-6", [billed("f", "50.00", "f")], [invoice([line("R1-f", "50.01")], "f")]), ("over-billed", "0.01")),
    (job("OWN-7", [unbilled("g", "50.00", isInternal=True)], []), SILENT),
    # NULL: the total of an NRB and the total of an invoice count as 0.00, and no job is a subject of its own
    (job("NIL-8", [unbilled("h", None)], []), ("nrb-only", "0.00")),
    (job("NIL-9", [], [invoice([line("Labour", "70.00")], "k", total=None)]), ("invoice-only", "0.00")),
    (job(None, [unbilled("m", "30.00")], []), ("nrb-only", "30.00")),
    # A job may be called what the missing job is called
    (job("(no job)", [unbilled("o", "40.00")], []), ("nrb-only", "40.00")),
    (job("(no job).", [unbilled("p", "41.00")], []), ("nrb-only", "41.00")),
]
SUBJECTS = {None: "(no job)", "(no job)": "(no job).", "(no job).": "(no job).."}


def expected(cases):
    return {SUBJECTS.get(number, number): verdict for (number, _, _), verdict in cases if verdict != SILENT}


def bodies(cases):
    return [body for (_, nrbs, _), _ in cases for body in nrbs], [body for (_, _, sold), _ in cases for body in sold]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    with audited(tmp_path_factory.mktemp(RULE), *bodies(CASES)) as snapshot:
        return findings(snapshot, RULE)


def test_it_fires_on_these_alone(found):
    risks = amounts(found)
    assert {subject: (hit["reason"], risks[subject]) for subject, hit in found.items()} == expected(CASES)


def test_its_job_is_its_subject(found):
    assert found["LESS-4"]["job_number"] == "LESS-4"
    assert found["(no job)"]["job_number"] is None
    assert found["LESS-4"]["evidence"]["variance"] == "-10.00"


def test_tolerance(tmp_path):
    cases = [
        (job("LESS-1", [billed("a", "50.00", "a")], [invoice([line("R1-a", "49.00")], "a")]), SILENT),
        (job("MORE-2", [billed("b", "50.00", "b")], [invoice([line("R1-b", "51.00")], "b")]), SILENT),
        (job("LESS-3", [billed("c", "50.00", "c")], [invoice([line("R1-c", "48.99")], "c")]), ("under-billed", "1.01")),
        (job("MORE-4", [billed("d", "50.00", "d")], [invoice([line("R1-d", "51.01")], "d")]), ("over-billed", "1.01")),
    ]
    with audited(tmp_path, *bodies(cases), tolerance="1.00") as snapshot:
        hits = findings(snapshot, RULE)
    risks = amounts(hits)
    assert {subject: (hit["reason"], risks[subject]) for subject, hit in hits.items()} == expected(cases)
