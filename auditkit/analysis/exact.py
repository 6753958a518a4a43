"""Rates, amounts and confidences, exactly as they were written.

A float is read by its shortest form (0.07 is 7/100, and not 0.070000000000000006…), because one unit in the last place
decides a sample size: ceil(0.07 × 1,300) is 91, and 92 in floating point.
"""

import math
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from auditkit.errors import QuestionRefused

__all__ = [
    "Number",
    "as_confidence",
    "as_count",
    "as_decimal",
    "as_money",
    "as_rate",
    "cents_down",
    "cents_half_up",
    "cents_up",
    "is_missing",
    "plain",
]

Number = Decimal | int | float | str


def plain(value: object) -> object:
    """A scalar of numpy's as Python's own; anything else as it is."""
    return value.item() if hasattr(value, "item") else value


def is_missing(value: object) -> bool:
    """None, NaN, NaT and pandas' NA."""
    return value is None or type(value).__name__ in ("NAType", "NaTType") or value != value  # noqa: PLR0124  NaN


def as_decimal(value: object, what: str) -> Decimal:
    """The number as it was written. Raises `QuestionRefused`, which names `what`, for anything else."""
    number = plain(value)
    if isinstance(number, bool) or not isinstance(number, (Decimal, int, float, str)):
        raise QuestionRefused(f"{what}: expected a number, found {type(value).__name__} {value!r}")
    try:
        exact = number if isinstance(number, Decimal) else Decimal(str(number))
    except InvalidOperation:
        raise QuestionRefused(f"{what}: expected a number, found {value!r}") from None
    if not exact.is_finite():
        raise QuestionRefused(f"{what}: expected a number, found {value}")
    return exact


def as_money(value: object, what: str) -> Decimal:
    """An amount: a Decimal or a whole number. Raises `QuestionRefused` for a float, and where there is none."""
    amount = plain(value)
    if is_missing(amount):
        raise QuestionRefused(f"{what} has no amount: leave the row out, or give it one")
    if isinstance(amount, (float, str)):
        raise QuestionRefused(f"{what}: expected money as Decimal, found {type(amount).__name__} {amount!r}")
    return as_decimal(amount, what)


def as_rate(value: Number, what: str, *, zero: bool = False) -> Fraction:
    """A fraction above 0 (or, with `zero`, from 0) and below 1."""
    rate = Fraction(as_decimal(value, what))
    if not (0 < rate < 1 or (zero and rate == 0)):
        raise QuestionRefused(f"{what}: expected a fraction {'from' if zero else 'above'} 0 and below 1, found {value}")
    return rate


def as_confidence(value: Number) -> Decimal:
    """A confidence above 0 and below 1: 0.95, not 95."""
    confidence = as_decimal(value, "confidence")
    if not 0 < confidence < 1:
        raise QuestionRefused(f"confidence: expected a fraction such as 0.95, found {value}")
    return confidence


def as_count(value: object, what: str, *, least: int = 1) -> int:
    """A whole number, at least `least`."""
    count = plain(value)
    if isinstance(count, bool) or not isinstance(count, int) or count < least:
        raise QuestionRefused(f"{what}: expected a whole number, {least} or more, found {value!r}")
    return count


def cents_half_up(amount: Fraction) -> Decimal:
    """An amount rounded half up (away from zero) to the cent."""
    rounded = _cents(math.floor(abs(amount) * 100 + Fraction(1, 2)))
    return -rounded if amount < 0 else rounded


def cents_up(amount: Fraction) -> Decimal:
    """An amount rounded up to the cent, as a limit is."""
    return _cents(math.ceil(amount * 100))


def cents_down(amount: Fraction) -> Decimal:
    """An amount rounded down to the cent, as an interval is."""
    return _cents(math.floor(amount * 100))


def _cents(count: int) -> Decimal:
    return Decimal(count).scaleb(-2)
