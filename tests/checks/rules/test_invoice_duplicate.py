"""invoice-duplicate: the same number, external id, or job, date and total, on two invoices that are not void."""

from datetime import timedelta

import pytest

from tests.world import COST_DAY, SILENT, amounts, audited, findings, firing, invoice, line, related, seconds

RULE = "invoice-duplicate"


def sold(jnid, amount, job=None, **changes):
    """An invoice; without a job of its own it is on one that no other has."""
    return invoice(
        [line("Labour", amount)], jnid, related=[related(job or f"JOB-{jnid}", f"J-{job or jnid}")], **changes
    )


NEXT_DAY = seconds(COST_DAY + timedelta(days=1))
CASES = [
    (sold("number-a", "10.00", number="1047-795"), "10.00"),
    (sold("number-b", "20.00", number=" 1047-795 "), "20.00"),
    (sold("punctuation", "20.00", number="10477-95"), SILENT),
    (sold("external-a", "30.00", external_id="QB-1"), "30.00"),
    (sold("external-b", "31.00", external_id="qb-1"), "31.00"),
    (sold("alike-a", "40.00", "JOB-7"), "40.00"),
    (sold("alike-b", "40.00", "JOB-7", status_name="Draft"), "40.00"),
    (sold("other-day", "40.00", "JOB-7", date_invoice=NEXT_DAY), SILENT),
    (sold("other-total", "40.01", "JOB-7"), SILENT),
    (sold("other-job", "40.00", "JOB-8"), SILENT),
    (sold("thrice-a", "50.00", number="T-1"), "50.00"),
    (sold("thrice-b", "51.00", number="T-1"), "51.00"),
    (sold("thrice-c", "52.00", number="T-1"), "52.00"),
    # void and re-issued is normal
    (sold("void", "60.00", "JOB-9", number="V-1", external_id="QB-9", is_active=False), SILENT),
    (sold("re-issued", "60.00", "JOB-9", number="V-1", external_id="QB-9"), SILENT),
    # a total of nothing is no likeness
    (sold("nothing-a", "0.00", "JOB-10"), SILENT),
    (sold("nothing-b", "0.00", "JOB-10"), SILENT),
    # NULL, field by field
    (sold("no-number-a", "1.00", number=None), SILENT),
    (sold("no-number-b", "2.00", number=""), SILENT),
    (sold("no-total-a", "3.00", "JOB-11", total=None), SILENT),
    (sold("no-total-b", "3.00", "JOB-11", total=None), SILENT),
    (sold("no-date-a", "4.00", "JOB-12", date_invoice=None, date_created=None), SILENT),
    (sold("no-date-b", "4.00", "JOB-12", date_invoice=None, date_created=None), SILENT),
    (sold("created-a", "5.00", "JOB-13", date_invoice=None), "5.00"),
    (sold("created-b", "5.00", "JOB-13"), "5.00"),
    (invoice([line("Labour", "6.00")], "no-job-a", related=[]), SILENT),
    (invoice([line("Labour", "6.00")], "no-job-b", related=[]), SILENT),
]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    with audited(tmp_path_factory.mktemp(RULE), [], [body for body, _ in CASES]) as snapshot:
        return findings(snapshot, RULE)


def test_it_fires_on_these_alone(found):
    assert amounts(found) == firing(CASES)


@pytest.mark.parametrize(
    ("jnid", "reason", "others"),
    [
        ("number-a", "the same number as another invoice", "number-b"),
        ("external-b", "the same external id as another invoice", "external-a"),
        ("alike-b", "the same job, date and total as another invoice", "alike-a"),
        ("thrice-b", "the same number as another invoice", "thrice-a thrice-c"),
    ],
)
def test_it_names_the_others(found, jnid, reason, others):
    assert (found[jnid]["reason"], found[jnid]["evidence"]["others"]) == (reason, others)
