"""Which unchanged records to read again, so that no content is older than a number of days.

A version (Aimsio's `updatedAt`) is no proof of content: it has whole seconds, and a rule may change a total without
moving it. So every sync reads some records again that seem unchanged, those whose content was verified longest ago.

In an even rotation over D days the ages of N records lie evenly between 0 and D: of the i oldest, the youngest is at
most D × (1 − i / N) days old. So many of the oldest are due that the others keep to that. A short time since the last
sync then costs few calls, a long one more, and what one full read brought does not fall due on one day.

Not here: reading them (`nrbs`).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

__all__ = ["BUDGET_SECONDS", "due", "oldest_first"]

_UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)
BUDGET_SECONDS = 1800  # a sync spends at most so many seconds of calls on records that seem unchanged


def oldest_first(verified: Mapping[str, datetime | None]) -> list[str]:
    """The ids of all records by when their content was read last; None is unknown, and older than everything."""
    return sorted(verified, key=lambda identifier: (verified[identifier] or _UNKNOWN, identifier))


def due(verified: Mapping[str, datetime | None], now: datetime, days: float) -> list[str]:
    """The ids of the records to read again: the first so many of `oldest_first`."""
    limit, ordered = timedelta(days=days), oldest_first(verified)
    ages = (min(now - (verified[identifier] or _UNKNOWN), limit) for identifier in ordered)
    needed = (rank - len(ordered) * (1 - age / limit) for rank, age in enumerate(ages, start=1))
    return ordered[: max(0, int(max(needed, default=0)))]
