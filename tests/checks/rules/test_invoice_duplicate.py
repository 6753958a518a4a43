"""invoice-duplicate: the same number or external id, or the same job, date, total and lines, on two valid invoices."""

from datetime import timedelta

import pytest

from tests.world import (
    COST_DAY,
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

RULE = "invoice-duplicate"


def sold(jnid, amount, job=None, words="Labor", **changes):
    """An invoice; without a job of its own it is on a job that no other invoice has."""
    return invoice([line(words, amount)], jnid, related=[related(job or f"JOB-{jnid}", f"J-{job or jnid}")], **changes)


NEXT_DAY = seconds(COST_DAY + timedelta(days=1))
CASES = [
    # a shared number or external id is wrong whatever the lines; at risk is a copy with the same lines
    (sold("number-a", "10.00", number="1047-795"), "0.00"),
    (sold("number-b", "20.00", number=" 1047-795 "), "0.00"),
    (sold("punctuation", "20.00", number="10477-95"), SILENT),
    (sold("external-a", "30.00", external_id="QB-1"), "0.00"),
    (sold("external-b", "30.00", external_id="qb-1"), "30.00"),
    # one job, day, total and text: the later one is the copy
    (sold("alike-a", "40.00", "JOB-7"), "0.00"),
    (sold("alike-b", "40.00", "JOB-7", status_name="Draft"), "40.00"),
    (sold("other-day", "40.00", "JOB-7", date_invoice=NEXT_DAY), SILENT),
    (sold("other-total", "40.01", "JOB-7"), SILENT),
    (sold("other-tax", "40.00", "JOB-7", tax="2.00"), SILENT),
    (sold("other-job", "40.00", "JOB-8"), SILENT),
    # a deposit and a final invoice of one amount are two documents
    (sold("deposit", "500.00", "JOB-14", "Deposit 50 %"), SILENT),
    (sold("final", "500.00", "JOB-14", "Final invoice"), SILENT),
    # of three with one number the two later ones are copies where the lines are the same
    (sold("thrice-a", "50.00", number="T-1"), "0.00"),
    (sold("thrice-b", "50.00", number="T-1"), "50.00"),
    (sold("thrice-c", "50.00", number="T-1"), "50.00"),
    # the earlier one is the original, whatever the ids
    (sold("z-original", "55.00", "JOB-15", date_created=seconds(COST_DAY - timedelta(days=2))), "0.00"),
    (sold("a-copy", "55.00", "JOB-15"), "55.00"),
    # void and reissued is normal
    (sold("void", "60.00", "JOB-9", number="V-1", external_id="QB-9", is_active=False), SILENT),
    (sold("void-by-status", "60.00", "JOB-9", number="V-1", external_id="QB-9", status_name="Cancelled"), SILENT),
    (sold("reissued", "60.00", "JOB-9", number="V-1", external_id="QB-9"), SILENT),
    # equal totals of nothing mean nothing
    (sold("nothing-a", "0.00", "JOB-10"), SILENT),
    (sold("nothing-b", "0.00", "JOB-10"), SILENT),
    # NULL, field by field
    (sold("no-number-a", "1.00", number=None), SILENT),
    (sold("no-number-b", "2.00", number=""), SILENT),
    (sold("no-total-a", "3.00", "JOB-11", total=None), SILENT),
    (sold("no-total-b", "3.00", "JOB-11", total=None), SILENT),
    (sold("no-date-a", "4.00", "JOB-12", date_invoice=None, date_created=None), SILENT),
    (sold("no-date-b", "4.00", "JOB-12", date_invoice=None, date_created=None), SILENT),
    (sold("created-a", "5.00", "JOB-13", date_invoice=None), "0.00"),
    (sold("created-b", "5.00", "JOB-13"), "5.00"),
    # without an instant of creation it is the later one
    (sold("never-created-a", "8.00", "JOB-16", date_created=None), "8.00"),
    (sold("never-created-b", "8.00", "JOB-16"), "0.00"),
    (invoice([line("Labor", "6.00")], "no-job-a", related=[]), SILENT),
    (invoice([line("Labor", "6.00")], "no-job-b", related=[]), SILENT),
    (invoice([], "no-lines-a", total="9.00", number="NL-1"), "0.00"),
    (invoice([], "no-lines-b", total="9.00", number="NL-1"), "0.00"),
]
ACCOUNT = Account([], [body for body, _ in CASES])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


@pytest.mark.parametrize(
    ("jnid", "reason", "others", "same_lines"),
    [
        ("number-a", "the same number as another invoice, with other lines", "number-b", False),
        ("external-b", "the same external id as another invoice", "external-a", True),
        ("alike-b", "the same job, date and lines as another invoice", "alike-a", True),
        ("thrice-b", "the same number as another invoice", "thrice-a thrice-c", True),
        ("no-lines-b", "the same number as another invoice, with other lines", "no-lines-a", False),
    ],
)
def test_reason_and_the_other_invoices(jnid, reason, others, same_lines):
    hit = ACCOUNT.findings(RULE)[jnid]
    assert (hit["reason"], hit["evidence"]["others"], hit["evidence"]["same_lines"]) == (reason, others, same_lines)
    assert hit["key"] == {"others": others}


# Two trucks on one day at one price: one invoice for each, and each charges for a cost of its own. A copy charges for
# the same cost again, or for none.
TRUCKS = Account(
    [nrb("n1", nrbBilledInName="INV-first"), nrb("n2", nrbBilledInName="INV-second")],
    [
        invoice([line("Vacuum truck", "100.00")], "first", number="INV-first"),
        invoice([line("Vacuum truck", "100.00")], "second", number="INV-second"),
    ],
)
COPIED = Account(
    [nrb("n1", nrbBilledInName="INV-first")],
    [invoice([line("R1-n1")], "first"), invoice([line("R1-n1")], "second"), invoice([line("R1-n1")], "third")],
)
ONE_WITHOUT_COST = Account(
    [nrb("n1", nrbBilledInName="INV-second")],
    [invoice([line("Vacuum truck", "100.00")], "first"), invoice([line("Vacuum truck", "100.00")], "second")],
)
# Invoices that charge for parts of one cost, or each too much for a cost of its own, are no copies, whatever else is
# charged too much.
HALVES = Account(
    [referenced("n1"), referenced("small", "10.00"), referenced("over", "20.00")],
    [
        invoice([line(ref("n1"), "50.00")], "first"),
        invoice([line(ref("n1"), "50.00")], "second"),
        invoice([line(ref("small"), "10.00"), line(ref("over"), "30.00")], "other"),
    ],
)
EACH_CHARGES_MORE = Account(
    [unbilled("n1", "90.00"), unbilled("n2", "90.00")],
    [invoice([line("Vacuum truck", "100.00")], jnid) for jnid in ("first", "second")],
    links=[("n1", "first", 0), ("n2", "second", 0)],
)


def test_invoices_for_different_costs_are_two_documents():
    assert TRUCKS.risks(RULE) == {}
    assert HALVES.risks(RULE) == {}
    assert EACH_CHARGES_MORE.risks(RULE) == {}
    assert COPIED.risks(RULE) == {"first": "0.00", "second": "100.00", "third": "100.00"}
    assert ONE_WITHOUT_COST.risks(RULE) == {"first": "0.00", "second": "100.00"}


# The lines are compared as a set of texts and amounts.
ORDER = Account(
    [],
    [
        invoice([line("Labor", "1.00"), line("Sand", "2.00")], "a"),
        invoice([line("sand ", "2.00"), line("LABOR", "1.00")], "b"),
        invoice([line("Labor", "2.00"), line("Sand", "1.00")], "c"),
    ],
)


def test_lines_are_compared_whatever_their_order_and_case():
    assert ORDER.risks(RULE) == {"a": "0.00", "b": "3.00"}


# An invoice of several jobs that no cost decides has no job to be compared by.
SEVERAL = Account(
    [],
    [invoice([line("Labor", "7.00")], jnid, related=[related("X-1", "J1"), related("X-2", "J2")]) for jnid in "ab"],
)


def test_invoices_of_several_jobs_are_compared_by_number_alone():
    assert SEVERAL.risks(RULE) == {}


# A cost that was charged, credited and charged again, beside one that is smaller and one that was charged twice.
CREDITED = Account(
    [nrb("n1", "500.00"), nrb("n2", "1.00", nrbBilledInName="INV-i4"), nrb("n3", nrbBilledInName="INV-i5")],
    [
        *(
            invoice([line("R1-n1", amount)], jnid)
            for jnid, amount in (("i1", "500.00"), ("i2", "-500.00"), ("i3", "500.00"))
        ),
        invoice([line("R1-n2", "1.00")], "i4"),
        invoice([line("R1-n3")], "i5"),
        invoice([line("Crane, R1-n3")], "i6"),
    ],
)
# By decisions: two invoices with the same lines carry two costs, one of which a third invoice charges again.
DECIDED = Account(
    [nrb("n1", nrbBilledInName=None), nrb("n2", nrbBilledInName=None)],
    [*(invoice([line("Vacuum truck")], jnid) for jnid in ("i1", "i2")), invoice([line("Sundries")], "i3")],
    links=[("n1", "i1", 0), ("n2", "i2", 0), ("n1", "i3", 0)],
)


def test_what_is_charged_once_in_the_end_is_no_duplicate():
    assert CREDITED.risks(RULE) == {} == DECIDED.risks(RULE)
