"""Which items are in a sample: `select`, and `extend`.

A money-unit sample sees each unit of money as likely as another: an item worth twice as much is twice as likely to be
selected, and one worth an interval or more is certain to be. Such high-value items are split off and tested whole.

Not here: how many to select (`sizes.py`), and what is found in the sample (`evaluation.py`).
"""

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import get_args

import pandas as pd

from auditkit.analysis.exact import Number, as_count, as_decimal
from auditkit.analysis.sampling.draws import Numbers, Point, cells, every, random_points, shuffled, sieve
from auditkit.analysis.sampling.population import Columns, Unit, digest_of, units_of
from auditkit.analysis.sampling.sample import Draw, Hit, Sample, SelectionMethod, SelectionUnit, Stratum
from auditkit.errors import QuestionRefused

__all__ = ["extend", "select"]

_SOURCES = {
    "fixed-interval": "AICPA Audit Guide: Audit Sampling (2017), chapter 6: fixed-interval (systematic) selection",
    "cell": "Leslie, Teitlebaum and Anderson, Dollar-Unit Sampling (1979): cell selection",
    "random": "AICPA Audit Guide: Audit Sampling (2017), chapter 3: simple random selection",
    "sieve": "Hoogduin, Hall and Tsay, Modified Sieve Sampling, AUDITING 29 (2010)",
}
_PLACES = 2  # a random place is chosen to the hundredth: to the cent, where amounts have no more decimals


def select(
    frame: pd.DataFrame,
    n: int | Mapping[str, int],
    method: SelectionMethod = "fixed-interval",
    unit: SelectionUnit = "money",
    *,
    seed: int | str | None = None,
    start: Number | None = None,
    id: str | None = None,
    amount: str | None = None,
    stratum: str | None = None,
) -> Sample:
    """Select n items of a population, the same on any machine for the same seed, rows and `frame.attrs["snapshot"]`.

    `frame` holds a row for each item, in any order: `id` names the column of unique ids, `amount` that of the money
    (Decimal), `stratum` one whose values are sampled apart. `id` and `amount` may be left out where columns have these
    names, or only one can be it; a named index can hold the ids. With strata, n is shared out by book value (by number
    of items, for `unit="item"`), or is a number for each.

    `unit="money"`: each unit of money is as likely as another, over the items above 0 in the order of their ids.

    - `fixed-interval`: a point each book value ÷ n, the first at `start` (above 0, at most the interval) or drawn.
    - `cell`: a random point in each of n cells of that width.
    - `random`: different random points below the high-value items.
    - `sieve`: the greatest amount ÷ random number; no item twice.

    Items worth an interval or more are `high_value`, all of them in the sample; items of 0 and below are not sampled,
    but listed in `zeros` and `negatives`. `unit="item"`: each item is as likely as another, those of 0 and below too;
    there is no high value, and no `sieve`.

    Raises `QuestionRefused` where neither seed nor start is given, n is more than there is to select, an id is missing
    or occurs twice, or an amount is missing or a float.
    """
    _known(method, unit, seed, start)
    columns = Columns.of(frame, id, amount, stratum)
    population = units_of(frame, columns)
    snapshot = None if frame.attrs.get("snapshot") is None else str(frame.attrs["snapshot"])
    digest = digest_of(population, snapshot)
    first = None if start is None else as_decimal(start, "start")
    parts = _parts(population, unit)
    sizes = _sizes(parts, n, unit)
    drawn = [_first_draw(part, sizes[part.name], _Random(method, unit, seed, digest, first)) for part in parts]
    return Sample(
        method=method,
        unit=unit,
        seed=seed,
        start=first,
        snapshot=snapshot,
        population_digest=digest,
        columns=columns,
        strata=tuple(each.stratum for each in drawn),
        draws=tuple(each.draw for each in drawn),
        high_value=tuple(item for each in drawn for item in each.high),
        selected=_selected(population, [each.draw for each in drawn], also=[each.high for each in drawn]),
        negatives=tuple(item for item in population if unit == "money" and item.amount < 0),
        zeros=tuple(item for item in population if unit == "money" and item.amount == 0),
        source=_SOURCES[method],
        population=population,
    )


def extend(sample: Sample, n: int) -> Sample:
    """The sample with n more selections by the same method: those that it has stay, in their order, with their draws.

    The new ones are drawn below the high-value items, which are tested already. In a money-unit sample an item may be
    hit again: then it counts once more, and is tested once. With strata, n is shared out as `select` does. A sample
    that began at a given start goes on from a seed of its own. Raises `QuestionRefused` for a sample without its
    population, and where there is not so much left.
    """
    more = as_count(n, "n")
    if not sample.population:
        raise QuestionRefused("the sample has no population: restore it with from_dict(saved, frame)")
    high = {unit.id for unit in sample.high_value}
    parts = [_without(part, high) for part in _parts(sample.population, sample.unit)]
    sizes = _shared(parts, more)
    seed = sample.seed if sample.seed is not None else f"start {sample.start}"
    random = _Random(sample.method, sample.unit, seed, sample.population_digest, None)
    draws = [_next_draw(part, sizes[part.name], random, sample) for part in parts if sizes[part.name]]
    known = {unit.id for unit in sample.selected}
    new = tuple(unit for unit in _selected(sample.population, draws) if unit.id not in known)
    return dataclasses.replace(sample, draws=(*sample.draws, *draws), selected=(*sample.selected, *new))


