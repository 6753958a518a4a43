"""What a question refuses, and what it suggests instead."""

import pytest

from auditkit.analysis.age import age
from auditkit.analysis.crosstab import crosstab
from auditkit.analysis.cutoff import cutoff
from auditkit.analysis.duplicates import duplicates
from auditkit.analysis.gaps import gaps
from auditkit.analysis.stratify import stratify
from auditkit.analysis.summarize import summarize
from auditkit.errors import QueryFailed, QuestionRefused, ValueRefused
from tests.analysis.asking import ask
from tests.world import AS_OF

REFUSED = [
    (lambda s: stratify(s, table="nrb_statuss"), "there is no table 'nrb_statuss'; did you mean nrb_status"),
    (lambda s: stratify(s, table=""), "there is no table ''; there are acceptance, agreed_markup, audit_run"),
    (lambda s: stratify(s, "totl"), "nrb_status has no column 'totl'; did you mean total?"),
    (lambda s: stratify(s, "job_number"), "job_number is VARCHAR, but a DECIMAL or a whole number is needed"),
    (lambda s: stratify(s, "a", table="select 1.5::double as a"), "a is DOUBLE, .*; there is none"),
    (lambda s: stratify(s, bands=0), "bands: expected 1 to 1000, found 0"),
    (lambda s: stratify(s, bands=[1]), "bands: expected two limits or more"),
    (lambda s: stratify(s, bands=[1, 1]), "bands: expected ascending numbers, found 1, 1"),
    (lambda s: age(s, "total"), "total is DECIMAL.*, but a DATE is needed; there is accounting_date, month"),
    (lambda s: age(s, as_of="30.9.2026"), "as_of: expected a day such as 2026-09-30, found '30.9.2026'"),
    (lambda s: age(s, buckets=()), "buckets: expected whole days from 0 upwards"),
    (lambda s: age(s, buckets=(-1, 30)), "buckets: expected whole days from 0 upwards"),
    (lambda s: age(s, buckets=("30.5", 60)), "buckets: expected whole days from 0 upwards"),
    (lambda s: summarize(s, []), "by: expected one column or more"),
    (lambda s: summarize(s, ["month", "month"]), "'month' occurs twice"),
    (lambda s: summarize(s, "Level", (), table="select 1 as Level"), "the answer adds a column Level"),
    (lambda s: crosstab(s, (), "month"), "rows: expected one column or more"),
    (lambda s: gaps(s, "total"), "total is DECIMAL.*, but text or a whole number is needed"),
    (lambda s: gaps(s, "status", prefix="1"), "prefix is for text, and status is INTEGER"),
    (lambda s: cutoff(s, "2026-02-30"), "day: expected a day such as"),
    (lambda s: cutoff(s, AS_OF, days=-1), "days: expected a whole number"),
    (duplicates, "nothing to compare: name columns in same or near"),
    (lambda s: duplicates(s, "vendor_code", "rate"), "rate is DECIMAL.*, but text is needed"),
    (lambda s: duplicates(s, "vendor_code", days=3), "days needs date: a column of nrb"),
    (lambda s: duplicates(s, "vendor_code", days=-1, date="created_on"), "days: expected a whole number"),
    (lambda s: duplicates(s, "vendor_code", amount="rate"), "amount needs min_amount"),
    (lambda s: duplicates(s, "_near_1", table="select 1 as _near_1"), "the answer adds a column _near_1"),
]


@pytest.mark.parametrize(("question", "reason"), REFUSED)
def test_refusals_name_what_can_be_asked(snapshot, question, reason):
    with pytest.raises(QuestionRefused, match=reason):
        question(snapshot)


def test_a_float_is_refused_and_broken_sql_is_shown(snapshot):
    with pytest.raises(ValueRefused, match="min_amount: expected digits, found float"):
        duplicates(snapshot, "vendor_code", min_amount=0.1, amount="total_after_markup")
    with pytest.raises(QueryFailed, match="nowhere"):
        stratify(snapshot, table="select * from nowhere")


def test_a_select_may_end_with_a_comment_and_a_semicolon(snapshot):
    table = "select guid, total from nrb_status where total > 0 -- the positive ones\n;"
    found = ask(snapshot, stratify(snapshot, bands=[0, 100], table=table))
    assert found["count"].iloc[0] == 0
