"""Digit analysis: do the digits of amounts fall as Benford's law expects, and which amounts repeat, tower or are round?

Digits are read from exact decimals: multiplying floats by powers of ten misplaces digits (165 of 189,470 amounts of one
real ledger). A float is read by its shortest form, as it was written. Amounts of 0 and missing ones have no digits:
they are counted and left out. Bands, tests and names are those of Nigrini, Benford's Law (2012).

A digit test finds where to look. It proves nothing: prices, contracts and rounding rules break the law as well.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Literal, get_args

import pandas as pd

from auditkit.analysis import distributions
from auditkit.analysis.exact import as_decimal, is_missing
from auditkit.errors import QuestionRefused

__all__ = ["Benford", "Digits", "Mantissa", "Sign", "benford", "duplicates", "round_numbers", "summation"]

Digits = Literal["1", "2", "12", "123", "last2"]
Sign = Literal["both", "positive", "negative"]

_SOURCE = "Nigrini, Benford's Law: Applications for Forensic Accounting, Auditing, and Fraud Detection (2012)"
_CONFORMITY = ("close conformity", "acceptable conformity", "marginally acceptable conformity", "nonconformity")
_BANDS: Mapping[Digits, tuple[float, float, float] | None] = {  # upper ends of the mean absolute deviation
    "1": (0.006, 0.012, 0.015),
    "2": (0.008, 0.010, 0.012),
    "12": (0.0012, 0.0018, 0.0022),
    "123": (0.00036, 0.00044, 0.00050),
    "last2": None,
}
_KOLMOGOROV_5_PERCENT = 1.36


@dataclass(frozen=True)
class Mantissa:
    """The fractional parts of log₁₀ of the amounts.

    Benford's law expects mean 1/2, variance 1/12, skewness 0 and excess kurtosis −1.2. `arc_l2` is the squared distance
    of their center of gravity from the middle of the circle that they lie on, and `arc_p` = exp(−L² × n) its p-value:
    the mantissa arc test (Alexander 2009).
    """

    mean: float
    variance: float
    skewness: float
    excess_kurtosis: float
    arc_l2: float
    arc_p: float


@dataclass(frozen=True)
class Benford:
    """The digits of amounts beside what Benford's law expects.

    One entry for each of `labels` in `counts`, `expected` (counts, not rounded), `proportions`, `expected_proportions`
    and `z`. `n` amounts were used; `zeros`, `missing`, `short` (no two digits, for "last2") and `other_sign` were not.
    For the second-order test n counts the differences that are not 0.

    - `z`: |p − p₀| less 1/(2n), where that is smaller, over √(p₀ (1 − p₀) ÷ n). 1.96 is significant at 5 %.
    - `chi2`, `df`, `p`: Pearson's, from the expected counts as they are.
    - `mad`: the mean of |p − p₀|; `conformity` its band, and `mad_bands` their upper ends; None for "last2".
    - `ks`: the greatest |difference| of the cumulated proportions; `ks_critical` is 1.36 ÷ √n, its 5 % limit.
    - `values_digest`: SHA-256 of the amounts as they came.
    """

    labels: tuple[str, ...]
    counts: tuple[int, ...]
    expected: tuple[float, ...]
    z: tuple[float, ...]
    n: int
    chi2: float
    df: int
    p: float
    mad: float
    conformity: str | None
    mad_bands: tuple[float, float, float] | None
    ks: float
    ks_critical: float
    mantissa: Mantissa
    digits: Digits
    second_order: bool
    sign: Sign
    zeros: int
    missing: int
    short: int
    other_sign: int
    values_digest: str
    method: str
    source: str

    @property
    def proportions(self) -> tuple[float, ...]:
        """Counts ÷ n."""
        return tuple(count / self.n for count in self.counts)

    @property
    def expected_proportions(self) -> tuple[float, ...]:
        """Expected counts ÷ n."""
        return tuple(count / self.n for count in self.expected)

    @property
    def frame(self) -> pd.DataFrame:
        """A row for each digit: digits, count, expected, proportion, expected_proportion, difference, z."""
        rows = zip(self.labels, self.counts, self.expected, self.proportions, self.expected_proportions, strict=True)
        frame = pd.DataFrame(rows, columns=["digits", "count", "expected", "proportion", "expected_proportion"])
        return frame.assign(difference=frame["proportion"] - frame["expected_proportion"], z=self.z)


def benford(
    values: Iterable[object], digits: Digits = "12", second_order: bool = False, *, sign: Sign = "both"
) -> Benford:
    """Count the digits of amounts, and test them against Benford's law.

    `digits`: the first ("1"), the second ("2"), the first two ("12"), the first three ("123"), or the last two
    ("last2"), which are expected to be all as frequent. First digits are the significant ones: 0.05 is 50 of "12". Last
    digits are those of the most decimals that any amount has: 12.5 among cents ends in 50; whole numbers below 10 have
    no last two.

    `second_order`: the digits of the differences between neighbors of the sorted amounts, where they are not 0.
    `sign`: which amounts are used; "both" takes them without their sign. Amounts are Decimals, whole numbers, texts of
    digits and floats; None and NaN are missing. Raises `QuestionRefused` for anything else, and without any digits.
    """
    if digits not in get_args(Digits):
        raise QuestionRefused(f"digits: expected {', '.join(get_args(Digits))}, found {digits!r}")
    amounts = _Amounts.of(values, sign)
    used = _differences(amounts.used) if second_order else list(amounts.used)
    numbers = _NUMBERS[digits](used)
    found = Counter(number for number in numbers if number is not None)
    n = found.total()
    if n == 0:
        raise QuestionRefused(f"no amount has the digits {digits!r}: {len(amounts.used)} of them are not 0")
    expected = {number: n * share for number, share in _shares(digits).items()}
    counts = [found[number] for number in expected]
    chi2 = sum((count - each) ** 2 / each for count, each in zip(counts, expected.values(), strict=True))
    mad = sum(abs(count - each) for count, each in zip(counts, expected.values(), strict=True)) / n / len(expected)
    bands = _BANDS[digits]
    return Benford(
        labels=tuple(f"{number:02}" if digits == "last2" else str(number) for number in expected),
        counts=tuple(counts),
        expected=tuple(expected.values()),
        z=tuple(_z(count, each, n) for count, each in zip(counts, expected.values(), strict=True)),
        n=n,
        chi2=chi2,
        df=len(expected) - 1,
        p=distributions.chi2_sf(chi2, len(expected) - 1),
        mad=mad,
        conformity=_CONFORMITY[sum(mad > end for end in bands)] if bands else None,
        mad_bands=bands,
        ks=_greatest_gap(counts, list(expected.values())) / n,
        ks_critical=_KOLMOGOROV_5_PERCENT / math.sqrt(n),
        mantissa=_mantissa(used),
        digits=digits,
        second_order=second_order,
        sign=sign,
        zeros=amounts.zeros,
        missing=amounts.missing,
        short=len(numbers) - n,
        other_sign=amounts.other_sign,
        values_digest=amounts.digest,
        method="second-order test" if second_order else f"{_NAMES[digits]} test",
        source=_SOURCE,
    )


def duplicates(values: Iterable[object], *, least: int = 2) -> pd.DataFrame:
    """Amounts that occur `least` times or more, the most frequent first: the number duplication test.

    Columns: amount (Decimal, with its sign), count, share (of all amounts that are not missing). Equal numbers are one
    amount, however many decimals they were written with.
    """
    counts = Counter(amount for amount in _exact(values) if amount is not None)
    total = counts.total()
    rows = [(amount, count, count / total) for amount, count in counts.items() if count >= least]
    rows.sort(key=lambda row: (-row[1], row[0]))
    return pd.DataFrame(rows, columns=["amount", "count", "share"]).astype({"amount": object})


def summation(values: Iterable[object], digits: Literal["1", "12", "123"] = "12") -> pd.DataFrame:
    """The sum of the amounts above 0 by their first digits: the summation test, which finds few and large amounts.

    Under Benford's law the sums are equal. Columns: digits, count, sum (Decimal), share (of the whole), expected_share,
    difference.
    """
    if digits not in ("1", "12", "123"):
        raise QuestionRefused(f"digits: expected 1, 12 or 123, found {digits!r}")
    used = [amount for amount in _exact(values) if amount is not None and amount > 0]
    if not used:
        raise QuestionRefused("no amount is above 0: there is nothing to sum")
    units, decimals = _units(used)
    sums, counts = dict.fromkeys(_shares(digits), 0), Counter[int]()
    for amount, size in zip(used, units, strict=True):
        number = _first(amount, len(digits))
        counts[number] += 1
        sums[number] += size
    whole = sum(units)
    even = 1 / len(sums)
    rows = [
        (str(number), counts[number], _of_units(each, decimals), each / whole, even, each / whole - even)
        for number, each in sums.items()
    ]
    columns = ["digits", "count", "sum", "share", "expected_share", "difference"]
    return pd.DataFrame(rows, columns=columns).astype({"sum": object})


def round_numbers(values: Iterable[object], multiples: Sequence[int] = (5, 10, 25, 100, 1000)) -> pd.DataFrame:
    """How many amounts are whole multiples of round numbers, which invented and estimated amounts often are.

    Of amounts that are not 0. Expected is the share that even last digits give: the smallest unit that any amount has
    (0.01 with cents) ÷ the multiple. Columns: multiple, count, share, expected_share, z.
    """
    used = [amount for amount in _exact(values) if amount]
    if not used:
        raise QuestionRefused("no amount is other than 0: there is nothing to count")
    units, decimals = _units(used)
    rows = []
    for multiple in multiples:
        if multiple < 1:
            raise QuestionRefused(f"multiples: expected whole numbers, 1 or more, found {multiple}")
        step = multiple * 10**decimals
        count, expected = sum(size % step == 0 for size in units), 1 / step
        z = _z(count, expected * len(used), len(used)) if step > 1 else 0.0
        rows.append((multiple, count, count / len(used), expected, z))
    return pd.DataFrame(rows, columns=["multiple", "count", "share", "expected_share", "z"])


# ── Amounts and their digits ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Amounts:
    """Amounts above 0, and how many were left out."""

    used: tuple[Decimal, ...]
    zeros: int
    missing: int
    other_sign: int
    digest: str

    @classmethod
    def of(cls, values: Iterable[object], sign: Sign) -> "_Amounts":
        if sign not in get_args(Sign):
            raise QuestionRefused(f"sign: expected {', '.join(get_args(Sign))}, found {sign!r}")
        exact = _exact(values)
        present = [amount for amount in exact if amount is not None]
        signed = [amount for amount in present if amount]
        wanted = [a for a in signed if sign == "both" or (a > 0) == (sign == "positive")]
        text = "\n".join("" if amount is None else format(amount, "f") for amount in exact)
        return cls(
            used=tuple(amount.copy_abs() for amount in wanted),
            zeros=len(present) - len(signed),
            missing=len(exact) - len(present),
            other_sign=len(signed) - len(wanted),
            digest=hashlib.sha256(text.encode()).hexdigest(),
        )


def _exact(values: Iterable[object]) -> list[Decimal | None]:
    return [None if is_missing(each) else as_decimal(each, f"value {n}") for n, each in enumerate(values)]


def _units(amounts: Sequence[Decimal]) -> tuple[list[int], int]:
    """Each amount as a whole number of the smallest unit that any has, and the decimals of that unit."""
    decimals = max((_decimals(amount) for amount in amounts), default=0)
    return [int(_significant(amount) + "0" * (_exponent(amount) + decimals)) for amount in amounts], decimals


def _of_units(count: int, decimals: int) -> Decimal:
    return Decimal(f"{count}E-{decimals}")


def _exponent(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _decimals(amount: Decimal) -> int:
    """How many decimals an amount has, those it was written with."""
    return max(0, -_exponent(amount))


def _significant(amount: Decimal) -> str:
    """The digits of an amount other than 0, without sign and point; none before the first that is not 0."""
    return "".join(map(str, amount.as_tuple().digits))


def _differences(amounts: Sequence[Decimal]) -> list[Decimal]:
    """What is between neighbors of the sorted amounts, without differences of 0."""
    units, decimals = _units(amounts)
    return [_of_units(after - before, decimals) for before, after in pairwise(sorted(units)) if after != before]


def _first(amount: Decimal, length: int) -> int:
    """The first significant digits, as a number; an amount with fewer has zeros behind them."""
    return int(_significant(amount)[:length].ljust(length, "0"))


def _firsts(length: int) -> Callable[[Sequence[Decimal]], list[int | None]]:
    return lambda amounts: [_first(amount, length) for amount in amounts]


def _second(amounts: Sequence[Decimal]) -> list[int | None]:
    return [_first(amount, 2) % 10 for amount in amounts]


def _last_two(amounts: Sequence[Decimal]) -> list[int | None]:
    units, decimals = _units(amounts)
    return [size % 100 if decimals or size >= 10 else None for size in units]


_NUMBERS: Mapping[Digits, Callable[[Sequence[Decimal]], list[int | None]]] = {
    "1": _firsts(1),
    "2": _second,
    "12": _firsts(2),
    "123": _firsts(3),
    "last2": _last_two,
}
_NAMES: Mapping[Digits, str] = {
    "1": "first digit",
    "2": "second digit",
    "12": "first-two digits",
    "123": "first-three digits",
    "last2": "last-two digits",
}


def _shares(digits: Digits) -> dict[int, float]:
    """What share of amounts has each number as these digits, under Benford's law."""
    if digits == "last2":
        return dict.fromkeys(range(100), 0.01)
    if digits == "2":
        return {d: math.fsum(math.log10(1 + 1 / (10 * first + d)) for first in range(1, 10)) for d in range(10)}
    length = len(digits)
    return {number: math.log10(1 + 1 / number) for number in range(10 ** (length - 1), 10**length)}


