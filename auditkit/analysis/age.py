"""Age: records by the number of days since a date (ACL's AGE)."""

import datetime
from collections.abc import Sequence
from decimal import Decimal

from auditkit.aging_bands import ENDS, FUTURE, NO_DATE, band_labels
from auditkit.analysis.profile import Band, ascending, profile
from auditkit.analysis.question import AMOUNT, DATE, Question, Source, as_day
from auditkit.errors import QuestionRefused
from auditkit.sql import read
from auditkit.warehouse.snapshots import Snapshot

__all__ = ["age"]


def age(
    snapshot: Snapshot,
    date: str = "accounting_date",
    amount: str = "total",
    *,
    as_of: datetime.date | str | None = None,
    buckets: Sequence[int] = ENDS,
    table: str = "nrb_status",
) -> Question:
    """How old records are: days from a date to `as_of`, by default the snapshot's as-of date.

    A bucket ends with its number of days: 0-30, 31-60 … over 180. (ACL gives the first days instead: 0, 31, 61.)
    Rows as in `stratify`, with lower, upper, min and max in days: first "future", then the buckets, "no date" and
    "total". Raises `QuestionRefused`.
    """
    source = Source.of(snapshot, table)
    dated, added = source.column(date, DATE), source.column(amount, AMOUNT)
    ends = [int(end) for end in ascending(buckets, "buckets") if end == int(end) and end >= 0]
    if not ends or len(ends) < len(buckets):
        raise QuestionRefused(f"buckets: expected whole days from 0 upwards, found {list(buckets)}")
    limits = [Decimal(0), *(Decimal(end + 1) for end in ends[:-1]), Decimal(ends[-1])]
    *labels, over = band_labels(tuple(ends))
    rows = [
        Band(FUTURE, upper=Decimal(-1)),
        *(Band(label, limit, Decimal(end)) for label, limit, end in zip(labels, limits, ends, strict=False)),
        Band(over, lower=Decimal(ends[-1] + 1)),
        Band(NO_DATE),
    ]
    day = as_day(as_of, "as_of") if as_of else snapshot.query(read("queries/parameters")).records()[0]["as_of"]
    days = f"days_between(s.{dated}, $as_of)"
    return profile(source, days, added, bands=rows, limits=limits, values={"as_of": day})
