"""Does a stated confidence hold? How often the true error of simulated populations is within the limit of a sample.

    python benchmarks/coverage_study.py [--populations 10000] [--seed 1]

Every line is a scenario of that many populations, each with one sample: its coverage is the share of samples whose
upper limit is not below the true error. Attribute limits, stringer, stringer-binomial and poisson-mus must cover the
stated confidence less one point; otherwise the study ends with exit code 1. Difference, ratio and regression are
printed: all samples beside those that `evaluate` does not refuse.

The simulation is numpy; on the first population of each scenario, `select` and `evaluate` give the same limit.
"""

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pandas as pd

import auditkit as ak
from auditkit.analysis import distributions
from auditkit.analysis.sampling.bounds import factors_for
from auditkit.analysis.sampling.estimators import Pair, estimate
from auditkit.analysis.sampling.evaluation import FEWEST_ERRORS

ALLOWED = 0.01
COMPARED = 1
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Line:
    """One line of the study: the coverage of a method in a scenario; `required` where it must hold."""

    method: str
    scenario: str
    confidence: float
    coverage: float
    samples: int
    required: bool

    @property
    def holds(self) -> bool:
        """Whether the coverage is what it must be."""
        return not self.required or self.coverage >= self.confidence - ALLOWED

    def __str__(self) -> str:
        mark = "" if self.holds else "  TOO LOW"
        shown = f"{self.coverage:7.2%}" if self.samples else "      –"
        return f"{self.method:18} {self.scenario:52} {self.confidence:5.0%} {shown} of {self.samples:6,}{mark}"


def study(populations: int, seed: int) -> Iterator[Line]:
    """Every line of the study."""
    random = np.random.default_rng(seed)
    yield from attributes(populations, random)
    for confidence, n in ((0.90, 60), (0.95, 60), (0.95, 100)):
        for rate in (0.01, 0.05, 0.20):
            for taints in TAINTS:
                for spread in (0.4, 1.2):
                    yield from money(populations, random, Money(confidence, n, rate, taints, spread))
    for rate in (0.02, 0.10, 0.30):
        yield from estimators(populations, random, 0.95, rate)


# ── Attributes ──────────────────────────────────────────────────────────────────────────────────────────────────────


def attributes(populations: int, random: np.random.Generator) -> Iterator[Line]:
    """Samples of yes and no, from populations without end and of 1,000 items."""
    for confidence in (0.90, 0.95):
        for n in (60, 150):
            for rate in (0.01, 0.03, 0.08):
                found = random.binomial(n, rate, populations)
                limits = _attribute_limits(n, found, confidence, None)
                yield _line("attribute limit", f"n {n}, rate {rate:.0%}", confidence, limits >= rate)
                marked = math.ceil(rate * 1000)
                found = random.hypergeometric(marked, 1000 - marked, n, populations)
                limits = _attribute_limits(n, found, confidence, 1000)
                yield _line("attribute limit", f"n {n} of 1,000, rate {rate:.0%}", confidence, limits >= marked / 1000)


def _attribute_limits(n: int, found: Ints, confidence: float, population: int | None) -> Floats:
    limits = {
        k: ak.sampling.attribute_upper_limit(n, k, confidence, population).upper_limit for k in set(found.tolist())
    }
    return np.array([limits[k] for k in found.tolist()])


def _line(method: str, scenario: str, confidence: float, covered: npt.NDArray[np.bool_]) -> Line:
    return Line(method, scenario, confidence, float(covered.mean()), covered.size, required=True)


# ── Money units ─────────────────────────────────────────────────────────────────────────────────────────────────────

ITEMS, CHUNK = 1000, 1000
TAINTS: dict[str, Callable[[np.random.Generator, tuple[int, int]], Floats]] = {
    "wholly wrong": lambda _, shape: np.ones(shape),
    "taints even": lambda random, shape: random.random(shape),
    "taints small": lambda random, shape: random.beta(1, 9, shape),
}


