"""Classical estimates of the misstatement of a population from a sample of items: difference, ratio, regression.

The formulas are those of Cochran, Sampling Techniques (1977), chapters 2, 6 and 7, of the error d = book − audited,
with the finite population correction, and Student's t for the precision. Not here: when they may be used
(`evaluation.py`): with few errors their stated confidence does not hold.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from auditkit.errors import QuestionRefused

__all__ = ["Estimate", "EstimatorMethod", "Pair", "estimate"]

EstimatorMethod = Literal["difference", "ratio", "regression"]


@dataclass(frozen=True)
class Pair:
    """An item's book value, and its error: book − audited."""

    book: Fraction
    error: Fraction


@dataclass(frozen=True)
class Estimate:
    """The estimated error of a population, its standard error, and the degrees of freedom of that."""

    error: Fraction
    standard_error: float
    degrees: int


def estimate(method: EstimatorMethod, pairs: Sequence[Pair], items: int, book_value: Fraction) -> Estimate:
    """The error of a population of `items` items worth `book_value`, from a random sample of them.

    - `difference`: N × d̄, with the variance of d.
    - `ratio`: book value × Σd ÷ Σx, with the variance of d − (Σd ÷ Σx) × x.
    - `regression`: N × d̄ + b × (book value − N × x̄), with b = Sxd ÷ Sxx, and the variance of the residuals.

    Raises `QuestionRefused` where the sample cannot give one: too few items, or book values that sum to 0 or are equal.
    """
    lost = 2 if method == "regression" else 1
    n = len(pairs)
    if n <= lost:
        raise QuestionRefused(f"{method} needs {lost + 1} items or more in each stratum, found {n}")
    error, residuals = _METHODS[method](pairs, items, book_value)
    variance = sum((residual * residual for residual in residuals), Fraction(0)) / (n - lost)
    correction = max(Fraction(0), 1 - Fraction(n, items))
    return Estimate(error, items * math.sqrt(variance / n * correction), n - lost)


Estimated = tuple[Fraction, list[Fraction]]


def _difference(pairs: Sequence[Pair], items: int, _: Fraction) -> Estimated:
    mean = _mean([pair.error for pair in pairs])
    return items * mean, [pair.error - mean for pair in pairs]


def _ratio(pairs: Sequence[Pair], _: int, book_value: Fraction) -> Estimated:
    books = sum((pair.book for pair in pairs), Fraction(0))
    if books == 0:
        raise QuestionRefused("ratio needs a sample whose book values do not sum to 0")
    rate = sum((pair.error for pair in pairs), Fraction(0)) / books
    return book_value * rate, [pair.error - rate * pair.book for pair in pairs]


def _regression(pairs: Sequence[Pair], items: int, book_value: Fraction) -> Estimated:
    book, error = _mean([pair.book for pair in pairs]), _mean([pair.error for pair in pairs])
    spread = sum(((pair.book - book) ** 2 for pair in pairs), Fraction(0))
    if spread == 0:
        raise QuestionRefused("regression needs a sample whose book values are not all equal")
    slope = sum(((pair.book - book) * (pair.error - error) for pair in pairs), Fraction(0)) / spread
    residuals = [pair.error - error - slope * (pair.book - book) for pair in pairs]
    return items * error + slope * (book_value - items * book), residuals


_METHODS: Mapping[EstimatorMethod, Callable[[Sequence[Pair], int, Fraction], Estimated]] = {
    "difference": _difference,
    "ratio": _ratio,
    "regression": _regression,
}


def _mean(values: Sequence[Fraction]) -> Fraction:
    return sum(values, Fraction(0)) / len(values)
