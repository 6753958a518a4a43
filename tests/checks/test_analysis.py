"""Stratify, age, gaps, summarize, cross-tabulate, cut-off, duplicates: held against pandas and against brute force."""

import random
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.analysis import procedures as analysis
from auditkit.analysis.duplicates import duplicates
from auditkit.errors import QueryFailed, QuestionRefused, ValueRefused
from tests.warehouse.test_macros import alignment
from tests.world import AS_OF, COST_DAY, audited, invoice, ms, nrb

VENDORS = ["BIT", "bit", "O'Neil", 'say "hi"', 'x"; drop table nrb; --', "total", "$column_0", "(none)", None]
JOBS = ["J-1", "J-2", None]


def random_nrbs(count=300):
    dice = random.Random(7)
    for n in range(count):
        total = None if dice.random() < 0.05 else f"{dice.randrange(-50_000, 100_000) * 0.01:.2f}"
        day = None if dice.random() < 0.05 else ms(COST_DAY + timedelta(days=dice.randrange(-150, 40)))
        yield nrb(
            f"n{n}",
            total,
            nrbVendorCode=dice.choice(VENDORS),
            nrbJobOrderNumber=dice.choice(JOBS),
            nrbInvoiceDate=day,
            nrbCreatedAt=None if day is None else ms(COST_DAY + timedelta(days=dice.randrange(-20, 20))),
        )


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    numbers = ["INV-0007", "inv-8", "INV-0012", "INV-12", " INV-13 ", "OTHER", None, "Q-999999999999999999", "Q-1"]
    invoices = [invoice([], f"i{n}", number=number) for n, number in enumerate([*numbers, "20260001", "20260004"])]
    with audited(tmp_path_factory.mktemp("analysis"), list(random_nrbs()), invoices) as opened:
        yield opened


@pytest.fixture(scope="module")
def leaves(snapshot):
    return snapshot.query("select * from nrb_status").frame()


def ask(snapshot, question):
    return snapshot.query(question.sql, dict(question.values)).frame()


def rows(frame):
    return [tuple(row) for row in frame.astype(object).to_numpy()]


def listed(*records, columns):
    """A SELECT of these records, as a person would write it."""
    text = ", ".join("(" + ", ".join(map(literal, record)) + ")" for record in records)
    return f"select * from (values {text}) as t({columns})"


def literal(value):
    if isinstance(value, date):
        return f"date '{value}'"
    return "null" if value is None else str(value) if isinstance(value, (int, Decimal)) else f"'{value}'"


# ── Bands ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def ties(frame, whole, label="band"):
    """The rows above the total sum to it, and it is what the table holds."""
    parts, total = frame.iloc[:-1], frame.iloc[-1]
    assert total[label] == "total"
    assert (parts["count"].sum(), parts["total"].sum()) == (total["count"], total["total"])
    assert (total["count"], total["total"]) == (len(whole), whole["total"].dropna().sum())
    assert all(isinstance(value, Decimal) for value in frame["total"])
    return parts


def test_stratify_is_cut(snapshot, leaves):
    limits = ["-100", "0", "250.50", "600"]
    parts = ties(ask(snapshot, analysis.stratify(snapshot, bands=limits)), leaves)
    edges = [-np.inf, -100.0, 0.0, 250.5, np.nextafter(600.0, 700.0), np.inf]  # the last band holds its upper limit
    cut = pd.cut(leaves["total"].astype(float), edges, right=False)
    groups = leaves["total"].groupby(cut, observed=False)
    assert list(parts["count"]) == [*groups.size(), leaves["total"].isna().sum()]
    assert list(parts["total"]) == [*(group.sum() for _, group in groups), 0]
    assert list(parts["min"].dropna()) == [group.min() for _, group in groups]
    assert list(parts["max"].dropna()) == [group.max() for _, group in groups]
    percents = [round(100 * int(count) / len(leaves), 2) for count in parts["count"]]
    assert list(parts["percent_of_count"]) == pytest.approx(percents, abs=0.011)
    shares = [round(float(100 * total / leaves["total"].sum()), 2) for total in parts["total"]]
    assert list(parts["percent_of_total"]) == pytest.approx(shares, abs=0.011)


