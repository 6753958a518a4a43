"""How many to sample, and what a sample of yes and no proves.

Money-unit sizes are those of the AICPA (Poisson), or of an attribute sample of money units (binomial, hypergeometric).
Three books give three "right" answers for one case, so each result names its method. Every figure is searched for
exactly: no table is interpolated, and an expected number of errors is `ceil(rate × n)` of exact fractions.

Not here: which items are in a sample (`selection.py`), and what was found in it (`evaluation.py`).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from auditkit.analysis import distributions
from auditkit.analysis.exact import (
    Number,
    as_confidence,
    as_count,
    as_decimal,
    as_rate,
    cents_down,
)
from auditkit.errors import QuestionRefused

__all__ = [
    "LARGEST",
    "AttributeLimit",
    "AttributeSize",
    "MoneySize",
    "SizeMethod",
    "attribute_size",
    "attribute_upper_limit",
    "confidence_factor",
    "discovery_size",
    "mus_size",
]

SizeMethod = Literal["poisson", "binomial", "hypergeometric"]

LARGEST = 1_000_000
_TIE = 1 + 1e-12  # a probability that is the risk itself (0.1² at 99 %) may miss it by a rounding of its last digit
_SOURCES = {
    "poisson": "AICPA Audit Guide: Audit Sampling (2017), appendix C, table C-1; Stewart, Technical Notes (2012)",
    "binomial": "AICPA Audit Guide: Audit Sampling (2017), appendix A, tables A-1 to A-4",
    "hypergeometric": "Touw and Hoogduin, Statistiek voor audit en controlling (2011), chapter 5; EZ-Quant (DCAA)",
}

Ints = npt.NDArray[np.int64]
Passes = Callable[[Ints], npt.NDArray[np.bool_]]


@dataclass(frozen=True)
class MoneySize:
    """The size of a money-unit sample.

    `interval` is money between two selections, rounded down to the cent; None without a book value.
    `tolerable_taints` is the sum of taints that the sample may show and still support the tolerable misstatement:
    n × the expected rate (Poisson; AICPA rounds it up to two decimals), or whole errors (binomial, hypergeometric).
    """

    n: int
    interval: Decimal | None
    tolerable_taints: Decimal
    tolerable: Decimal
    expected: Decimal
    confidence: Decimal
    method: SizeMethod
    population: int | None
    book_value: Decimal | None
    source: str


@dataclass(frozen=True)
class AttributeSize:
    """The size of a sample of items; `deviations` is how many it may show and still support the tolerable rate."""

    n: int
    deviations: int
    tolerable_rate: Decimal
    expected_rate: Decimal | None
    confidence: Decimal
    population: int | None
    method: SizeMethod
    source: str


@dataclass(frozen=True)
class AttributeLimit:
    """The highest rate of deviations that a sample leaves possible.

    `upper_limit` is a fraction; `percent` the same as printed tables have it, in percent and rounded up to a tenth.
    `most_likely` is deviations / n. With a population, `upper_count` is how many of its items may deviate.
    """

    upper_limit: float
    most_likely: float
    n: int
    deviations: int
    confidence: Decimal
    population: int | None
    upper_count: int | None
    method: SizeMethod
    source: str

    @property
    def percent(self) -> Decimal:
        """The upper limit in percent, rounded up to a tenth."""
        return (Decimal(self.upper_limit) * 100).quantize(Decimal("0.1"), ROUND_CEILING)


def mus_size(
    tolerable: Number,
    expected: Number,
    confidence: Number,
    method: SizeMethod = "poisson",
    population: int | None = None,
    *,
    book_value: Number | None = None,
) -> MoneySize:
    """How many money units to sample, so that errors as expected support "not more than tolerable".

    `tolerable` and `expected` misstatement are fractions of the book value or, from a tolerable 1 on, amounts of money,
    which need `book_value`. Confidence is 1 − the risk of incorrect acceptance: 0.95.

    - `poisson` (the AICPA's table C-1): the smallest n with `gamma.cdf(tolerable; 1 + expected × n, rate n) ≥
      confidence`. Expected errors may be parts of one.
    - `binomial` (the AICPA's table A-1): the smallest n with `binom.cdf(ceil(expected × n); n, tolerable) ≤ 1 −
      confidence`. Expected errors are whole.
    - `hypergeometric`: the same without replacement, of `population` money units, by default the whole units of
      `book_value`; `ceil(tolerable × population)` of them are in error. Only this method uses `population`.

    Raises `QuestionRefused` for figures that fit no sample, and for more than 1,000,000 units.
    """
    _known(method)
    level = as_confidence(confidence)
    worth = None if book_value is None else as_decimal(book_value, "book_value")
    if worth is not None and worth <= 0:
        raise QuestionRefused(f"book_value: expected more than 0, found {book_value}")
    whole = worth if as_decimal(tolerable, "tolerable") >= 1 else None
    limit, rate = _share(tolerable, "tolerable", whole), _share(expected, "expected", whole, zero=True)
    _expected_below(rate, limit, expected, tolerable)
    size = None if population is None else as_count(population, "population")
    if method == "poisson":
        n = _smallest(_poisson_passes(limit, rate, level), None)
        taints = n * rate
    else:
        if method == "hypergeometric" and size is None:
            if worth is None:
                raise QuestionRefused("hypergeometric: pass population= (money units), or book_value=")
            size = math.floor(worth)
        n = _attribute_n(limit, lambda count: _ceil(rate, count), level, size if method == "hypergeometric" else None)
        taints = Fraction(_ceil(rate, n))
    return MoneySize(
        n=n,
        interval=None if worth is None else cents_down(Fraction(worth) / n),
        tolerable_taints=_decimal(taints),
        tolerable=as_decimal(tolerable, "tolerable"),
        expected=as_decimal(expected, "expected"),
        confidence=level,
        method=method,
        population=size,
        book_value=worth,
        source=_SOURCES[method],
    )


def attribute_size(
    tolerable_rate: Number, expected_rate: Number, confidence: Number, population: int | None = None
) -> AttributeSize:
    """How many items to test, so that deviations as expected support "not more than the tolerable rate".

    The smallest n with `binom.cdf(ceil(expected_rate × n); n, tolerable_rate) ≤ 1 − confidence` (the AICPA's tables
    A-1 and A-2). With `population`, the number of items, the same of the hypergeometric distribution, where
    `ceil(tolerable_rate × population)` items deviate. Raises `QuestionRefused`.
    """
    rate = as_rate(expected_rate, "expected_rate", zero=True)
    _expected_below(rate, as_rate(tolerable_rate, "tolerable_rate"), expected_rate, tolerable_rate)
    expected = as_decimal(expected_rate, "expected_rate")
    return _attribute_size(tolerable_rate, expected, lambda n: _ceil(rate, n), confidence, population)


def discovery_size(
    tolerable_rate: Number, confidence: Number, population: int | None = None, errors: int = 0
) -> AttributeSize:
    """How many items to test, so that a rate above the tolerable one shows more than `errors` deviations.

    With 0 errors: a sample without any deviation supports the tolerable rate. The smallest n with
    `binom.cdf(errors; n, tolerable_rate) ≤ 1 − confidence`; with `population`, of the hypergeometric distribution, as
    `attribute_size`. Raises `QuestionRefused`.
    """
    allowed = as_count(errors, "errors", least=0)
    return _attribute_size(tolerable_rate, None, lambda _: allowed, confidence, population)


def attribute_upper_limit(n: int, deviations: int, confidence: Number, population: int | None = None) -> AttributeLimit:
    """The highest rate that `deviations` among n tested items leave possible, at a one-sided confidence.

    `beta.ppf(confidence, 1 + deviations, n − deviations)` (Clopper and Pearson; the AICPA's tables A-3 and A-4). With
    `population`, the greatest number K of deviating items with `hypergeom.cdf(deviations; population, K, n) > 1 −
    confidence`, as a share of it. Raises `QuestionRefused`.
    """
    level, tested = as_confidence(confidence), as_count(n, "n")
    found = as_count(deviations, "deviations", least=0)
    if found > tested:
        raise QuestionRefused(f"deviations: {found} are more than the {tested} items that were tested")
    size = None if population is None else as_count(population, "population")
    if size is not None and size < tested:
        raise QuestionRefused(f"population: expected {tested} items or more, found {size}")
    if size is None:
        count = None
        limit = 1.0 if found == tested else float(distributions.beta_quantile(float(level), 1 + found, tested - found))
    else:
        count = _greatest_marked(size, tested, found, float(1 - level))
        limit = count / size
    method: SizeMethod = "binomial" if size is None else "hypergeometric"
    return AttributeLimit(limit, found / tested, tested, found, level, size, count, method, _SOURCES[method])


def confidence_factor(errors: int, confidence: Number) -> float:
    """The Poisson confidence factor for a number of errors: `chi2.ppf(confidence, 2 × (errors + 1)) / 2`.

    Printed tables round it up to two decimals: 3.00 for no error at 95 %, where it is 2.9957. Raises `QuestionRefused`.
    """
    count = as_count(errors, "errors", least=0)
    return float(distributions.chi2_quantile(float(as_confidence(confidence)), 2 * (count + 1))) / 2


# ── The search ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _attribute_size(
    tolerable: Number,
    expected: Decimal | None,
    allowed: Callable[[int], int],
    confidence: Number,
    population: int | None,
) -> AttributeSize:
    level, size = as_confidence(confidence), None if population is None else as_count(population, "population")
    n = _attribute_n(as_rate(tolerable, "tolerable_rate"), allowed, level, size)
    method: SizeMethod = "binomial" if size is None else "hypergeometric"
    return AttributeSize(
        n=n,
        deviations=allowed(n),
        tolerable_rate=as_decimal(tolerable, "tolerable_rate"),
        expected_rate=expected,
        confidence=level,
        population=size,
        method=method,
        source=_SOURCES[method],
    )


def _attribute_n(limit: Fraction, allowed: Callable[[int], int], level: Decimal, population: int | None) -> int:
    """The smallest n with at most `allowed(n)` deviations as improbable as the risk, where the rate is `limit`."""
    risk = float(1 - level) * _TIE
    marked = None if population is None else math.ceil(limit * population)

    def passes(n: Ints) -> npt.NDArray[np.bool_]:
        counts = np.array([allowed(int(each)) for each in n])
        if population is None or marked is None:
            return distributions.binomial_cdf(counts, n, float(limit)) <= risk
        return distributions.hypergeometric_cdf(counts, population, marked, n) <= risk

    return _smallest(passes, population)


def _poisson_passes(limit: Fraction, rate: Fraction, level: Decimal) -> Passes:
    def passes(n: Ints) -> npt.NDArray[np.bool_]:
        return distributions.gamma_cdf(float(limit), 1 + float(rate) * n, n) >= float(level)

    return passes


def _smallest(passes: Passes, population: int | None) -> int:
    """The first n from 1 that passes: not every n above it does, where an expected error becomes one more."""
    first, width, last = 1, 1024, LARGEST if population is None else min(population, LARGEST)
    while first <= last:
        candidates = np.arange(first, min(first + width, last + 1))
        found = np.flatnonzero(passes(candidates))
        if found.size:
            return int(candidates[found[0]])
        first, width = first + width, 2 * width
    raise QuestionRefused(f"no sample of up to {last:,} can support it: expected is too near to tolerable")


def _greatest_marked(population: int, n: int, found: int, risk: float) -> int:
    """The greatest number of marked items that leaves at most `found` among n more probable than the risk."""
    possible, refuted = found, population - (n - found) + 1
    while refuted - possible > 1:
        middle = (possible + refuted) // 2
        likely = distributions.hypergeometric_cdf(found, population, middle, n) > risk * _TIE
        possible, refuted = (middle, refuted) if likely else (possible, middle)
    return possible


# ── Figures ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _known(method: str) -> None:
    if method not in get_args(SizeMethod):
        raise QuestionRefused(f"method: expected {', '.join(get_args(SizeMethod))}, found {method!r}")


def _share(value: Number, what: str, worth: Decimal | None, *, zero: bool = False) -> Fraction:
    if worth is None:
        try:
            return as_rate(value, what, zero=zero)
        except QuestionRefused as refused:
            raise QuestionRefused(f"{refused}; for amounts of money pass book_value=") from None
    amount = as_decimal(value, what)
    if not (0 < amount < worth or (zero and amount == 0)):
        raise QuestionRefused(f"{what}: expected an amount above 0 and below the book value {worth:,}, found {value}")
    return Fraction(amount) / Fraction(worth)


def _expected_below(rate: Fraction, limit: Fraction, expected: Number, tolerable: Number) -> None:
    if rate >= limit:
        raise QuestionRefused(f"expected {expected} is not below tolerable {tolerable}: no sample can support it")


def _ceil(rate: Fraction, n: int) -> int:
    return -(-rate.numerator * n // rate.denominator)


def _decimal(value: Fraction) -> Decimal:
    """Exact where it has an end, else to 28 digits."""
    return Decimal(value.numerator) / Decimal(value.denominator)
