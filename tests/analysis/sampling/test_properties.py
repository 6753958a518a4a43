"""What holds for any figures: limits rise with confidence and errors, order does not count, extensions keep all."""

from decimal import Decimal

import pandas as pd
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import auditkit as ak

RELAXED = settings(deadline=None, max_examples=50)  # a busy machine is no failure

confidences = st.integers(500, 999).map(lambda n: Decimal(n) / 1000)
taints = st.lists(st.integers(0, 100).map(lambda n: Decimal(n) / 100), max_size=12)
cents = st.integers(1, 200_000).map(lambda n: Decimal(n) / 100)
amounts = st.lists(cents, min_size=5, max_size=40)
money_methods = st.sampled_from(["fixed-interval", "cell", "random", "sieve"])
bounds = st.sampled_from(["stringer", "stringer-binomial", "poisson-mus"])
seeds = st.one_of(st.integers(0, 10**9), st.text(max_size=8))

FLAT = ak.sampling.select(
    pd.DataFrame({"id": range(400), "amount": [Decimal(100)] * 400}), 40, "fixed-interval", start=1
)


def frame_of(values: list[Decimal]) -> pd.DataFrame:
    return pd.DataFrame({"id": [f"i{n}" for n in range(len(values))], "amount": pd.Series(values, dtype=object)})


def limit(found: list[Decimal], confidence: Decimal, method: str) -> Decimal:
    """The upper limit of a sample of 40 from 40,000 whose first items have these taints."""
    audited = {item.id: item.amount for item in FLAT.items}
    for item, taint in zip(FLAT.items, found, strict=False):
        audited[item.id] = 100 - 100 * taint
    return ak.sampling.evaluate(FLAT, audited, confidence, method).upper_error_limit


# ── Sizes and limits of attributes ──────────────────────────────────────────────────────────────────────────────────


@RELAXED
@given(st.integers(1, 300), st.data(), confidences, confidences)
def test_a_limit_rises_with_confidence_and_deviations_and_falls_with_n(n, data, one, other) -> None:
    k = data.draw(st.integers(0, n - 1))
    low, high = sorted((one, other))
    here = ak.sampling.attribute_upper_limit(n, k, low).upper_limit
    assert ak.sampling.attribute_upper_limit(n, k, high).upper_limit >= here
    assert ak.sampling.attribute_upper_limit(n, k + 1, low).upper_limit > here
    assert ak.sampling.attribute_upper_limit(n + 1, k, low).upper_limit < here


@RELAXED
@given(st.integers(1, 60), st.data(), confidences)
def test_a_finite_population_never_raises_a_limit_by_more_than_an_item(n, data, confidence) -> None:
    k, population = data.draw(st.integers(0, n)), data.draw(st.integers(n, 400))
    finite = ak.sampling.attribute_upper_limit(n, k, confidence, population)
    endless = ak.sampling.attribute_upper_limit(n, k, confidence)
    assert finite.upper_limit <= endless.upper_limit + 1 / population
    assert k <= finite.upper_count <= population - (n - k)


@RELAXED
@given(st.integers(20, 200), st.integers(0, 19), confidences, confidences)
def test_a_size_rises_with_confidence_and_supports_what_it_promises(tolerable, expected, one, other) -> None:
    low, high = sorted((one, other))
    rates = Decimal(tolerable) / 1000, Decimal(expected) / 2000
    plan = ak.sampling.attribute_size(*rates, low)
    assert ak.sampling.attribute_size(*rates, high).n >= plan.n
    assert ak.sampling.attribute_upper_limit(plan.n, plan.deviations, low).upper_limit <= float(rates[0]) + 1e-12
    assert ak.sampling.mus_size(*rates, high).n >= ak.sampling.mus_size(*rates, low).n


@RELAXED
@given(st.integers(10, 300), st.integers(0, 4), confidences)
def test_a_discovery_size_is_the_first_that_supports_the_rate(tolerable, errors, confidence) -> None:
    rate = Decimal(tolerable) / 1000
    n = ak.sampling.discovery_size(rate, confidence, errors=errors).n
    assert ak.sampling.attribute_upper_limit(n, errors, confidence).upper_limit <= float(rate) + 1e-12
    if n > errors + 1:
        assert ak.sampling.attribute_upper_limit(n - 1, errors, confidence).upper_limit > float(rate) - 1e-12


# ── Bounds ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@RELAXED
@given(taints, confidences, confidences, bounds)
def test_a_bound_rises_with_confidence(found, one, other, method) -> None:
    low, high = sorted((one, other))
    assert limit(found, low, method) <= limit(found, high, method)


@RELAXED
@given(taints, st.integers(1, 100).map(lambda n: Decimal(n) / 100), confidences, bounds)
def test_a_bound_rises_with_each_error(found, more, confidence, method) -> None:
    assert limit([*found, more], confidence, method) >= limit(found, confidence, method)


@RELAXED
@given(taints, st.randoms(), confidences, bounds)
def test_a_bound_does_not_depend_on_the_order_of_errors(found, random, confidence, method) -> None:
    mixed = random.sample(found, len(found))
    assert limit(mixed, confidence, method) == limit(found, confidence, method)


@RELAXED
@given(taints, confidences)
def test_the_binomial_bound_is_not_above_the_poisson_bound(found, confidence) -> None:
    assert limit(found, confidence, "stringer-binomial") <= limit(found, confidence, "stringer") + Decimal("0.02")


# ── Selections ──────────────────────────────────────────────────────────────────────────────────────────────────────


@RELAXED
@given(amounts, st.integers(1, 12), money_methods, seeds, st.randoms())
def test_a_sample_depends_on_no_order_of_rows(values, n, method, seed, random) -> None:
    frame = frame_of(values)
    assume(n <= int(sum(values) * 100))
    mixed = frame.iloc[random.sample(range(len(frame)), len(frame))]
    assert ak.sampling.select(mixed, n, method, seed=seed) == ak.sampling.select(frame, n, method, seed=seed)


@RELAXED
@given(amounts, st.integers(1, 12), st.integers(1, 6), money_methods, seeds)
def test_an_extension_keeps_what_it_has(values, n, more, method, seed) -> None:
    sample = ak.sampling.select(frame_of(values), n, method, seed=seed)
    free = len(values) - len(sample.items) if method == "sieve" else int(sample.strata[0].sampled_value * 100) - 2 * n
    assume(free >= more)
    longer = ak.sampling.extend(sample, more)
    assert longer.items[: len(sample.items)] == sample.items
    assert all(longer.hits[item] >= hits for item, hits in sample.hits.items())
    assert sum(longer.hits.values()) == sum(sample.hits.values()) + more
    assert longer.strata == sample.strata


@RELAXED
@given(amounts, st.integers(1, 12), money_methods, seeds)
def test_high_value_and_sampled_items_are_the_whole_book_value(values, n, method, seed) -> None:
    sample = ak.sampling.select(frame_of(values), n, method, seed=seed)
    (stratum,) = sample.strata
    assert sample.book_value == sum(values)
    assert stratum.sampled_value + sum(unit.amount for unit in sample.high_value) == sample.book_value
    assert all(unit.amount * n >= sample.book_value for unit in sample.high_value)
    if method == "fixed-interval":
        assert len(sample.points) == n