def test_stratify_into_equal_bands_is_a_histogram(snapshot, leaves):
    parts = ties(ask(snapshot, analysis.stratify(snapshot, bands=7)), leaves)
    bands = parts.iloc[1:-2]
    limits = [*bands["lower"].astype(float), float(bands["upper"].iloc[-1])]
    counted, _ = np.histogram(leaves["total"].dropna().astype(float), limits)
    assert list(bands["count"]) == list(counted)
    widths = {upper - lower for lower, upper in zip(bands["lower"], bands["upper"], strict=True)}
    assert max(widths) - min(widths) <= Decimal("0.02")
    assert (parts["count"].iloc[0], parts["count"].iloc[-2]) == (0, 0)  # nothing is below or above


@pytest.mark.parametrize(
    ("value", "place"),
    [("-0.01", 0), ("0.00", 1), ("9.99", 1), ("10.00", 2), ("20.00", 2), ("20.01", 3), (None, 4)],
)
def test_the_limits_of_a_band(snapshot, value, place):
    table = f"select cast({literal(value)} as decimal(18, 2)) as a"
    found = ask(snapshot, analysis.stratify(snapshot, "a", bands=[0, 10, 20], table=table))
    assert list(found["count"]) == [*(int(n == place) for n in range(5)), 1]


def test_nothing_has_no_percentage_and_a_sum_of_everything_is_not_too_large(snapshot):
    empty = ask(snapshot, analysis.stratify(snapshot, table="select * from nrb_status where false"))
    assert rows(empty.iloc[-1:])[0][3:] == (0, None, 0, None, None, None)
    table = "select cast(9999999999999999.99 as decimal(18, 2)) as a from range(1000)"
    huge = ask(snapshot, analysis.stratify(snapshot, "a", bands=3, table=table))
    assert huge["total"].iloc[-1] == Decimal("9999999999999999990.00")


def test_age_is_cut(snapshot, leaves):
    parts = ties(ask(snapshot, analysis.age(snapshot, buckets=(30, 60, 90))), leaves)
    days = leaves["accounting_date"].map(lambda day: None if pd.isna(day) else (AS_OF - day).days).astype(float)
    cut = pd.cut(days, [-np.inf, -1, 30, 60, 90, np.inf])
    groups = leaves["total"].groupby(cut, observed=False)
    assert list(parts["band"]) == ["future", "0-30", "31-60", "61-90", "over 90", "no date"]
    assert list(parts["count"]) == [*groups.size(), days.isna().sum()]
    assert list(parts["total"]) == [*(group.sum() for _, group in groups), leaves["total"][days.isna()].sum()]
    assert parts["count"].min() > 0


@pytest.mark.parametrize(("days", "band"), [(-1, "future"), (0, "0-30"), (30, "0-30"), (31, "31-60"), (61, "over 60")])
def test_the_limits_of_a_bucket(snapshot, days, band):
    table = listed((AS_OF - timedelta(days=days), 1), columns="d, a")
    for as_of in (None, AS_OF, str(AS_OF)):
        found = ask(snapshot, analysis.age(snapshot, "d", "a", as_of=as_of, buckets=(30, 60), table=table))
        assert list(found["band"][found["count"] == 1]) == [band, "total"]


# ── By key ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_summarize_is_groupby(snapshot, leaves):
    found = ask(snapshot, analysis.summarize(snapshot, ["vendor_code", "job_number"]))
    expected = {
        tuple(None if pd.isna(part) else part for part in key): (
            len(group),
            group["total"].dropna().sum(),
            group["total"].min(),
            group["total"].max(),
        )
        for key, group in leaves.groupby(["vendor_code", "job_number"], dropna=False)
    }
    keys = found[found["level"] == "key"]
    assert {row[1:3]: row[3:] for row in rows(keys)} == expected
    assert {(None, None), ("BIT", None), (None, "J-1")} <= set(expected)
    whole = leaves["total"]
    assert rows(found)[-1] == ("total", None, None, len(leaves), whole.dropna().sum(), whole.min(), whole.max())
    assert (keys["count"].sum(), keys["sum_total"].sum()) == (len(leaves), whole.dropna().sum())


