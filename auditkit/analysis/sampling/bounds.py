"""Upper limits of a money-unit sample: confidence factors, and what they make of the errors found.

One rule serves every method. With errors e₁ ≥ e₂ ≥ … (taint × the money that a selection stands for) and confidence
factors F₀, F₁, … for 0, 1, … errors:

    most likely error      Σ eᵢ
    basic precision        F₀ × the money that a selection stands for
    incremental allowance  Σ (Fᵢ − Fᵢ₋₁ − 1) × eᵢ
    upper error limit      their sum

With one interval for all, the sum is Stringer's bound, book value × (p₀ + Σ (pᵢ − pᵢ₋₁) × zᵢ) of taints z and pᵢ =
Fᵢ ÷ n. Not here: whose errors they are (`evaluation.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Literal

import numpy as np

from auditkit.analysis import distributions

__all__ = ["Bound", "BoundMethod", "Factors", "bound_of", "factors_for"]

BoundMethod = Literal["stringer", "stringer-binomial", "poisson-mus"]
Factors = Literal["exact", "printed"]


@dataclass(frozen=True)
class Bound:
    """The parts of an upper error limit, exact."""

    most_likely: Fraction
    basic: Fraction
    incremental: Fraction


def factors_for(method: BoundMethod, n: int, errors: int, confidence: Decimal, form: Factors) -> list[Fraction]:
    """The confidence factors for 0 to `errors` errors among n selections.

    `stringer-binomial`: n × `beta.ppf(confidence, 1 + k, n − k)`. Otherwise Poisson: `chi2.ppf(confidence, 2 × (k + 1))
    ÷ 2`. In `printed` form they are rounded up to two decimals, as tables have them.
    """
    counts = np.arange(errors + 1)
    if method == "stringer-binomial":
        below = counts[counts < n]
        rates = distributions.beta_quantile(float(confidence), 1 + below, n - below)
        values = [*(n * rates).tolist(), *([float(n)] * (errors + 1 - below.size))]
    else:
        values = (distributions.chi2_quantile(float(confidence), 2 * (counts + 1)) / 2).tolist()
    if form == "printed":
        return [Fraction(Decimal(value).quantize(Decimal("0.01"), ROUND_CEILING)) for value in values]
    return [Fraction(value) for value in values]


def bound_of(factors: Sequence[Fraction], errors: Sequence[Fraction], width: Fraction) -> Bound:
    """The parts of the limit from errors in money, in any order; `width` is the most that a selection stands for.

    A taint above 1 (an item that is worth less than nothing) raises the basic precision: then more than its interval
    may be wrong in each.
    """
    ordered = sorted(errors, reverse=True)
    steps = [after - before - 1 for before, after in pairwise(factors)]
    incremental = sum((step * error for step, error in zip(steps, ordered, strict=False)), Fraction(0))
    return Bound(sum(ordered, Fraction(0)), factors[0] * max([width, *ordered[:1]]), incremental)