# ── Statistics ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _z(count: int, expected: float, n: int) -> float:
    """Nigrini's z: with the continuity correction only where it is smaller than the difference it corrects."""
    share, gap, correction = expected / n, abs(count - expected) / n, 1 / (2 * n)
    return (gap - correction if correction < gap else gap) / math.sqrt(share * (1 - share) / n)


def _greatest_gap(counts: Sequence[int], expected: Sequence[float]) -> float:
    gap = greatest = 0.0
    for count, each in zip(counts, expected, strict=True):
        gap += count - each
        greatest = max(greatest, abs(gap))
    return greatest


def _mantissa(amounts: Sequence[Decimal]) -> Mantissa:
    texts = [_significant(amount) for amount in amounts]
    logs = [math.log10(float(f"{text[0]}.{text[1:18]}")) for text in texts]
    n = len(logs)
    mean = math.fsum(logs) / n
    second, third, fourth = (math.fsum((each - mean) ** power for each in logs) / n for power in (2, 3, 4))
    x = math.fsum(math.cos(2 * math.pi * each) for each in logs) / n
    y = math.fsum(math.sin(2 * math.pi * each) for each in logs) / n
    return Mantissa(
        mean=mean,
        variance=second * n / (n - 1) if n > 1 else 0.0,
        skewness=third / second**1.5 if second else 0.0,
        excess_kurtosis=fourth / second**2 - 3 if second else 0.0,
        arc_l2=x * x + y * y,
        arc_p=math.exp(-(x * x + y * y) * n),
    )
