"""Many records by id, several in flight, so that one record that cannot be read is one record that cannot be read.

A sync stops only for what stops everything: no connection, refused credentials, or a fifth of all records failing.

Not here: which records are read, and what is kept of them (the sources).
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from itertools import islice
from typing import TypeVar

from auditkit.errors import ApiError, Denied, Unreachable
from auditkit.progress import notice
from auditkit.settings import Settings
from auditkit.sync.raw import RecordType

__all__ = ["ANNOUNCE_FROM", "Failures", "announce", "duration", "fetch", "unread_problem"]

ANNOUNCE_FROM = 50  # records; fewer are read before anyone wonders
_TOO_MANY = 5  # one in so many records failing stops a sync
_MOST_NAMED = 5

Read = TypeVar("Read")


def fetch(ids: Collection[str], read: Callable[[str], Read], parallel: int) -> Iterator[tuple[str, Read | ApiError]]:
    """(id, what `read` gave, or its `ApiError`) as they arrive, `parallel` in flight."""

    def attempt(identifier: str) -> tuple[str, Read | ApiError]:
        try:
            return identifier, read(identifier)
        except ApiError as error:
            return identifier, error

    queue = iter(ids)
    with ThreadPoolExecutor(parallel) as pool:
        running: set[Future[tuple[str, Read | ApiError]]]
        running = {pool.submit(attempt, identifier) for identifier in islice(queue, 2 * parallel)}
        try:
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
                running |= {pool.submit(attempt, identifier) for identifier in islice(queue, len(done))}
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


class Failures:
    """The records of one source that could not be read: id → why. `add` raises what stops the whole sync."""

    def __init__(self, record_type: RecordType) -> None:
        self._type = record_type
        self.reasons: dict[str, str] = {}

    def add(self, identifier: str, error: ApiError, records: int) -> None:
        """Note that a record of so many cannot be read; raise the error if it stops everything."""
        if isinstance(error, Unreachable) or (isinstance(error, Denied) and error.status == 401):
            raise error
        self.reasons[identifier] = str(error)
        self.refuse_too_many(records, error)

    def refuse_too_many(self, records: int, error: ApiError) -> None:
        """Raise if a fifth of the records cannot be read; the message holds that of the last error."""
        if len(self.reasons) * _TOO_MANY < records:
            return
        raise type(error)(
            f"{self._type.vendor}: {len(self.reasons):,} of {self._type.count(records)} could not be read, too many"
            f" to continue; the last: {error}"
        )

    def keep(self, identifiers: Collection[str]) -> None:
        """Drop the records that are not among these: they are no longer listed."""
        self.reasons = {identifier: why for identifier, why in self.reasons.items() if identifier in identifiers}


def unread_problem(record_type: RecordType, unread: Mapping[str, str]) -> str:
    """Why a read is incomplete in which some records (id → why) could not be read, with the first of them by name."""
    some = sorted(unread.items())[:_MOST_NAMED]
    words = [f"{identifier} ({_short(reason, record_type.vendor)})" for identifier, reason in some]
    more = f" and {len(unread) - len(some):,} more" if len(unread) > len(some) else ""
    return f"{record_type.vendor}: {record_type.count(len(unread))} could not be read: {', '.join(words)}{more}"


def _short(reason: str, vendor: str) -> str:
    """An error's reason without the address at its beginning."""
    if not reason.startswith(f"{vendor}: GET "):
        return reason
    return reason.removeprefix(f"{vendor}: GET ").partition(": ")[2] or reason


def announce(record_type: RecordType, records: int, what: str, settings: Settings) -> None:
    """State before a long read how many calls it makes, why, and how long that takes."""
    if records >= ANNOUNCE_FROM:
        rate = settings.rate_per_second
        notice(
            f"{record_type.vendor}: {records:,} {record_type.plural} {what} at {rate:g} calls a second, about"
            f" {duration(records, settings)}"
        )


def duration(calls: int, settings: Settings) -> timedelta:
    """How long so many calls take, in whole seconds."""
    return timedelta(seconds=round(calls / settings.rate_per_second))