@dataclass(frozen=True)
class Money:
    """Populations of lognormal amounts (sigma is `spread`), of which a share is overstated, and their samples."""

    confidence: float
    n: int
    rate: float
    taints: str
    spread: float

    def __str__(self) -> str:
        amounts = "even amounts" if self.spread < 1 else "skewed amounts"
        return f"n {self.n}, {self.rate:.0%} in error, {self.taints}, {amounts}"


@dataclass(frozen=True)
class Drawn:
    """A row for each population: amounts and errors in cents; a value for each: the start of its sample."""

    amounts: Ints
    errors: Ints
    start: Ints


def money(populations: int, random: np.random.Generator, asked: Money) -> Iterator[Line]:
    """Fixed-interval samples of money units."""
    covered: dict[str, list[npt.NDArray[np.bool_]]] = {}
    for begun in range(0, populations, CHUNK):
        shape = (min(CHUNK, populations - begun), ITEMS)
        amounts = np.ceil(random.lognormal(8, asked.spread, shape)).astype(np.int64)
        wrong = random.random(shape) < asked.rate
        errors = np.where(wrong, np.ceil(amounts * TAINTS[asked.taints](random, shape)), 0).astype(np.int64)
        start = 1 + np.floor(random.random(shape[0]) * np.floor(amounts.sum(axis=1) / asked.n)).astype(np.int64)
        drawn = Drawn(amounts, errors, start)
        limits = _limits(drawn, asked)
        if begun == 0:
            _compare(drawn, asked, limits)
        for method, limit in limits.items():
            covered.setdefault(method, []).append(limit >= errors.sum(axis=1))
    for method, each in covered.items():
        yield _line(method, str(asked), asked.confidence, np.concatenate(each))


def _limits(drawn: Drawn, asked: Money) -> dict[str, Floats]:
    """The upper limit of each population by each method, in cents."""
    amounts, errors, n = drawn.amounts, drawn.errors, asked.n
    interval = amounts.sum(axis=1) / n
    rows = np.arange(len(amounts))[:, None]
    running = np.cumsum(amounts, axis=1)
    total = running[:, -1:]
    points = drawn.start[:, None] + np.arange(n) * interval[:, None]
    # One search for all rows: each row's running total is scaled to (row, row + 1].
    index = np.searchsorted((rows + running / total).ravel(), (rows + points / total).ravel() - 1e-12)
    hit = np.minimum(index.reshape(points.shape) - rows * amounts.shape[1], amounts.shape[1] - 1)
    high = amounts >= interval[:, None]
    below = ~np.take_along_axis(high, hit, axis=1)
    taints = np.take_along_axis(errors / amounts, hit, axis=1) * below
    ordered = -np.sort(-taints, axis=1)
    known, value, hits = (errors * high).sum(axis=1), (amounts * ~high).sum(axis=1), below.sum(axis=1)
    width = np.divide(value, hits, out=np.zeros_like(interval), where=hits > 0)
    level = Decimal(str(asked.confidence))
    poisson = _steps("poisson-mus", n, n, level)
    rate = poisson[0] + ordered @ poisson[1:]
    binomial = np.empty_like(rate)
    for count in np.unique(hits):
        steps = _steps("stringer-binomial", int(count), n, level)
        binomial[hits == count] = steps[0] + ordered[hits == count] @ steps[1:]
    return {
        "stringer": known + width * rate,
        "stringer-binomial": known + width * binomial,
        "poisson-mus": known + interval * rate,
    }


def _steps(method: str, n: int, errors: int, level: Decimal) -> Floats:
    """The confidence factor without error, then what each error adds to it."""
    factors = np.array([float(each) for each in factors_for(method, n, errors, level, "exact")])  # type: ignore[arg-type]
    return np.diff(factors, prepend=0.0)


