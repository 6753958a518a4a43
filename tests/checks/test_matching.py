"""Subset sums: against counting by hand, against chance, and at their bounds."""

import random
from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.checks.matching import MAX_ITEMS, Block, Group, resolve, search

BIG = 10**12  # so large that chance would not find a sum, however alike the amounts are


def block(nrbs, *invoices, forbidden=()):
    """NRBs n0, n1 … and invoices i0, i1 … of these amounts in cents."""
    lines = {(f"i{i}", place): cents for i, amounts in enumerate(invoices) for place, cents in enumerate(amounts)}
    return Block({f"n{place}": cents for place, cents in enumerate(nrbs)}, lines, frozenset(forbidden))


def group(nrbs, *lines):
    return Group(tuple(nrbs.split()), lines)


def links(world):
    return set(resolve(search(world).groups).links)


def every_group(world):
    """By trying all sets, one by one."""
    for line, amount in world.lines.items():
        for size in range(1, len(world.nrbs) + 1):
            for nrbs in combinations(sorted(world.nrbs), size):
                if sum(world.nrbs[nrb] for nrb in nrbs) == amount:
                    yield Group(nrbs, (line,))
    for nrb, amount in world.nrbs.items():
        for jnid in {line[0] for line in world.lines}:
            own = sorted(line for line in world.lines if line[0] == jnid)
            for size in range(1, len(own) + 1):
                for lines in combinations(own, size):
                    if sum(world.lines[line] for line in lines) == amount:
                        yield Group((nrb,), lines)


def alone(groups):
    """Those of two or more to one that share no member with another."""
    seen = Counter(member for one in set(groups) for member in one.members)
    return {one for one in groups if len(one.members) > 2 and all(seen[member] == 1 for member in one.members)}


@pytest.mark.parametrize(
    ("world", "expected"),
    [
        (block([41237, 18764], [60001]), {group("n0 n1", ("i0", 0))}),
        (block([60001], [41237, 18764]), {group("n0", ("i0", 0), ("i0", 1))}),
        (block([60001], [41237], [18764]), set()),  # lines of one invoice only
        (block([41237, 18764], [60002]), set()),  # a cent off
        (block([41237, 18764], [60001, 60001]), set()),  # two lines of that amount
        (block([41237, 18764, 31113, 28888], [60001]), set()),  # two sums
        (block([41237, 18764, 60001], [60001]), set()),  # or one NRB alone
        (block([41237, 18764, 7001], [60001, 48238]), set()),  # n0 is part of two sums
        (block([41237, 18764, 7001], [60001]), {group("n0 n1", ("i0", 0))}),
        (block([41237, 18764], [60001], forbidden=[("n0", ("i0", 0))]), set()),
        (block([60001], [41237, 18764], forbidden=[("n0", ("i0", 1))]), set()),
        (  # what is forbidden is no rival
            block([41237, 18764, 31113, 28888], [60001], forbidden=[("n3", ("i0", 0))]),
            {group("n0 n1", ("i0", 0))},
        ),
    ],
)
def test_groups(world, expected):
    assert links(world) == expected


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_all_sums_that_stand_alone_are_found_and_no_other(data):
    """Amounts are so alike that most sums have rivals, and so large that the guard lets everything be searched."""
    nrbs = data.draw(st.lists(st.integers(1, 9).map(lambda cents: BIG + cents), min_size=1, max_size=6))
    sums = st.lists(st.sampled_from(nrbs), min_size=1, max_size=4).map(sum) | st.integers(1, 4).map(
        lambda size: size * BIG + 7
    )
    invoices = data.draw(st.lists(st.lists(sums, min_size=1, max_size=3), min_size=1, max_size=2))
    world = block(nrbs, *invoices)
    found = search(world)
    assert found.unsearched == {}
    assert set(resolve(found.groups).links) == alone(list(every_group(world)))


def usual(rng):
    return int(rng.lognormvariate(11, 0.8)) + 100


def skewed(rng):
    return int(rng.lognormvariate(11, 2)) + 100


def whole_dollars(rng):
    return usual(rng) // 100 * 100