@pytest.mark.parametrize("amount", [None, "total"])
def test_crosstab_is_pandas_crosstab_whatever_a_header_holds(snapshot, leaves, amount):
    found = ask(snapshot, analysis.crosstab(snapshot, "job_number", "vendor_code", amount))
    known = sorted(vendor for vendor in VENDORS if vendor)
    headers = ["total (2)" if vendor == "total" else vendor for vendor in known]
    assert list(found.columns) == ["level", "job_number", *headers, "(none) (2)", "total"]
    filled = leaves.fillna({"job_number": "none", "vendor_code": "none"})
    values = None if amount is None else filled["total"].fillna(Decimal(0))
    aggregate = None if amount is None else "sum"
    counted = pd.crosstab(filled["job_number"], filled["vendor_code"], values, aggfunc=aggregate).reindex(
        index=["J-1", "J-2", "none"], columns=[*known, "none"]
    )
    cells = found.iloc[:-1, 2:-1]
    assert cells.to_numpy().tolist() == counted.to_numpy().tolist()
    assert found.iloc[:-1, -1].tolist() == counted.sum(axis=1).tolist()
    assert found.iloc[-1, 2:].tolist() == [*counted.sum(), counted.to_numpy().sum()]


def test_crosstab_refuses_too_many_columns_and_takes_as_many_as_it_says(snapshot):
    most = analysis.MOST_COLUMNS
    table = "select n, n % 2 as odd from range({}) as t(n)"
    found = ask(snapshot, analysis.crosstab(snapshot, "odd", "n", table=table.format(most)))
    assert found.shape == (3, most + 3)
    with pytest.raises(QuestionRefused, match="n has more than 200 values"):
        analysis.crosstab(snapshot, "odd", "n", table=table.format(most + 1))


def test_headers_that_are_nothing_or_differ_in_case(snapshot):
    table = listed((1, ""), (1, "a"), (1, "A"), (1, None), columns="k, h")
    found = ask(snapshot, analysis.crosstab(snapshot, "k", "h", table=table))
    assert list(found.columns) == ["level", "k", "(empty)", "A", "a", "(none)", "total"]


# ── Series and periods ──────────────────────────────────────────────────────────────────────────────────────────────


def test_gaps_are_ranges_within_a_series(snapshot):
    found = ask(snapshot, analysis.gaps(snapshot))
    assert rows(found) == [
        ("", 20260002, 20260003, 2, "20260001", "20260004"),
        ("inv-", 9, 11, 3, "inv-8", "INV-0012"),
        ("q-", 2, 999999999999999998, 999999999999999997, "Q-1", "Q-999999999999999999"),
    ]


def test_gaps_within_a_prefix(snapshot):
    found = ask(snapshot, analysis.gaps(snapshot, prefix="2026"))
    assert rows(found) == [("2026", 2, 3, 2, "20260001", "20260004")]
    assert ask(snapshot, analysis.gaps(snapshot, prefix="none-")).empty


@settings(max_examples=30, deadline=None)
@given(numbers=st.lists(st.integers(-20, 60), min_size=1))
def test_gaps_of_numbers_are_what_a_range_lacks(snapshot, numbers):
    found = ask(snapshot, analysis.gaps(snapshot, "n", table=listed(*((n,) for n in numbers), columns="n")))
    missing = [n for row in rows(found) for n in range(row[1], row[2] + 1)]
    assert missing == sorted(set(range(min(numbers), max(numbers))) - set(numbers))
    assert found["missing"].sum() == len(missing)


