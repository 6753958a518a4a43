"""invoice-duplicate-near: the same lines on the same job, days apart."""

from datetime import timedelta

import pytest

from tests.world import (
    COST_DAY,
    JOB,
    SILENT,
    Account,
    firing,
    invoice,
    line,
    nrb,
    ref,
    referenced,
    related,
    seconds,
    unbilled,
)

RULE = "invoice-duplicate-near"


def sold(jnid, job, days, amount="100.00", words="Haul water", **changes):
    day = None if days is None else seconds(COST_DAY + timedelta(days=days))
    return invoice([line(words, amount)], jnid, related=[related(job, f"J-{job}")], **{"date_invoice": day, **changes})


CASES = [
    (sold("first", "JOB-1", 0), SILENT),
    (sold("again", "JOB-1", 9, "100.00", "haul  WATER"), "100.00"),
    # the boundary of $days = 14
    (sold("day-0", "JOB-2", 0), SILENT),
    (sold("day-14", "JOB-2", 14), "100.00"),
    (sold("far-0", "JOB-3", 0), SILENT),
    (sold("far-15", "JOB-3", 15), SILENT),
    # one day is invoice-duplicate, and so is one number
    (sold("same-day-a", "JOB-4", 0), SILENT),
    (sold("same-day-b", "JOB-4", 0), SILENT),
    (sold("same-number-a", "JOB-5", 0, number="N-1"), SILENT),
    (sold("same-number-b", "JOB-5", 3, number="n-1"), SILENT),
    (sold("total-a", "JOB-6", 0), SILENT),
    (sold("total-b", "JOB-6", 3, tax="5.00"), SILENT),
    (sold("words-a", "JOB-7", 0), SILENT),
    (sold("words-b", "JOB-7", 3, "100.00", "Haul mud"), SILENT),
    (sold("job-a", "JOB-8", 0), SILENT),
    (sold("job-b", "JOB-9", 3), SILENT),
    (sold("nothing-a", "JOB-10", 0, "0.00"), SILENT),
    (sold("nothing-b", "JOB-10", 3, "0.00"), SILENT),
    (sold("void-a", "JOB-11", 0, is_active=False), SILENT),
    (sold("void-b", "JOB-11", 3), SILENT),
    (sold("draft-a", "JOB-12", 0), SILENT),
    (sold("draft-b", "JOB-12", 3, status_name="Draft"), "100.00"),
    # three in a row, each five days or more after the one before, are a series; closer together they are not
    *[(sold(f"weekly-{week}", "JOB-13", 7 * week), SILENT) for week in range(4)],
    *[(sold(f"five-days-{place}", "JOB-14", 5 * place), SILENT) for place in range(3)],
    (sold("four-days-0", "JOB-15", 0), SILENT),
    (sold("four-days-1", "JOB-15", 4), "100.00"),
    (sold("four-days-2", "JOB-15", 8), "100.00"),
    # a series says nothing about other totals or lines of its job, and an undated invoice makes no series
    *[(sold(f"untaxed-{week}", "JOB-21", 7 * week), SILENT) for week in range(3)],
    (sold("taxed-0", "JOB-21", 0, tax="5.00"), SILENT),
    (sold("taxed-9", "JOB-21", 9, tax="5.00"), "105.00"),
    *[(sold(f"water-{week}", "JOB-22", 7 * week), SILENT) for week in range(3)],
    (sold("mud-0", "JOB-22", 0, words="Haul mud"), SILENT),
    (sold("mud-9", "JOB-22", 9, words="Haul mud"), "100.00"),
    (sold("undated", "JOB-23", None, date_created=None), SILENT),
    (sold("dated-0", "JOB-23", 0), SILENT),
    (sold("dated-7", "JOB-23", 7), "100.00"),
    # NULL, field by field
    (sold("no-date-a", "JOB-16", None, date_created=None), SILENT),
    (sold("no-date-b", "JOB-16", 3), SILENT),
    (sold("created-a", "JOB-17", None), SILENT),
    (sold("created-b", "JOB-17", 3), "100.00"),
    (sold("no-total-a", "JOB-18", 0, total=None), SILENT),
    (sold("no-total-b", "JOB-18", 3, total=None), SILENT),
    (sold("no-number-a", "JOB-19", 0, number=None), SILENT),
    (sold("no-number-b", "JOB-19", 3), "100.00"),
    (invoice([line("Haul water")], "no-job-a", related=[]), SILENT),
    (
        invoice([line("Haul water")], "no-job-b", related=[], date_invoice=seconds(COST_DAY + timedelta(days=3))),
        SILENT,
    ),
    (invoice([], "no-lines-a", related=[related("JOB-20", "J20")], total="5.00"), SILENT),
    (
        invoice(
            [],
            "no-lines-b",
            related=[related("JOB-20", "J20")],
            total="5.00",
            date_invoice=seconds(COST_DAY + timedelta(days=3)),
        ),
        SILENT,
    ),
]
ACCOUNT = Account([], [body for body, _ in CASES])