# ── Parts of a population ───────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Part:
    """The items of a stratum that can be selected, with their sizes as whole numbers: `scale` of them are 1."""

    name: str | None
    units: tuple[Unit, ...]
    sizes: tuple[int, ...]
    scale: int

    @property
    def total(self) -> int:
        return sum(self.sizes)


@dataclass(frozen=True)
class _Drawn:
    stratum: Stratum
    draw: Draw
    high: tuple[Unit, ...]


@dataclass(frozen=True)
class _Random:
    method: SelectionMethod
    unit: SelectionUnit
    seed: int | str | None
    digest: str
    start: Decimal | None

    def numbers(self, purpose: str) -> Numbers:
        return Numbers("" if self.seed is None else self.seed, self.digest, purpose)


def _parts(population: Iterable[Unit], unit: SelectionUnit) -> list[_Part]:
    by_stratum: dict[str | None, list[Unit]] = {}
    for item in population:
        if unit == "item" or item.amount > 0:
            by_stratum.setdefault(item.stratum, []).append(item)
    if not by_stratum:
        raise QuestionRefused("there is nothing to select: no item has an amount above 0")
    exponents = [_places(item.amount) for items in by_stratum.values() for item in items] if unit == "money" else []
    scale = 10 ** max(_PLACES, *exponents) if exponents else 10**_PLACES
    return [
        _Part(name, tuple(items), tuple(_size(item, unit, scale) for item in items), scale)
        for name, items in sorted(by_stratum.items(), key=lambda each: each[0] or "")
    ]


