"""Stratify: records by the size of a number (ACL's STRATIFY)."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from auditkit.analysis.profile import MOST_BANDS, Band, ascending, profile
from auditkit.analysis.question import AMOUNT, Question, Source
from auditkit.errors import QuestionRefused
from auditkit.sql import filled
from auditkit.values import cents
from auditkit.warehouse.snapshots import Snapshot

__all__ = ["stratify"]


def stratify(
    snapshot: Snapshot,
    column: str = "total",
    *,
    bands: int | Sequence[Decimal | int | str] = 10,
    amount: str | None = None,
    table: str = "nrb_status",
) -> Question:
    """How many records are in each band of a number, and what they add up to.

    `bands` are ascending limits: a band holds its lower limit but not its upper one; the last band holds both. Or the
    number of bands of equal width between the least and greatest value, to the cent. `amount` is what is totaled, by
    default the column itself.

    Rows: band, lower, upper, count, percent_of_count, total, percent_of_total, min, max (of the column). First what is
    below, then the bands, what is above, NULL ("no value"), and "total". A percentage is a DOUBLE rounded to two
    digits, NULL if the whole is 0. Raises `QuestionRefused`.
    """
    source = Source.of(snapshot, table)
    value, added = source.column(column, AMOUNT), source.column(amount or column, AMOUNT)
    limits = _equal(snapshot, source, value, bands) if isinstance(bands, int) else ascending(bands, "bands")
    if len(limits) < 2:
        raise QuestionRefused(f"bands: expected two limits or more, found {len(limits)}")
    rows = [
        Band(f"below {limits[0]}", upper=limits[0]),
        *(Band(f"{lower} to {upper}", lower, upper) for lower, upper in pairwise(limits)),
        Band(f"above {limits[-1]}", lower=limits[-1]),
        Band("no value"),
    ]
    return profile(source, f"s.{value}", added, bands=rows, limits=limits, values={})


def _equal(snapshot: Snapshot, source: Source, value: str, bands: int) -> list[Decimal]:
    """The limits of bands of equal width; fewer bands if a cent is wider than one of them."""
    if not 1 <= bands <= MOST_BANDS:
        raise QuestionRefused(f"bands: expected 1 to {MOST_BANDS}, found {bands}")
    sql = filled("queries/analysis/extremes", column=f"s.{value}", source=source.sql)
    ((least, greatest),) = snapshot.query(sql).rows
    first, last = (Decimal(0) if limit is None else Decimal(limit) for limit in (least, greatest))
    between = [cents(first + (last - first) * n / bands) for n in range(1, bands)]
    return [first, *(limit for limit in dict.fromkeys(between) if first < limit < last), last]
