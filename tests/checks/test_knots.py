"""Shares of lines in whole cents: they sum to the line, whatever the amounts, and no order of anything changes them."""

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.checks.knots import components, group_shares, lump, shares, untie
from auditkit.checks.matching import Group

A, B, C = ("i1", 0), ("i1", 1), ("i2", 0)
CENTS = st.integers(-(10**6), 10**6)


@pytest.mark.parametrize(
    ("amount", "weights", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (100, [1, 2], [33, 67]),
        (100, [-1, 2], [33, 67]),  # by size, whatever the sign
        (101, [0, 0], [51, 50]),
        (1, [5, 5, 90], [0, 0, 1]),
        (0, [3, 4], [0, 0]),
    ],
)
def test_shares_by_largest_remainder(amount, weights, parts):
    assert shares(amount, weights) == parts


@given(amount=CENTS, weights=st.lists(CENTS, min_size=1, max_size=8))
def test_shares_sum_to_the_amount(amount, weights):
    parts = shares(amount, weights)
    assert sum(parts) == amount
    assert all(part * amount >= 0 for part in parts)


@given(amount=CENTS, nrbs=st.dictionaries(st.text("abcd", min_size=1), CENTS, min_size=1, max_size=6))
def test_a_lump_sums_to_its_line(amount, nrbs):
    found = lump(A, amount, nrbs)
    assert sum(cents for _, _, cents in found) == amount
    assert {nrb for nrb, _, _ in found} == set(nrbs)


def test_a_lump_gives_each_its_own_total_and_a_part_of_the_difference():
    assert lump(A, 103, {"n1": 100, "n2": 200, "n3": -200}) == [("n1", A, 101), ("n2", A, 201), ("n3", A, -199)]


def test_an_exact_group():
    nrbs, lines = {"n1": 60, "n2": 40}, {A: 100, B: 60, C: 40}
    assert group_shares(Group(("n1", "n2"), (A,)), nrbs, lines) == [("n1", A, 60), ("n2", A, 40)]
    assert group_shares(Group(("n1",), (B, C)), {"n1": 100}, lines) == [("n1", B, 60), ("n1", C, 40)]


def test_components_hang_together():
    edges = [("n3", C), ("n2", A), ("n1", A), ("n1", B), ("n1", A)]
    assert components(edges) == [[("n1", A), ("n1", B), ("n2", A)], [("n3", C)]]


UNTIED = [
    # edges, NRBs, lines, own, shares, tied
    ("ab", {"a": 5, "b": 5}, {A: 5, B: 5}, True, [("a", A, 5), ("b", B, 5)], 0),  # any pairing is right
    ("ab", {"a": 5, "b": 5}, {A: 5, B: 5}, False, [("a", A, 5), ("b", B, 5)], 0),
    ("ab", {"a": 60, "b": 40}, {A: 100}, False, [("a", A, 60), ("b", A, 40)], 0),
    ("a", {"a": 100}, {A: 60, B: 40}, False, [("a", A, 60), ("a", B, 40)], 0),
    ("ab", {"a": 60, "b": 40}, {A: 120}, False, [("a", A, 72), ("b", A, 48)], 0),  # a plausible sum
    ("ab", {"a": 60, "b": 40}, {A: 200}, False, [], 2),  # an implausible one
    ("ab", {"a": 60, "b": 40}, {A: 200}, True, [("a", A, 120), ("b", A, 80)], 0),  # but both are named there
    (
        "abc",  # an exact unique sum
        {"a": 73_191, "b": 20_117, "c": 404_133},
        {A: 424_250},
        False,
        [("b", A, 20_117), ("c", A, 404_133)],
        0,
    ),
    ("abc", {"a": 30, "b": 30, "c": 90}, {A: 30}, False, [], 3),  # two sums of one amount decide nothing
]


@pytest.mark.parametrize(("members", "nrbs", "lines", "own", "expected", "tied"), UNTIED)
def test_untie(members, nrbs, lines, own, expected, tied):
    solved = untie([(nrb, line) for nrb in members for line in lines], nrbs, lines, own=own)
    assert sorted(solved.shares) == expected
    assert len(solved.tied) == tied


@st.composite
def knots(draw):
    nrbs = draw(st.dictionaries(st.sampled_from("abcde"), CENTS.filter(bool), min_size=1))
    lines = draw(st.dictionaries(st.sampled_from([A, B, C]), CENTS.filter(bool), min_size=1))
    pair = st.tuples(st.sampled_from(sorted(nrbs)), st.sampled_from(sorted(lines)))
    return draw(st.lists(pair, min_size=1, unique=True)), nrbs, lines


@settings(deadline=None)
@given(knot=knots(), own=st.booleans(), random=st.randoms())
def test_each_line_is_shared_whole_or_stays_tied(knot, own, random):
    edges, nrbs, lines = knot
    solved = untie(edges, nrbs, lines, own=own)
    parts = defaultdict(int)
    for nrb, line, cents in solved.shares:
        assert (nrb, line) in edges
        parts[line] += cents
    assert parts == {line: lines[line] for line in parts}
    assert set(solved.tied) <= set(edges)
    assert not {line for _, line in solved.tied} & set(parts)
    assert not own or not solved.tied
    assert len({(nrb, line) for nrb, line, _ in solved.shares}) == len(solved.shares)

    shuffled = random.sample(edges, len(edges))
    again = untie(shuffled, dict(reversed(nrbs.items())), dict(reversed(lines.items())), own=own)
    assert (sorted(again.shares), sorted(again.tied)) == (sorted(solved.shares), sorted(solved.tied))