def _places(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _size(item: Unit, unit: SelectionUnit, scale: int) -> int:
    return scale if unit == "item" else int(Fraction(item.amount) * scale)


def _without(part: _Part, ids: set[int | str]) -> _Part:
    kept = [(item, size) for item, size in zip(part.units, part.sizes, strict=True) if item.id not in ids]
    return _Part(part.name, tuple(item for item, _ in kept), tuple(size for _, size in kept), part.scale)


def _sizes(parts: Sequence[_Part], n: int | Mapping[str, int], unit: SelectionUnit) -> dict[str | None, int]:
    if not isinstance(n, Mapping):
        counts = _shared(parts, as_count(n, "n"))
        if empty := [name for name, count in counts.items() if count == 0]:
            share = "book value" if unit == "money" else "items"
            raise QuestionRefused(f"n: {n} is too few for stratum {empty[0]!r} by its {share}; pass a number for each")
        return counts
    names = {part.name for part in parts}
    if unknown := sorted(str(name) for name in n if name not in names):
        raise QuestionRefused(f"n: no item is in stratum {unknown[0]!r}")
    if missing := sorted(str(name) for name in names if name not in n):
        raise QuestionRefused(f"n: stratum {missing[0]!r} has no number; give it one, or leave its rows out")
    return {name: as_count(count, f"n of stratum {name!r}") for name, count in n.items()}


def _shared(parts: Sequence[_Part], n: int) -> dict[str | None, int]:
    """n shared out by size; what is left goes to the greatest remainders."""
    whole = sum(part.total for part in parts)
    if whole == 0:
        raise QuestionRefused("there is nothing left to select: every item is in the sample")
    shares = {part.name: Fraction(n * part.total, whole) for part in parts}
    counts = {name: math.floor(share) for name, share in shares.items()}
    order = sorted(shares, key=lambda name: (counts[name] - shares[name], str(name)))
    for name in order[: n - sum(counts.values())]:
        counts[name] += 1
    return counts


# ── Drawing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _first_draw(part: _Part, n: int, random: _Random) -> _Drawn:
    _enough(part, n, random.unit)
    interval = Fraction(part.total, n)
    is_high = [random.unit == "money" and size >= interval for size in part.sizes]
    high = tuple(item for item, above in zip(part.units, is_high, strict=True) if above)
    below = _without(part, {item.id for item in high})
    if random.method in ("fixed-interval", "cell"):
        start, points = _along(part, n, random, f"round 1 {part.name}")
        hits = _hits(part, points)
    else:
        start, hits = None, _apart(below, math.ceil(below.total / interval), random, ())
    stratum = Stratum(
        part.name,
        len(part.units),
        _sum(part.units),
        len(below.units),
        _sum(below.units),
    )
    return _Drawn(stratum, Draw(1, part.name, n, interval / part.scale, start, hits), high)


def _next_draw(part: _Part, n: int, random: _Random, sample: Sample) -> Draw:
    before = [draw for draw in sample.draws if draw.stratum == part.name]
    number = 1 + max((draw.round for draw in sample.draws), default=0)
    once = sample.unit == "item" or sample.method == "sieve"
    left = _without(part, {hit.id for draw in before for hit in draw.hits}) if once else part
    taken = [] if once else [hit.point for draw in before for hit in draw.hits if hit.point is not None]
    _enough(left, n, "item" if once else "money", taken=len(taken))
    if sample.method in ("fixed-interval", "cell"):
        start, points = _along(left, n, random, f"round {number} {part.name}")
        return Draw(number, part.name, n, Fraction(left.total, n) / part.scale, start, _hits(left, points))
    hits = _apart(left, n, random, [int(Fraction(point) * part.scale) for point in taken])
    return Draw(number, part.name, n, None, None, hits)


def _along(part: _Part, n: int, random: _Random, purpose: str) -> tuple[Decimal | None, list[Point]]:
    """Points along the running total: at an interval, or one in each cell."""
    interval, numbers = Fraction(part.total, n), random.numbers(f"{purpose} {random.method}")
    if random.method == "cell":
        return None, cells(part.sizes, interval, n, numbers)
    if random.start is None:
        first = Fraction(1 + numbers.below(math.floor(interval)))
    else:
        first = Fraction(random.start) * part.scale
        if not 0 < first <= interval:
            most = float(interval / part.scale)
            raise QuestionRefused(f"start: expected above 0 and at most the interval {most:,.2f}, found {random.start}")
    return _money(first, part.scale), every(part.sizes, interval, first)


def _apart(part: _Part, n: int, random: _Random, taken: Iterable[int]) -> tuple[Hit, ...]:
    """Selections that do not depend on each other's place; a longer series begins with the shorter one."""
    names, numbers = [item.id for item in part.units], random.numbers(f"{random.method} {part.name}")
    if random.method == "sieve":
        return tuple(Hit(names[index], None) for index in sieve(part.sizes, n, names, numbers))
    if random.unit == "item":
        return tuple(Hit(names[index], None) for index in shuffled(names, numbers)[:n])
    return _hits(part, random_points(part.sizes, n, numbers, taken))


def _hits(part: _Part, points: Iterable[Point]) -> tuple[Hit, ...]:
    return tuple(Hit(part.units[point.index].id, _money(point.at, part.scale)) for point in points)


def _money(at: Fraction, scale: int) -> Decimal:
    """A place as money: exact, or to twelve digits after the point where it has no end."""
    value = at / scale
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return exact if Fraction(exact) == value else round(exact, 12)


def _selected(
    population: Iterable[Unit], draws: Iterable[Draw], also: Iterable[Iterable[Unit]] = ()
) -> tuple[Unit, ...]:
    """What draws hit, and `also` these, in the order of the population."""
    ids = {hit.id for draw in draws for hit in draw.hits} | {unit.id for units in also for unit in units}
    return tuple(unit for unit in population if unit.id in ids)


def _sum(units: Iterable[Unit]) -> Decimal:
    whole = sum((Fraction(unit.amount) for unit in units), Fraction(0))
    return Decimal(whole.numerator) / Decimal(whole.denominator)


# ── Refusals ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _known(method: str, unit: str, seed: object, start: object) -> None:
    if method not in get_args(SelectionMethod):
        raise QuestionRefused(f"method: expected {', '.join(get_args(SelectionMethod))}, found {method!r}")
    if unit not in get_args(SelectionUnit):
        raise QuestionRefused(f"unit: expected {' or '.join(get_args(SelectionUnit))}, found {unit!r}")
    if method == "sieve" and unit == "item":
        raise QuestionRefused("sieve is for unit='money'; items as likely as each other: method='random'")
    if start is not None and method != "fixed-interval":
        raise QuestionRefused(f"start: only fixed-interval has a start; {method} needs a seed")
    if seed is None and start is None:
        raise QuestionRefused("pass seed=, any number or text you write down, so that the sample can be drawn again")
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, (int, str))):
        raise QuestionRefused(f"seed: expected a whole number or a text, found {type(seed).__name__}")


def _enough(part: _Part, n: int, unit: SelectionUnit, taken: int = 0) -> None:
    most = len(part.units) if unit == "item" else part.total - taken
    if n > most:
        of = "" if part.name is None else f" of stratum {part.name!r}"
        units = "items" if unit == "item" else f"units of {Decimal(1) / part.scale:f}"
        raise QuestionRefused(f"n: {n} is more than there is to select: {most:,} {units}{of}")
