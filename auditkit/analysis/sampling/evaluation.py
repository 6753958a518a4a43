"""What a sample proves: the most likely error of its population, and the limit that it does not exceed.

An *overstatement* is an item whose book value is above its audited value; overstatements and understatements are
evaluated apart, and neither reduces the limit of the other. A *taint* is an error as a part of the book value.
High-value items were tested whole: their errors are known, are added as they are, and carry no sampling risk.

Not here: the formulas (`bounds.py`, `estimators.py`), and what was tested (`selection.py`).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Literal, get_args

import pandas as pd

from auditkit.analysis import distributions
from auditkit.analysis.exact import (
    Number,
    as_confidence,
    as_decimal,
    as_money,
    cents_half_up,
    cents_up,
    is_missing,
)
from auditkit.analysis.sampling.bounds import Bound, BoundMethod, Factors, bound_of, factors_for
from auditkit.analysis.sampling.estimators import Estimate, EstimatorMethod, Pair, estimate
from auditkit.analysis.sampling.population import ItemId, id_of
from auditkit.analysis.sampling.sample import Sample, Selected, Stratum
from auditkit.errors import QuestionRefused

__all__ = [
    "FEWEST_ERRORS",
    "Audited",
    "Evaluation",
    "EvaluationMethod",
    "Misstatement",
    "StratumEvaluation",
    "evaluate",
]

EvaluationMethod = Literal["stringer", "stringer-binomial", "poisson-mus", "difference", "ratio", "regression"]
Audited = Mapping[ItemId, Decimal | int] | pd.Series | pd.DataFrame

FEWEST_ERRORS = 20
_SOURCES: Mapping[EvaluationMethod, str] = {
    "stringer": "Stringer, Practical aspects of statistical sampling in auditing (1963), Poisson factors",
    "stringer-binomial": "Stringer (1963), with the binomial limits of Clopper and Pearson",
    "poisson-mus": "AICPA Audit Guide: Audit Sampling (2017), chapter 6 and appendix C: precision gap widening",
    "difference": "Cochran, Sampling Techniques (1977), chapter 2; AICPA Audit Guide: Audit Sampling (2017), chapter 7",
    "ratio": "Cochran, Sampling Techniques (1977), chapter 6; AICPA Audit Guide: Audit Sampling (2017), chapter 7",
    "regression": "Cochran, Sampling Techniques (1977), chapter 7",
}


@dataclass(frozen=True)
class Misstatement:
    """Misstatement of one direction, in money.

    `most_likely_error` holds `known_error`, that of the high-value items. `precision` is the basic precision and the
    incremental allowance (which is None for difference, ratio and regression), and `upper_error_limit` both sums.
    `errors` counts items. A part is rounded to the cent (precision upwards), and the sums are of rounded parts.
    """

    errors: int
    known_error: Decimal
    most_likely_error: Decimal
    basic_precision: Decimal
    incremental_allowance: Decimal | None
    precision: Decimal
    upper_error_limit: Decimal


@dataclass(frozen=True)
class StratumEvaluation:
    """A stratum by itself, at the same confidence; `n` counts its selections, high-value items not among them."""

    name: str | None
    items: int
    book_value: Decimal
    n: int
    high_value: int
    overstatement: Misstatement
    understatement: Misstatement


@dataclass(frozen=True)
class Evaluation:
    """What a sample proves of its population.

    `most_likely_error`, `precision` and `upper_error_limit` are those of overstatement; `understatement` has its own,
    and `net_error` is the most likely overstatement less the most likely understatement. `accepted` is whether both
    upper limits are within `tolerable` (None without one), and `verdict` the same in a sentence.
    """

    confidence: Decimal
    method: EvaluationMethod
    factors: Factors
    tolerable: Decimal | None
    n: int
    overstatement: Misstatement
    understatement: Misstatement
    strata: tuple[StratumEvaluation, ...]
    accepted: bool | None
    verdict: str
    source: str
    audited: tuple[tuple[ItemId, Decimal], ...] = field(repr=False)
    sample: Sample = field(repr=False)

    @property
    def most_likely_error(self) -> Decimal:
        """The most likely overstatement."""
        return self.overstatement.most_likely_error

    @property
    def precision(self) -> Decimal:
        """The upper limit of overstatement less the most likely one."""
        return self.overstatement.precision

    @property
    def upper_error_limit(self) -> Decimal:
        """The upper limit of overstatement."""
        return self.overstatement.upper_error_limit

    @property
    def net_error(self) -> Decimal:
        """The most likely overstatement less the most likely understatement."""
        return self.overstatement.most_likely_error - self.understatement.most_likely_error

    @property
    def frame(self) -> pd.DataFrame:
        """A row for each stratum and direction, and for the whole: figures as `Misstatement` has them."""
        whole = StratumEvaluation(
            "total", sum(s.items for s in self.strata), self.sample.book_value, self.n,
            sum(s.high_value for s in self.strata), self.overstatement, self.understatement,
        )  # fmt: skip
        rows = [
            {"stratum": part.name, "direction": direction, "n": part.n, "book_value": part.book_value, **vars(figures)}
            for part in (*self.strata, whole)
            for direction, figures in (("overstatement", part.overstatement), ("understatement", part.understatement))
        ]
        return pd.DataFrame(rows, dtype=object)


def evaluate(
    sample: Sample,
    audited: Audited,
    confidence: Number,
    method: EvaluationMethod = "stringer",
    *,
    tolerable: Number | None = None,
    factors: Factors = "exact",
) -> Evaluation:
    """What the audited values of a sample prove of its population.

    `audited` gives each item of the sample its audited amount: a mapping or Series by id, or a DataFrame with the
    sample's column of ids and a column `audited`. `tolerable` misstatement is money; the verdict is against it.

    For a money-unit sample, which stands for its book value:

    - `stringer`: Stringer's bound with Poisson factors; a selection stands for book value ÷ n, both without high-value
      items.
    - `stringer-binomial`: the same with binomial factors, somewhat lower.
    - `poisson-mus`: the AICPA's: basic precision and incremental allowance (precision gap widening), where a selection
      stands for the sampling interval. `factors="printed"` takes them as tables have them, rounded up to two decimals.

    For a sample of items with 20 or more in error: `difference`, `ratio` and `regression`. Their precision is
    one-sided, Student's t times the standard error (how well it holds: docs/sampling.md).

    With strata, errors are combined as taint × the stratum's interval, and the basic precision is that of the widest
    interval; estimates and their variances add up.

    Raises `QuestionRefused` for an item without audited value, a method that does not fit the sample, and fewer errors.
    """
    level = as_confidence(confidence)
    if method not in _SOURCES:
        raise QuestionRefused(f"method: expected {', '.join(_SOURCES)}, found {method!r}")
    if factors not in get_args(Factors):
        raise QuestionRefused(f"factors: expected {' or '.join(get_args(Factors))}, found {factors!r}")
    limit = None if tolerable is None else as_decimal(tolerable, "tolerable")
    values = _audited(audited, sample)
    tested = [_Tested(item, values[item.id], sample.hits.get(item.id, 0)) for item in sample.items]
    parts = [
        _Part(stratum, [each for each in tested if each.item.stratum == stratum.name]) for stratum in sample.strata
    ]
    if method == "difference" or method == "ratio" or method == "regression":  # noqa: PLR1714  so that mypy narrows it
        strata, (over, under) = _estimated(method, parts, level, sample)
    else:
        strata, (over, under) = _bounded(method, parts, level, factors, sample)
    accepted, verdict = _verdict(over, under, limit)
    return Evaluation(
        confidence=level,
        method=method,
        factors=factors,
        tolerable=limit,
        n=sum(each.n for each in strata),
        overstatement=over,
        understatement=under,
        strata=strata,
        accepted=accepted,
        verdict=verdict,
        source=_SOURCES[method],
        audited=tuple(values.items()),
        sample=sample,
    )


# ── What was tested ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Tested:
    item: Selected
    audited: Decimal
    hits: int

    @property
    def error(self) -> Fraction:
        return Fraction(self.item.amount) - Fraction(self.audited)


@dataclass(frozen=True)
class _Part:
    stratum: Stratum
    tested: list[_Tested]

    @property
    def whole(self) -> list[_Tested]:
        return [each for each in self.tested if each.item.why == "high value"]

    @property
    def sampled(self) -> list[_Tested]:
        return [each for each in self.tested if each.item.why != "high value"]

    @property
    def n(self) -> int:
        return sum(each.hits for each in self.sampled)

    def evaluated(self, figures: tuple[Misstatement, Misstatement]) -> StratumEvaluation:
        stratum = self.stratum
        return StratumEvaluation(
            stratum.name, stratum.items, stratum.book_value, self.n, len(self.whole), figures[0], figures[1]
        )


def _audited(audited: Audited, sample: Sample) -> dict[ItemId, Decimal]:
    """The audited amount of each item, in the order of the sample."""
    if isinstance(audited, pd.DataFrame):
        column = sample.columns.id or "id"
        for name in (column, "audited"):
            if name not in audited.columns:
                raise QuestionRefused(f"audited: the frame has no column {name!r}; it has {', '.join(audited.columns)}")
        pairs: Iterable[tuple[object, object]] = zip(audited[column].tolist(), audited["audited"].tolist(), strict=True)
    else:
        pairs = audited.items()
    as_text = any(isinstance(item.id, str) for item in sample.items)
    given: dict[ItemId, object] = {}
    for key, value in pairs:
        item = id_of(key, "audited")
        given[str(item) if as_text else item] = value
    ids = [item.id for item in sample.items]
    if missing := [item for item in ids if is_missing(given.get(item))]:
        raise QuestionRefused(f"audited: {len(missing)} of {len(ids)} items have no audited amount: {_named(missing)}")
    if unknown := [item for item in given if item not in set(ids)]:
        raise QuestionRefused(f"audited: {len(unknown)} items are not in the sample: {_named(unknown)}")
    return {item: as_money(given[item], f"audited: item {item!r}") for item in ids}


def _named(ids: Sequence[ItemId]) -> str:
    return ", ".join(str(item) for item in ids[:5]) + (" …" if len(ids) > 5 else "")


# ── Bounds of a money-unit sample ───────────────────────────────────────────────────────────────────────────────────

Both = tuple[Misstatement, Misstatement]


def _bounded(
    method: BoundMethod, parts: Sequence[_Part], level: Decimal, form: Factors, sample: Sample
) -> tuple[tuple[StratumEvaluation, ...], Both]:
    if sample.unit != "money":
        raise QuestionRefused(f"{method} needs a sample of money units (select with unit='money'), not of items")
    widths = [_width(part, method, sample) for part in parts]

    def both(chosen: Sequence[tuple[_Part, Fraction]]) -> Both:
        n = sum(part.n for part, _ in chosen)
        widest = max(width for _, width in chosen)

        def one(sign: int) -> Misstatement:
            errors = [error for part, width in chosen for error in _projected(part, width, sign)]
            factors = factors_for(method, n, len(errors), level, form) if n else [Fraction(0)]
            return _misstatement(bound_of(factors, errors, widest), [part for part, _ in chosen], sign)

        return one(1), one(-1)

    strata = tuple(part.evaluated(both([(part, width)])) for part, width in zip(parts, widths, strict=True))
    return strata, both(list(zip(parts, widths, strict=True)))


def _width(part: _Part, method: BoundMethod, sample: Sample) -> Fraction:
    """The money that one selection stands for, below the high-value items."""
    value = Fraction(part.stratum.sampled_value)
    if value == 0:
        return Fraction(0)
    if part.n == 0:
        raise QuestionRefused("no item below the interval was selected, so nothing is known of them: extend the sample")
    draws = [draw for draw in sample.draws if draw.stratum == part.stratum.name]
    interval = draws[0].interval if len(draws) == 1 and sample.method in ("fixed-interval", "cell") else None
    return interval if method == "poisson-mus" and interval is not None else value / part.n


def _projected(part: _Part, width: Fraction, sign: int) -> list[Fraction]:
    """Taint × width of each selection whose error has this sign."""
    return [
        sign * tested.error / Fraction(tested.item.amount) * width
        for tested in part.sampled
        for _ in range(tested.hits)
        if sign * tested.error > 0
    ]


def _misstatement(bound: Bound, parts: Iterable[_Part], sign: int) -> Misstatement:
    tested = [each for part in parts for each in part.tested if sign * each.error > 0]
    known = cents_half_up(sum((sign * e.error for e in tested if e.item.why == "high value"), Fraction(0)))
    likely = known + cents_half_up(bound.most_likely)
    basic, incremental = cents_up(bound.basic), cents_up(bound.incremental)
    precision = basic + incremental
    return Misstatement(len(tested), known, likely, basic, incremental, precision, likely + precision)


# ── Estimates of a sample of items ──────────────────────────────────────────────────────────────────────────────────


def _estimated(
    method: EstimatorMethod, parts: Sequence[_Part], level: Decimal, sample: Sample
) -> tuple[tuple[StratumEvaluation, ...], Both]:
    wrong = sum(1 for part in parts for tested in part.tested if tested.error)
    if wrong < FEWEST_ERRORS:
        raise QuestionRefused(
            f"{method} needs {FEWEST_ERRORS} items in error or more for its confidence to hold, found {wrong}"
        )
    if sample.unit != "item":
        raise QuestionRefused(f"{method} needs a sample of items (select with unit='item'), not of money units")
    estimates = [
        estimate(
            method,
            [Pair(Fraction(t.item.amount), t.error) for t in part.tested for _ in range(t.hits)],
            part.stratum.items,
            Fraction(part.stratum.book_value),
        )
        for part in parts
    ]
    strata = tuple(part.evaluated(_both(made, [part], level)) for part, made in zip(parts, estimates, strict=True))
    whole = Estimate(
        sum((made.error for made in estimates), Fraction(0)),
        math.hypot(*(made.standard_error for made in estimates)),
        sum(made.degrees for made in estimates),
    )
    return strata, _both(whole, parts, level)


def _both(made: Estimate, parts: Sequence[_Part], level: Decimal) -> Both:
    precision = cents_up(Fraction(distributions.t_quantile(float(level), made.degrees) * made.standard_error))
    likely = cents_half_up(made.error)
    tested = [each for part in parts for each in part.tested]
    over, under = (sum(sign * each.error > 0 for each in tested) for sign in (1, -1))
    zero = Decimal("0.00")
    return (
        Misstatement(over, zero, likely, precision, None, precision, likely + precision),
        Misstatement(under, zero, -likely, precision, None, precision, -likely + precision),
    )


# ── The verdict ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _verdict(over: Misstatement, under: Misstatement, tolerable: Decimal | None) -> tuple[bool | None, str]:
    if tolerable is None:
        return None, "no verdict: no tolerable misstatement was given"
    what, limit = max(
        (("overstatement", over.upper_error_limit), ("understatement", under.upper_error_limit)),
        key=lambda each: each[1],
    )
    accepted = limit <= tolerable
    words = ("acceptable", "within") if accepted else ("not acceptable", "above")
    return accepted, f"{words[0]}: the upper limit of {what}, {limit:,}, is {words[1]} the tolerable {tolerable:,}"