def test_cutoff(snapshot):
    end = date(2026, 6, 30)
    cases = [
        ("on both days", end, end, None),
        ("late", end, end + timedelta(days=1), ("recorded late", 1)),
        ("early", end + timedelta(days=2), end - timedelta(days=3), ("recorded early", -5)),
        ("after", end + timedelta(days=1), end + timedelta(days=2), None),
        ("day 10", end - timedelta(days=90), end + timedelta(days=10), ("recorded late", 100)),
        ("no date", None, end + timedelta(days=1), None),
        ("never recorded", end, None, None),
    ]
    table = listed(*(case[:3] for case in cases), columns="what, d, r")
    names = {"date": "d", "recorded": "r", "table": table}
    found = ask(snapshot, analysis.cutoff(snapshot, end, **names))
    assert {row[4]: row[:2] for row in rows(found)} == {what: side for what, _, _, side in cases if side}
    assert list(found["what"]) == ["early", "late", "day 10"]
    within = {days: ask(snapshot, analysis.cutoff(snapshot, str(end), days=days, **names)) for days in (9, 10)}
    assert {days: set(frame["what"]) for days, frame in within.items()} == {
        9: {"early", "late"},
        10: {"early", "late", "day 10"},
    }


# ── Duplicates ──────────────────────────────────────────────────────────────────────────────────────────────────────

COLUMNS = "id, vendor, number, amount, day"


def made_of(records):
    typed = "id, cast(vendor as varchar) as vendor, cast(number as varchar) as number, cast(amount as int) as amount"
    return f"select {typed}, cast(day as date) as day from ({listed(*records, columns=COLUMNS)})"


def groups(snapshot, records, *args, **options):
    """The groups as sets of ids; each record stands in one, its size is said, and groups are numbered from 1."""
    question = duplicates(snapshot, *args, table=made_of(records), **options)
    found = ask(snapshot, question)
    assert not found["id"].duplicated().any()
    members = {number: set(part["id"]) for number, part in found.groupby("group_no")}
    assert list(members) == list(range(1, len(members) + 1))
    assert all(len(members[row.group_no]) == row.group_size for row in found.itertuples())
    return {frozenset(group) for group in members.values()}


def key(text):
    return "".join(letter for letter in text.lower() if letter.isalnum()) if text else None


def same(a, b):
    return (a and a.lower()) == (b and b.lower())


def nearly(a, b):
    """As the page says it, for texts of letters, digits and '-'."""
    one, other = key(a), key(b)
    if not one or not other:
        return False

    def bare(text):
        return key("-".join(part.lstrip("0") or "0"[: len(part)] for part in text.split("-")))

    zeros = one == other or bare(a) == bare(b)
    return zeros or (min(len(one), len(other)) >= 6 and alignment(one, other) == 1)


def brute_force(records, related, differ=None):
    """Every pair is looked at; what hangs together is a group; `differ` is the place of what must not all be equal."""
    group = {record[0]: {record[0]} for record in records}
    for one, other in combinations(records, 2):
        if related(one, other):
            merged = group[one[0]] | group[other[0]]
            group |= dict.fromkeys(merged, merged)
    values = {record[0]: record[differ] for record in records} if differ else {}
    return {
        frozenset(members)
        for members in group.values()
        if len(members) > 1 and (not differ or len({values[member] for member in members}) > 1)
    }


DAY = date(2026, 9, 1)
WORLDS = st.lists(
    st.tuples(
        st.sampled_from(["BIT", "ACE", None]),
        st.sampled_from(
            [
                "INV-471",
                "INV-417",
                "inv471",
                "inv-471",
                "INV-0471",
                "INV-47",
                "INV-4471",
                "IN-4711",
                "INV-4712",
                "7",
                "07",
                "-",
                None,
            ]
        ),
        st.sampled_from([10, 20, None]),
        st.sampled_from([DAY, DAY + timedelta(days=2), DAY + timedelta(days=5), None]),
    ),
    min_size=1,
    max_size=9,
).map(lambda parts: [(n, *part) for n, part in enumerate(parts)])


