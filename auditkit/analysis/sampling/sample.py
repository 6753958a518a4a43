"""A sample as it was drawn: what an auditor tests, and all that is needed to draw it again.

A sample never changes: `extend` gives a new one with one more draw. `to_dict` holds everything but the population's
rows, which stay in their snapshot; `from_dict` takes them from there again, and refuses others by their digest.

Not here: how items are drawn (`selection.py`, `draws.py`).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal

import pandas as pd

from auditkit.analysis.exact import cents_down
from auditkit.analysis.sampling.population import Columns, ItemId, Unit, digest_of, units_of
from auditkit.errors import QuestionRefused

__all__ = ["Draw", "Hit", "Sample", "Selected", "SelectionMethod", "SelectionUnit", "Stratum"]

SelectionMethod = Literal["fixed-interval", "cell", "random", "sieve"]
SelectionUnit = Literal["money", "item"]


@dataclass(frozen=True)
class Stratum:
    """One part of a population (`name` is None where it is the whole).

    `sampled_items` and `sampled_value` are what selections stand for: in a money-unit sample without high-value items,
    zeros and negatives; in a sample of items everything.
    """

    name: str | None
    items: int
    book_value: Decimal
    sampled_items: int
    sampled_value: Decimal


@dataclass(frozen=True)
class Hit:
    """One selection: the item, and where it fell in the running total (None where there is no such place)."""

    id: ItemId
    point: Decimal | None


@dataclass(frozen=True)
class Draw:
    """One draw from one stratum. `n` is what was asked for; `interval` is exact."""

    round: int
    stratum: str | None
    n: int
    interval: Fraction | None
    start: Decimal | None
    hits: tuple[Hit, ...]


@dataclass(frozen=True)
class Selected:
    """One item to test; `why` is "high value" or "selected", `round` the draw (1, or that of an extension)."""

    id: ItemId
    amount: Decimal
    stratum: str | None
    why: str
    round: int


@dataclass(frozen=True)
class Sample:
    """Items to test, and how they were selected.

    - `n`: selections asked for, extensions included; `items`: what to test, each once, an extension's new ones last.
    - `interval`: money (items) between two selections of the first draw, rounded down to the cent; None with strata.
    - `book_value`: what selections stand for, high-value items included; zeros and negatives are not in it in a
      money-unit sample, but apart in `zeros` and `negatives`. `high_value` are those tested whole.
    - `hits`: how often each item was selected; a high-value item is tested whole, however often it was hit.
    - `frame`: the items as a DataFrame: id, amount, stratum, why, round, hits.
    """

    method: SelectionMethod
    unit: SelectionUnit
    seed: int | str | None
    start: Decimal | None
    snapshot: str | None
    population_digest: str
    columns: Columns
    strata: tuple[Stratum, ...]
    draws: tuple[Draw, ...]
    high_value: tuple[Unit, ...]
    selected: tuple[Unit, ...]
    negatives: tuple[Unit, ...]
    zeros: tuple[Unit, ...]
    source: str
    population: tuple[Unit, ...] = field(default=(), repr=False)

    @property
    def n(self) -> int:
        """Selections asked for, extensions included."""
        return sum(draw.n for draw in self.draws)

    @property
    def book_value(self) -> Decimal:
        """What selections stand for, high-value items included."""
        return sum((stratum.book_value for stratum in self.strata), Decimal(0))

    @property
    def interval(self) -> Decimal | None:
        """The interval of the first draw, rounded down to the cent; None in a stratified sample."""
        first = [draw for draw in self.draws if draw.round == 1]
        return cents_down(first[0].interval) if len(first) == 1 and first[0].interval is not None else None

    @property
    def points(self) -> tuple[Decimal, ...]:
        """Where the selections fell in the running total, in the order of the draws."""
        return tuple(hit.point for hit in self._hits() if hit.point is not None)

    @cached_property
    def hits(self) -> Mapping[ItemId, int]:
        """How often each item was selected."""
        return Counter(hit.id for hit in self._hits())

    @cached_property
    def items(self) -> tuple[Selected, ...]:
        """What to test, each once: the first draw's items and all high-value ones by id, then those of extensions."""
        high = {unit.id for unit in self.high_value}
        rounds = {hit.id: draw.round for draw in reversed(self.draws) for hit in draw.hits}
        return tuple(
            Selected(unit.id, unit.amount, unit.stratum, "high value", 1)
            if unit.id in high
            else Selected(unit.id, unit.amount, unit.stratum, "selected", rounds[unit.id])
            for unit in self.selected
        )

    @property
    def frame(self) -> pd.DataFrame:
        """The items as a DataFrame: id, amount, stratum, why, round, hits."""
        rows = [(i.id, i.amount, i.stratum, i.why, i.round, self.hits.get(i.id, 0)) for i in self.items]
        frame = pd.DataFrame(rows, columns=["id", "amount", "stratum", "why", "round", "hits"], dtype=object)
        frame.attrs["snapshot"] = self.snapshot
        return frame

    def _hits(self) -> Iterator[Hit]:
        for draw in self.draws:
            yield from draw.hits

    # ── To JSON and back ────────────────────────────────────────────────────────────────────────────────────────────

    def to_dict(self) -> dict[str, Any]:
        """All of the sample but the population's rows, as JSON can hold it: money and fractions as text."""
        return {
            "method": self.method,
            "unit": self.unit,
            "seed": self.seed,
            "start": _text(self.start),
            "snapshot": self.snapshot,
            "population_digest": self.population_digest,
            "columns": {"id": self.columns.id, "amount": self.columns.amount, "stratum": self.columns.stratum},
            "strata": [
                [s.name, s.items, str(s.book_value), s.sampled_items, str(s.sampled_value)] for s in self.strata
            ],
            "draws": [_draw_to_dict(draw) for draw in self.draws],
            "source": self.source,
        } | {name: _rows(getattr(self, name)) for name in _UNITS}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any], frame: pd.DataFrame | None = None) -> "Sample":
        """The sample that `to_dict` gave; with `frame`, the population it was drawn from, equal to it.

        Without the frame it can be evaluated, but not extended. Raises `QuestionRefused` where the frame is another
        population.
        """
        columns, snapshot = Columns(**saved["columns"]), saved["snapshot"]
        population = () if frame is None else units_of(frame, columns)
        if frame is not None and digest_of(population, snapshot) != saved["population_digest"]:
            raise QuestionRefused("the frame is not the population of this sample: its items or amounts have changed")
        return cls(
            method=saved["method"],
            unit=saved["unit"],
            seed=saved["seed"],
            start=_decimal(saved["start"]),
            snapshot=snapshot,
            population_digest=saved["population_digest"],
            columns=columns,
            strata=tuple(Stratum(name, n, Decimal(v), m, Decimal(w)) for name, n, v, m, w in saved["strata"]),
            draws=tuple(_draw_of(each) for each in saved["draws"]),
            source=saved["source"],
            population=population,
            **{name: _units(saved[name]) for name in _UNITS},
        )


_UNITS = ("high_value", "selected", "negatives", "zeros")


def _rows(units: Iterable[Unit]) -> list[list[Any]]:
    return [[unit.id, str(unit.amount), unit.stratum] for unit in units]


def _units(rows: Iterable[list[Any]]) -> tuple[Unit, ...]:
    return tuple(Unit(item, Decimal(amount), stratum) for item, amount, stratum in rows)


def _draw_to_dict(draw: Draw) -> dict[str, Any]:
    return {
        "round": draw.round,
        "stratum": draw.stratum,
        "n": draw.n,
        "interval": None if draw.interval is None else str(draw.interval),
        "start": _text(draw.start),
        "hits": [[hit.id, _text(hit.point)] for hit in draw.hits],
    }


def _draw_of(saved: Mapping[str, Any]) -> Draw:
    return Draw(
        saved["round"],
        saved["stratum"],
        saved["n"],
        None if saved["interval"] is None else Fraction(saved["interval"]),
        _decimal(saved["start"]),
        tuple(Hit(item, _decimal(point)) for item, point in saved["hits"]),
    )


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
