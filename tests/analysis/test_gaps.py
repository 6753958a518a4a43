"""Gaps in numbers, in text, and within a prefix."""

from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.analysis.gaps import gaps
from tests.analysis.asking import ask, listed, rows


def test_gaps_are_ranges_within_a_series(snapshot):
    found = ask(snapshot, gaps(snapshot))
    assert rows(found) == [
        ("", 20260002, 20260003, 2, "20260001", "20260004"),
        ("inv-", 9, 11, 3, "inv-8", "INV-0012"),
        ("q-", 2, 999999999999999998, 999999999999999997, "Q-1", "Q-999999999999999999"),
    ]


def test_gaps_within_a_prefix(snapshot):
    found = ask(snapshot, gaps(snapshot, prefix="2026"))
    assert rows(found) == [("2026", 2, 3, 2, "20260001", "20260004")]
    assert ask(snapshot, gaps(snapshot, prefix="none-")).empty


@settings(max_examples=30, deadline=None)
@given(numbers=st.lists(st.integers(-20, 60), min_size=1))
def test_gaps_are_the_numbers_missing_from_a_range(snapshot, numbers):
    found = ask(snapshot, gaps(snapshot, "n", table=listed(*((n,) for n in numbers), columns="n")))
    missing = [n for row in rows(found) for n in range(row[1], row[2] + 1)]
    assert missing == sorted(set(range(min(numbers), max(numbers))) - set(numbers))
    assert found["missing"].sum() == len(missing)