def _compare(drawn: Drawn, asked: Money, limits: dict[str, Floats]) -> None:
    """Raise where the product gives another limit than the simulation."""
    for row in range(min(COMPARED, len(drawn.start))):
        book = [_money(each) for each in drawn.amounts[row]]
        frame = pd.DataFrame({"id": range(ITEMS), "amount": book})
        sample = ak.sampling.select(frame, asked.n, start=_money(drawn.start[row]))
        audited = {item.id: item.amount - _money(drawn.errors[row][int(item.id)]) for item in sample.items}
        for method, limit in limits.items():
            made = ak.sampling.evaluate(sample, audited, asked.confidence, method).upper_error_limit  # type: ignore[arg-type]
            if abs(float(made) - limit[row] / 100) > 0.05:
                raise AssertionError(f"{method}: evaluate gives {made}, the simulation {limit[row] / 100:.2f}")


def _money(cents: int) -> Decimal:
    return Decimal(int(cents)).scaleb(-2)


# ── Estimators ──────────────────────────────────────────────────────────────────────────────────────────────────────


def estimators(populations: int, random: np.random.Generator, confidence: float, rate: float) -> Iterator[Line]:
    """Random samples of 100 items from populations of 1,000, of which a share is overstated by an even taint."""
    n, items = 100, 1000
    book = np.ceil(random.lognormal(8, 1.2, (populations, items)))
    wrong = random.random((populations, items)) < rate
    error = np.where(wrong, np.ceil(book * random.random((populations, items))), 0)
    x, d = book[:, :n], error[:, :n]  # rows are independent, so that the first n are a random sample
    counts, true, worth = (d > 0).sum(axis=1), error.sum(axis=1), book.sum(axis=1)
    for method, (likely, residuals, lost) in _estimates(x, d, items, worth).items():
        deviation = np.sqrt((residuals**2).sum(axis=1) / (n - lost) / n * (1 - n / items))
        covered = likely + distributions.t_quantile(confidence, n - lost) * items * deviation >= true
        _compare_estimates(x, d, (method, items, worth), (likely, items * deviation))
        for name, among in (("all samples", counts >= 0), (f"{FEWEST_ERRORS} errors or more", counts >= FEWEST_ERRORS)):
            share = float(covered[among].mean()) if among.any() else math.nan
            scenario = f"n {n} of {items:,}, {rate:.0%} in error, {name}"
            yield Line(method, scenario, confidence, share, int(among.sum()), required=False)


def _compare_estimates(x: Floats, d: Floats, asked: tuple[str, int, Floats], made: tuple[Floats, Floats]) -> None:
    """Raise where the product estimates another error, or another precision of it, than the simulation."""
    method, items, worth = asked
    for row in range(min(COMPARED, len(worth))):
        pairs = [Pair(Fraction(book), Fraction(error)) for book, error in zip(x[row], d[row], strict=True)]
        product = estimate(method, pairs, items, Fraction(worth[row]))  # type: ignore[arg-type]
        if not np.allclose([float(product.error), product.standard_error], [made[0][row], made[1][row]]):
            raise AssertionError(f"{method}: the product gives {product}, the simulation {made[0][row], made[1][row]}")


def _estimates(x: Floats, d: Floats, items: int, worth: Floats) -> dict[str, tuple[Floats, Floats, int]]:
    """Most likely error, residuals and lost degrees of freedom by method."""
    mean_x, mean_d = x.mean(axis=1, keepdims=True), d.mean(axis=1, keepdims=True)
    ratio = d.sum(axis=1, keepdims=True) / x.sum(axis=1, keepdims=True)
    slope = ((x - mean_x) * (d - mean_d)).sum(axis=1, keepdims=True) / ((x - mean_x) ** 2).sum(axis=1, keepdims=True)
    regressed = items * mean_d[:, 0] + slope[:, 0] * (worth - items * mean_x[:, 0])
    return {
        "difference": (items * mean_d[:, 0], d - mean_d, 1),
        "ratio": (worth * ratio[:, 0], d - ratio * x, 1),
        "regression": (regressed, d - mean_d - slope * (x - mean_x), 2),
    }


def main() -> int:
    """Run the study and print it; 1 where a stated confidence does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--populations", type=int, default=10_000, help="simulated populations in each scenario")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    began, failed = time.monotonic(), 0
    for line in study(asked.populations, asked.seed):
        print(line, flush=True)
        failed += not line.holds
    print(f"{failed} below the stated confidence less {ALLOWED:.0%}; {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