def mixed(rng):
    return rng.choice((usual, whole_dollars, lambda rng: usual(rng) // 50 * 50))(rng)


def unrelated(amount, rng, size):
    return block([amount(rng) for _ in range(size)], [amount(rng) * rng.choice((1, 2, 3)) for _ in range(4)])


@pytest.mark.parametrize(
    ("amount", "blocks"),
    [
        (usual, 15),
        (whole_dollars, 15),
        *(pytest.param(each, 500, marks=pytest.mark.campaign) for each in (usual, skewed, whole_dollars, mixed)),
    ],
)
def test_chance_makes_fewer_groups_than_one_in_a_thousand_blocks(amount, blocks):
    """`blocks` of each size from 4 to 24 NRBs, with lines that have nothing to do with them."""
    sizes = [size for size in range(4, 25) for _ in range(blocks)]
    false = sum(
        bool(links(unrelated(amount, random.Random(f"{size} {place}"), size))) for place, size in enumerate(sizes)
    )
    print(f"{amount.__name__}: {false} false groups in {len(sizes):,} blocks")
    assert false <= len(sizes) / 1000


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.integers(4, 14), members=st.integers(2, 4))
def test_a_planted_group_is_found_whenever_it_is_unique_and_the_guard_allows_it(seed, size, members):
    rng = random.Random(seed)
    nrbs = [usual(rng) for _ in range(size)]
    world = block(nrbs, [sum(nrbs[:members]), usual(rng)])
    planted = Group(tuple(sorted(f"n{place}" for place in range(members))), (("i0", 0),))
    found = search(world)
    if planted in alone(list(every_group(world))):
        assert planted in resolve(found.groups).links or f"than {members - 1} of" in limits(found)
    else:
        assert planted not in resolve(found.groups).links


def limits(found):
    """The reasons with smaller limits put as the one below: what is not searched from 2 on is not searched at 3."""
    text = "; ".join(found.unsearched.values())
    for size in (1, 2, 3):
        if f"more than {size} of" in text:
            text += "".join(f"; more than {larger} of" for larger in range(size + 1, 5))
    return text


@settings(max_examples=60, deadline=None)
@given(rng=st.randoms(use_true_random=False), size=st.integers(2, 12))
def test_no_member_is_linked_twice_and_no_order_matters(rng, size):
    nrbs = {f"n{place}": BIG + rng.randrange(9) for place in range(size)}
    values = list(nrbs.values())
    lines = {
        (f"i{place % 2}", place): sum(rng.sample(values, min(size, rng.randrange(1, 4)))) + rng.choice((0, 0, 1))
        for place in range(5)
    }
    found = search(Block(nrbs, lines))
    resolved = resolve(found.groups)
    seen = Counter(member for one in resolved.links for member in one.members)
    assert set(seen.values()) <= {1}
    shuffled = [dict(rng.sample(list(side.items()), len(side))) for side in (nrbs, lines)]
    again = search(Block(*shuffled))
    assert set(again.groups) == set(found.groups) and again.unsearched == found.unsearched
    assert resolve(rng.sample(again.groups, len(again.groups))) == resolved


def test_what_is_not_linked_names_what_speaks_against_it():
    (first, second) = resolve(search(block([41237, 18764, 31113, 28888], [60001])).groups).disputes
    assert str(first.group) == "n0 + n1 = i0/0" and str(first.runner_up) == "n2 + n3 = i0/0"
    assert (second.group, second.runner_up) == (first.runner_up, first.group)


def test_the_guard_counts_round_amounts_by_their_roundness():
    assert links(block([40037, 60012], [100049]))
    found = search(block([40000, 60000], [100000]))
    assert resolve(found.groups).links == ()
    assert found.unsearched == {"i0": "not searched: coincidence likely (sets of more than 1 of 2 NRBs)"}


def test_the_guard_stops_where_chance_would_find_sums():
    rng = random.Random(1)
    found = search(block([usual(rng) for _ in range(20)], [usual(rng), usual(rng)]))
    assert set(found.unsearched) == {"i0"}
    assert found.unsearched["i0"].startswith("not searched: coincidence likely")


def test_a_sum_has_rivals_of_sizes_that_were_not_searched():
    """Two NRBs make the line, and so would five; sets of five are too many to be searched for."""
    five = [10007, 20011, 30013, 40031, 50033]
    rest = [70057, sum(five) - 70057, *(90001 + 1313 * place for place in range(8))]
    world = block([*five, *rest], [sum(five)])
    found = search(world)
    assert "more than 2 of" in found.unsearched["i0"] or "more than 3 of" in found.unsearched["i0"]
    assert resolve(found.groups).links == ()
    (dispute,) = (each for each in resolve(found.groups).disputes if len(each.group.nrbs) == 2)
    assert len(dispute.runner_up.nrbs) > 3
    assert links(block([1, *five[1:], *rest], [sum(five)])) == {dispute.group}


def test_a_rival_that_shares_half_of_its_members_is_one():
    nrbs = [5021, 6013, 7009, 8021, 9007, 10003, 12007, 40031, 50057, 40031 + 50057 - 10003 - 12007]
    found = search(block(nrbs, [40031 + 50057]))
    assert "more than 2 of" in found.unsearched["i0"]
    (dispute,) = resolve(found.groups).disputes[:1]
    assert (str(dispute.group), str(dispute.runner_up)) == ("n7 + n8 = i0/0", "n5 + n6 + n9 = i0/0")


@pytest.mark.parametrize(
    ("count", "reason"),
    [
        (MAX_ITEMS, "not searched: more than 100,000 sets of NRBs"),
        (MAX_ITEMS + 1, f"not searched: more than {MAX_ITEMS} NRBs"),
    ],
)
def test_the_bounds_say_what_they_stop(count, reason):
    world = block([BIG + 7 * place**3 for place in range(count)], [16 * BIG + 1])
    assert search(world).unsearched == {"i0": reason}


def test_a_pair_among_many_is_proved_to_be_the_only_sum_at_the_bound():
    nrbs = [BIG + 3 ** min(place, 20) + place for place in range(MAX_ITEMS)]
    assert links(block(nrbs, [nrbs[0] + nrbs[1]])) == {group("n0 n1", ("i0", 0))}


def test_the_largest_amounts_do_not_overflow():
    nrbs = [10**17 - 1, 10**17 - 2, 10**17 - 3]
    assert links(block(nrbs, [3 * 10**17 - 6])) == {group("n0 n1 n2", ("i0", 0))}
