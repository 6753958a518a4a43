"""invoice-no-job: no job is named at all. A job that Aimsio does not know is normal."""

from tests.world import SILENT, Account, firing, invoice, line, nrb, related

RULE = "invoice-no-job"
CONTACT = {"id": "C1", "type": "contact", "number": "JOB-1001", "name": "Sample Client / JOB-1001"}


def sold(jnid, *jobs, **changes):
    return invoice([line("Labor", "862.50")], jnid, related=list(jobs), **changes)


CASES = [
    (sold("by-number", related("job 1001", "J1", "Sample Client")), SILENT),
    (sold("by-name", related("2044", "J2", "Sample Client / JOB-1001")), SILENT),
    (sold("unknown-to-aimsio", related("2046", "J5")), SILENT),
    (sold("number-alone", related("2046", None, None)), SILENT),
    (sold("name-alone", related(None, None, "Main Street")), SILENT),
    (sold("id-alone", related(None, "J9", None)), SILENT),
    (sold("type-in-other-case", {**related("2046", "J5"), "type": " JOB "}), SILENT),
    (sold("job-and-contact", CONTACT, related("2046", "J5")), SILENT),
    (sold("no-job"), "862.50"),
    (sold("contact-only", CONTACT), "862.50"),
    (sold("void", is_active=False), SILENT),
    (sold("draft", status_name="Draft"), SILENT),
    # NULL, field by field
    (sold("nothing-named", related(None, None, None)), "862.50"),
    (sold("no-type", {**related("2046", "J5"), "type": None}), "862.50"),
    (sold("no-total", total=None), None),
]
ACCOUNT = Account([nrb("n1")], [body for body, _ in CASES])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


def test_reason_and_evidence():
    hit = ACCOUNT.findings(RULE)["contact-only"]
    assert (hit["reason"], hit["job_number"], hit["severity"]) == ("no related job", None, "medium")
    assert (hit["evidence"], hit["key"]) == ({"number": "INV-contact-only"}, {})
