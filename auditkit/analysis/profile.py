"""A profile: records by the band of a value, with counts and totals. What `stratify` and `age` have in common.

Every record is in exactly one band, and the total row is taken from the whole table, not from the bands, so they tie.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

from auditkit.analysis.question import Question, Source
from auditkit.errors import QuestionRefused
from auditkit.sql import filled
from auditkit.values import quantity

__all__ = ["MOST_BANDS", "Band", "ascending", "profile"]

MOST_BANDS = 1000


@dataclass(frozen=True)
class Band:
    """A row of a profile: its label, and the first and last value it holds, as far as there are such."""

    label: str
    lower: Decimal | None = None
    upper: Decimal | None = None


def profile(
    source: Source,
    value: str,
    amount: str,
    *,
    bands: Sequence[Band],
    limits: Sequence[Decimal],
    values: Mapping[str, Any],
) -> Question:
    """A question for `bands`: below the first limit, one from each limit on, above the last limit, and NULL.

    `value` and `amount` are SQL over a row `s`, and `values` the parameters in them. The last limit belongs to the band
    below it.
    """
    *starts, last = limits
    parameters = {
        "labels": [band.label for band in bands],
        "lowers": [band.lower for band in bands],
        "uppers": [band.upper for band in bands],
        "limits": starts,
        "last": last,
    }
    sql = filled("queries/analysis/profile", value=value, amount=amount, source=source.sql)
    return Question(sql, {**values, **parameters})


def ascending(numbers: Sequence[Decimal | int | str], what: str) -> list[Decimal]:
    """The numbers as Decimals. Raises `QuestionRefused` unless they ascend."""
    if not isinstance(numbers, Sequence) or isinstance(numbers, str) or len(numbers) > MOST_BANDS:
        raise QuestionRefused(f"{what}: expected up to {MOST_BANDS} numbers in a list, found {numbers!r:.60}")
    given = [quantity(number, what) or Decimal(0) for number in numbers]
    if any(upper <= lower for lower, upper in pairwise(given)):
        raise QuestionRefused(f"{what}: expected ascending numbers, found {', '.join(map(str, given))}")
    return given