def test_fires_on_exactly_the_later_ones():
    assert ACCOUNT.risks(RULE) == firing(CASES)


@pytest.mark.parametrize(
    ("jnid", "reason", "others"),
    [
        ("again", "the same lines as INV-first, 9 days before", "first"),
        ("four-days-2", "the same lines as INV-four-days-1, 4 days before", "four-days-0 four-days-1"),
        ("no-number-b", "the same lines as no-number-a, 3 days before", "no-number-a"),
    ],
)
def test_reason_and_the_other_invoices(jnid, reason, others):
    hit = ACCOUNT.findings(RULE)[jnid]
    assert (hit["reason"], hit["evidence"]["others"], hit["severity"]) == (reason, others, "medium")
    assert hit["key"] == {"others": others}


def test_days():
    assert "day-14" not in ACCOUNT.findings(RULE, days=13)
    assert "far-15" in ACCOUNT.findings(RULE, days=15)


def two(first_words, second_words, *nrbs):
    later = seconds(COST_DAY + timedelta(days=3))
    sold = [invoice([line(first_words)], "one"), invoice([line(second_words)], "two", date_invoice=later)]
    return Account(nrbs, sold)


OWN_COST = two("Rent", "Rent", nrb("n1", nrbBilledInName="INV-one"), nrb("n2", nrbBilledInName="INV-two"))
SAME_COST = two("R1-n1", "R1-n1", nrb("n1", nrbBilledInName="INV-one"))
FIRST_HAS_COST = two("Rent", "Rent", nrb("n1", nrbBilledInName="INV-one"))
SECOND_HAS_COST = two("Rent", "Rent", nrb("n1", nrbBilledInName="INV-two"))
# Invoices that charge for parts of one cost, or each too much for a cost of its own, are no copies, whatever else is
# charged too much.
LATER = seconds(COST_DAY + timedelta(days=3))
HALVES = Account(
    [referenced("n1"), referenced("small", "10.00"), referenced("over", "20.00")],
    [
        invoice([line(ref("n1"), "50.00")], "one"),
        invoice([line(ref("n1"), "50.00")], "two", date_invoice=LATER),
        invoice([line(ref("small"), "10.00"), line(ref("over"), "30.00")], "other"),
    ],
)
EACH_CHARGES_MORE = Account(
    [unbilled("n1", "90.00"), unbilled("n2", "90.00")],
    [invoice([line("Rent")], "one"), invoice([line("Rent")], "two", date_invoice=LATER)],
    links=[("n1", "one", 0), ("n2", "two", 0)],
)


def test_invoices_for_different_costs_are_two_documents():
    assert OWN_COST.risks(RULE) == HALVES.risks(RULE) == EACH_CHARGES_MORE.risks(RULE) == {}
    assert SAME_COST.risks(RULE) == FIRST_HAS_COST.risks(RULE) == SECOND_HAS_COST.risks(RULE) == {"two": "100.00"}


SEVERAL_JOBS = [related("X-1", "J1"), related("X-2", "J2")]
SEVERAL = Account(
    [],
    [
        invoice([line("Rent")], "one", related=SEVERAL_JOBS),
        invoice([line("Rent")], "two", related=SEVERAL_JOBS, date_invoice=seconds(COST_DAY + timedelta(days=3))),
    ],
)


def test_invoices_of_several_jobs_are_silent():
    assert SEVERAL.risks(RULE) == {}


# A cost that was charged, credited and charged again, beside one that is smaller and one that was charged twice.
CREDITED = Account(
    [nrb("n1", "500.00"), nrb("n2", "1.00", nrbBilledInName="INV-i4"), nrb("n3", nrbBilledInName="INV-i5")],
    [
        *(sold(f"i{day}", JOB, day, amount, "R1-n1") for day, amount in ((1, "500.00"), (2, "-500.00"), (3, "500.00"))),
        invoice([line("R1-n2", "1.00")], "i4"),
        invoice([line("R1-n3")], "i5"),
        invoice([line("Crane, R1-n3")], "i6"),
    ],
)
# By decisions: two invoices with the same lines carry two costs, one of which a third invoice charges again.
DECIDED = Account(
    [nrb("n1", nrbBilledInName=None), nrb("n2", nrbBilledInName=None)],
    [*(sold(f"i{day}", JOB, day) for day in (1, 2)), invoice([line("Sundries")], "i3")],
    links=[("n1", "i2", 0), ("n2", "i1", 0), ("n1", "i3", 0)],
)


def test_what_is_charged_once_in_the_end_is_no_duplicate():
    assert CREDITED.risks(RULE) == {} == DECIDED.risks(RULE)