@settings(max_examples=60, deadline=None)
@given(records=WORLDS)
def test_same_same_same_is_brute_force(snapshot, records):
    def equal(a, b):
        return None not in (*a[1:4], *b[1:4]) and (a[1], a[2].lower(), a[3]) == (b[1], b[2].lower(), b[3])

    assert groups(snapshot, records, ["vendor", "number", "amount"]) == brute_force(records, equal)


@settings(max_examples=100, deadline=None)
@given(records=WORLDS)
def test_near_is_brute_force(snapshot, records):
    expected = brute_force(records, lambda a, b: a[3] is not None and a[3] == b[3] and nearly(a[2], b[2]))
    assert groups(snapshot, records, "amount", "number") == expected


@settings(max_examples=60, deadline=None)
@given(records=WORLDS)
def test_near_alone_is_brute_force(snapshot, records):
    assert groups(snapshot, records, near="number") == brute_force(records, lambda a, b: nearly(a[2], b[2]))


@settings(max_examples=60, deadline=None)
@given(records=WORLDS, days=st.integers(0, 5))
def test_days_are_brute_force(snapshot, records, days):
    def close(a, b):
        return None not in (a[4], b[4]) and abs((a[4] - b[4]).days) <= days

    near = brute_force(records, lambda a, b: close(a, b) and a[3] is not None and a[3] == b[3] and nearly(a[2], b[2]))
    exact = brute_force(records, lambda a, b: close(a, b) and a[3] is not None and a[3] == b[3])
    assert groups(snapshot, records, "amount", "number", days=days, date="day") == near
    assert groups(snapshot, records, "amount", days=days, date="day") == exact


@settings(max_examples=60, deadline=None)
@given(records=WORLDS)
def test_same_same_different_is_brute_force(snapshot, records):
    known = [record for record in records if None not in record[1:4]]
    expected = brute_force(known, lambda a, b: same(a[2], b[2]) and a[3] == b[3], differ=1)
    assert groups(snapshot, records, ["number", "amount"], different="vendor") == expected


@settings(max_examples=60, deadline=None)
@given(records=WORLDS)
def test_a_null_is_a_value_where_the_auditor_says_so(snapshot, records):
    expected = brute_force(records, lambda a, b: same(a[2], b[2]) and a[3] == b[3], differ=1)
    found = groups(snapshot, records, ["number", "amount"], different="vendor", nulls_match=True)
    assert found == expected
    near = brute_force(records, lambda a, b: a[3] == b[3] and (nearly(a[2], b[2]) or (not key(a[2]) and not key(b[2]))))
    assert groups(snapshot, records, "amount", "number", nulls_match=True) == near


def test_min_amount_is_the_least_absolute_amount(snapshot):
    records = [(n, "BIT", "1", amount, DAY) for n, amount in enumerate([-5, 5, 4, None, 6])]
    assert groups(snapshot, records, "vendor", min_amount="5.00", amount="amount") == {frozenset({0, 1, 4})}
    assert groups(snapshot, records, "vendor", min_amount="5.01", amount="amount") == set()


def test_look_alikes_are_near_and_every_near_column_counts(snapshot):
    records = [
        (1, "Acme Ltd", "INV-4711", 1, DAY),
        (2, "Аcme Ltd.", "INV-4712", 1, DAY),  # a Cyrillic А
        (3, "Acme Ltd", "INV-9999", 1, DAY),
        (4, "Other", "INV-4711", 1, DAY),
    ]
    assert groups(snapshot, records, near=["vendor", "number"]) == {frozenset({1, 2})}
    assert groups(snapshot, records, near="vendor") == {frozenset({1, 2, 3})}


def test_the_question_stands_first_and_the_order_is_the_same_whatever_the_rows_come_in(snapshot):
    records = [(n, "BIT", f"INV-47{n % 3}1", n % 2, DAY) for n in range(12)]
    frames = [
        ask(snapshot, duplicates(snapshot, "amount", "number", table=made_of(order)))
        for order in (records, records[::-1])
    ]
    assert list(frames[0].columns) == ["group_no", "group_size", "amount", "number", "id", "vendor", "day"]
    assert rows(frames[0]) == rows(frames[1])
    assert len(frames[0]) == 12


