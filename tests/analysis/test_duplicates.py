"""Duplicates against brute force, which compares every pair."""

from datetime import date, timedelta
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.analysis.duplicates import duplicates
from tests.analysis.asking import ask, listed, rows
from tests.warehouse.test_macros import alignment

COLUMNS = "id, vendor, number, amount, day"


def made_of(records):
    typed = "id, cast(vendor as varchar) as vendor, cast(number as varchar) as number, cast(amount as int) as amount"
    return f"select {typed}, cast(day as date) as day from ({listed(*records, columns=COLUMNS)})"


def groups(snapshot, records, *args, **options):
    """The groups as sets of ids; each record is in one, with its size, and groups are numbered from 1."""
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
    """As documented, for texts of letters, digits and '-'."""
    one, other = key(a), key(b)
    if not one or not other:
        return False

    def bare(text):
        return key("-".join(part.lstrip("0") or "0"[: len(part)] for part in text.split("-")))

    zeros = one == other or bare(a) == bare(b)
    return zeros or (min(len(one), len(other)) >= 6 and alignment(one, other) == 1)


def brute_force(records, related, differ=None):
    """Compare every pair; what is connected is a group; `differ` is the position of what must not all be equal."""
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
def test_same_same_same(snapshot, records):
    def equal(a, b):
        return None not in (*a[1:4], *b[1:4]) and (a[1], a[2].lower(), a[3]) == (b[1], b[2].lower(), b[3])

    assert groups(snapshot, records, ["vendor", "number", "amount"]) == brute_force(records, equal)


@settings(max_examples=100, deadline=None)
@given(records=WORLDS)
def test_near(snapshot, records):
    expected = brute_force(records, lambda a, b: a[3] is not None and a[3] == b[3] and nearly(a[2], b[2]))
    assert groups(snapshot, records, "amount", "number") == expected


@settings(max_examples=60, deadline=None)
@given(records=WORLDS)
def test_near_alone(snapshot, records):
    assert groups(snapshot, records, near="number") == brute_force(records, lambda a, b: nearly(a[2], b[2]))


@settings(max_examples=60, deadline=None)
@given(records=WORLDS, days=st.integers(0, 5))
def test_days(snapshot, records, days):
    def close(a, b):
        return None not in (a[4], b[4]) and abs((a[4] - b[4]).days) <= days

    near = brute_force(records, lambda a, b: close(a, b) and a[3] is not None and a[3] == b[3] and nearly(a[2], b[2]))
    exact = brute_force(records, lambda a, b: close(a, b) and a[3] is not None and a[3] == b[3])
    assert groups(snapshot, records, "amount", "number", days=days, date="day") == near
    assert groups(snapshot, records, "amount", days=days, date="day") == exact


@settings(max_examples=60, deadline=None)
@given(records=WORLDS)
def test_same_same_different(snapshot, records):
    known = [record for record in records if None not in record[1:4]]
    expected = brute_force(known, lambda a, b: same(a[2], b[2]) and a[3] == b[3], differ=1)
    assert groups(snapshot, records, ["number", "amount"], different="vendor") == expected


@settings(max_examples=60, deadline=None)
@given(records=WORLDS)
def test_nulls_match_on_request(snapshot, records):
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


def test_key_columns_come_first_and_the_order_is_stable(snapshot):
    records = [(n, "BIT", f"INV-47{n % 3}1", n % 2, DAY) for n in range(12)]
    frames = [
        ask(snapshot, duplicates(snapshot, "amount", "number", table=made_of(order)))
        for order in (records, records[::-1])
    ]
    assert list(frames[0].columns) == ["group_no", "group_size", "amount", "number", "id", "vendor", "day"]
    assert rows(frames[0]) == rows(frames[1])
    assert len(frames[0]) == 12
