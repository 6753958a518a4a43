"""The clock of every time that the sandbox stores or answers, so that a demo can be repeated to the byte.

Not here: the pace of the rate limit, which counts real seconds.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

__all__ = ["Clock", "fixed_clock", "milliseconds", "seconds", "system_clock"]

Clock = Callable[[], datetime]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def system_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def fixed_clock(instant: datetime) -> Clock:
    """A clock that always shows this aware instant; each write still moves `updatedAt` forward, by one unit."""
    return lambda: instant


def milliseconds(instant: datetime) -> int:
    """Aimsio's unit: epoch milliseconds."""
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def seconds(instant: datetime) -> int:
    """JobNimbus's unit: epoch seconds."""
    return (instant - _EPOCH) // timedelta(seconds=1)