# ── Refused ─────────────────────────────────────────────────────────────────────────────────────────────────────────

REFUSED = [
    (lambda s: analysis.stratify(s, table="nrb_statuss"), "there is no table 'nrb_statuss'; did you mean nrb_status"),
    (lambda s: analysis.stratify(s, table=""), "there is no table ''; there are acceptance, audit_run"),
    (lambda s: analysis.stratify(s, "totl"), "nrb_status has no column 'totl'; did you mean total?"),
    (lambda s: analysis.stratify(s, "job_number"), "job_number is VARCHAR, but a DECIMAL or a whole number is needed"),
    (lambda s: analysis.stratify(s, "a", table="select 1.5::double as a"), "a is DOUBLE, .*; there is none"),
    (lambda s: analysis.stratify(s, bands=0), "bands: expected 1 to 1000, found 0"),
    (lambda s: analysis.stratify(s, bands=[1]), "bands: expected two limits or more"),
    (lambda s: analysis.stratify(s, bands=[1, 1]), "bands: expected ascending numbers, found 1, 1"),
    (lambda s: analysis.age(s, "total"), "total is DECIMAL.*, but a DATE is needed; there is accounting_date, month"),
    (lambda s: analysis.age(s, as_of="30.9.2026"), "as_of: expected a day such as 2026-09-30, found '30.9.2026'"),
    (lambda s: analysis.age(s, buckets=()), "buckets: expected days from 0 upwards"),
    (lambda s: analysis.age(s, buckets=(-1, 30)), "buckets: expected days from 0 upwards"),
    (lambda s: analysis.summarize(s, []), "by: expected one column or more"),
    (lambda s: analysis.summarize(s, ["month", "month"]), "'month' is named twice"),
    (lambda s: analysis.summarize(s, "Level", (), table="select 1 as Level"), "has a column Level of its own"),
    (lambda s: analysis.crosstab(s, (), "month"), "rows: expected one column or more"),
    (lambda s: analysis.gaps(s, "total"), "total is DECIMAL.*, but text or a whole number is needed"),
    (lambda s: analysis.gaps(s, "status", prefix="1"), "prefix is for text, and status is INTEGER"),
    (lambda s: analysis.cutoff(s, "2026-02-30"), "day: expected a day such as"),
    (lambda s: analysis.cutoff(s, AS_OF, days=-1), "days: expected a whole number"),
    (duplicates, "nothing to compare: name columns in same or near"),
    (lambda s: duplicates(s, "vendor_code", "rate"), "rate is DECIMAL.*, but text is needed"),
    (lambda s: duplicates(s, "vendor_code", days=3), "days needs date: the column of nrb that it is about"),
    (lambda s: duplicates(s, "vendor_code", days=-1, date="created_on"), "days: expected a whole number"),
    (lambda s: duplicates(s, "vendor_code", amount="rate"), "amount needs min_amount"),
    (lambda s: duplicates(s, "_near_1", table="select 1 as _near_1"), "has a column _near_1 of its own"),
]


@pytest.mark.parametrize(("question", "reason"), REFUSED)
def test_what_cannot_be_asked_is_refused_and_says_what_can(snapshot, question, reason):
    with pytest.raises(QuestionRefused, match=reason):
        question(snapshot)


def test_a_float_is_no_money_and_broken_sql_is_shown(snapshot):
    with pytest.raises(ValueRefused, match="min_amount: expected digits, found float"):
        duplicates(snapshot, "vendor_code", min_amount=0.1, amount="total_after_markup")
    with pytest.raises(QueryFailed, match="nowhere"):
        analysis.stratify(snapshot, table="select * from nowhere")


def test_a_select_may_end_as_people_end_one(snapshot):
    table = "select guid, total from nrb_status where total > 0 -- the positive ones\n;"
    found = ask(snapshot, analysis.stratify(snapshot, bands=[0, 100], table=table))
    assert found["count"].iloc[0] == 0
