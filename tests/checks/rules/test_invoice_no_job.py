"""invoice-no-job: no related job, or none that leads to an Aimsio job."""

import pytest

from tests.world import SILENT, amounts, audited, findings, firing, invoice, line, nrb, related

RULE = "invoice-no-job"
CONTACT = {"id": "C1", "type": "contact", "number": "JOB-1001", "name": "Sample Client / JOB-1001"}


def sold(jnid, *jobs, **changes):
    return invoice([line("Labour", "862.50")], jnid, related=list(jobs), **changes)


CASES = [
    (sold("by-number", related("job 1001", "J1", "Sample Client")), SILENT),
    (sold("by-name", related("2044", "J2", "Sample Client / JOB-1001")), SILENT),
    (sold("by-map", related("2045", "J3")), SILENT),
    (sold("by-map-of-id", related(None, "J4")), SILENT),
    (sold("unknown", related("2046", "J5")), "862.50"),
    (sold("two-in-its-name", related("2047", "J6", "JOB-1001 and JOB-1002")), "862.50"),
    (sold("one-of-two", related("2046", "J5"), related("JOB-1002", "J7")), SILENT),
    (sold("neither-of-two", related("2046", "J5"), related("2048", "J8")), "862.50"),
    (sold("no-job"), "862.50"),
    (sold("contact-only", CONTACT), "862.50"),
    (sold("void", is_active=False), SILENT),
    (sold("draft", status_name="Draft"), SILENT),
    # NULL, field by field
    (sold("nothing-known", related(None, None, None)), "862.50"),
    (sold("no-total", total=None), None),
]
NRBS = [nrb("n1", nrbJobOrderNumber="JOB-1001"), nrb("n2", nrbJobOrderNumber="JOB-1002")]
JOBS = [("JOB-1001", "2045"), ("JOB-1002", "J4")]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    with audited(tmp_path_factory.mktemp(RULE), NRBS, [body for body, _ in CASES], jobs=JOBS) as snapshot:
        return findings(snapshot, RULE)


def test_it_fires_on_these_alone(found):
    assert amounts(found) == firing(CASES)


@pytest.mark.parametrize(
    ("jnid", "reason", "jobs"),
    [
        ("no-job", "no related job", None),
        ("contact-only", "no related job", None),
        ("unknown", "no Aimsio job is known for it", "2046"),
        ("neither-of-two", "no Aimsio job is known for it", "2046, 2048"),
    ],
)
def test_it_names_the_jobs(found, jnid, reason, jobs):
    assert (found[jnid]["reason"], found[jnid]["evidence"]["jobs"]) == (reason, jobs)
