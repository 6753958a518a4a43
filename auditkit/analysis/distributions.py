"""The probability distributions that sampling and digit analysis use, from scipy, which is an extra.

scipy is imported when a distribution is first needed, so that everything else works without it. Arguments are numbers
or arrays that broadcast; results are float64 arrays. Not here: any formula of an audit.
"""

from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from auditkit.errors import QuestionRefused

__all__ = [
    "beta_quantile",
    "binomial_cdf",
    "chi2_quantile",
    "chi2_sf",
    "gamma_cdf",
    "hypergeometric_cdf",
    "t_quantile",
]

Floats = npt.NDArray[np.float64]
Numbers = npt.ArrayLike


def _scipy_stats() -> ModuleType:
    try:
        from scipy import stats  # noqa: PLC0415  an extra, and slow to import
    except ImportError:
        raise QuestionRefused("sampling and digit analysis need scipy: pip install 'auditkit[sampling]'") from None
    return stats  # type: ignore[no-any-return]


def _floats(value: Any) -> Floats:  # noqa: ANN401  scipy is not typed
    return np.asarray(value, dtype=np.float64)


def beta_quantile(probability: float, a: Numbers, b: Numbers) -> Floats:
    """The beta distribution's quantile."""
    return _floats(_scipy_stats().beta.ppf(probability, a, b))


def binomial_cdf(count: Numbers, n: Numbers, rate: float) -> Floats:
    """The probability of at most `count` marked ones among n, each marked with probability `rate`."""
    return _floats(_scipy_stats().binom.cdf(count, n, rate))


def chi2_quantile(probability: float, degrees: Numbers) -> Floats:
    """The chi-squared distribution's quantile."""
    return _floats(_scipy_stats().chi2.ppf(probability, degrees))


def chi2_sf(value: float, degrees: int) -> float:
    """The probability of a chi-squared value above `value`."""
    return float(_scipy_stats().chi2.sf(value, degrees))


def gamma_cdf(value: float, shape: Numbers, rate: npt.NDArray[np.int64]) -> Floats:
    """The gamma distribution's cumulative probability, by shape and rate (not scale)."""
    return _floats(_scipy_stats().gamma.cdf(value, shape, scale=1 / rate))


def hypergeometric_cdf(count: Numbers, population: int, marked: Numbers, n: Numbers) -> Floats:
    """The probability of at most `count` marked ones among n drawn from `population`, of which `marked` are marked."""
    return _floats(_scipy_stats().hypergeom.cdf(count, population, marked, n))


def t_quantile(probability: float, degrees: int) -> float:
    """Student's t distribution's quantile."""
    return float(_scipy_stats().t.ppf(probability, degrees))
