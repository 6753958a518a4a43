"""JobNimbus's pages → one whole list of invoices, or the reason why it cannot be trusted.

Rows move from page to page while people work, and nothing in an answer shows it. So the pages of a pass overlap by a
row: the first row of a page must be the last of the page before. That works for any order that is stable. If the order
changes from call to call, or the list is longer than paging reaches, a pass reads windows of `date_created` instead,
each halved until it fits one page, after the filter was proved to work.

The end of a list is proved by asking beyond it: only an empty page past the last row ends a pass. A page that is short
proves nothing, because a server may send fewer rows than were asked for. `count` is a witness, not a proof: what it
counts is learned from the pass, and a count of more invoices than were sent makes the pass worthless.

The caller compares passes: two clean ones with the same invoices are complete.

Not here: where rows are kept (`sync.raw`), and how often a pass is tried (`sync.invoices`). Only `ask` reaches the
network.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from auditkit.errors import NotThere, Refused
from auditkit.vendors.jobnimbus import DEFAULT_SIZE, Page

__all__ = [
    "LAST_SECOND",
    "WINDOW",
    "Ask",
    "BeyondPaging",
    "BrokenPass",
    "EndUnproved",
    "FilterIgnored",
    "OrderChanged",
    "Pages",
    "Pass",
    "between",
]

WINDOW = 10_000  # JobNimbus pages no further than from + size = 10,000
FIRST_SECOND, LAST_SECOND = 1_104_537_600, 4_102_444_800  # 2005 and 2100: where halving begins, not a limit

Ask = Callable[[int, int, Mapping[str, Any] | None], Page]
Keep = Callable[[list[tuple[str, str]], "Pass"], None]


class BrokenPass(Exception):
    """A pass that cannot be used; the text is the reason, for people."""


class BeyondPaging(BrokenPass):
    """The list is longer than paging reaches."""


class OrderChanged(BrokenPass):
    """Pages that do not continue each other: rows moved, or the order changed."""


class FilterIgnored(BrokenPass):
    """Windows cannot be trusted, because the vendor ignores the filter."""


class EndUnproved(BrokenPass):
    """The vendor refuses the page past the last row."""


@dataclass
class Pass:
    """One read of the whole list: id → SHA-256 of the row's text, and what broke the pass (or None).

    `problems` holds, by id, why a row cannot be used, and `lacking` the ids of rows that lack a required key. `end` is
    how the end of the list was proved, `count` what the vendor's count was found to mean.
    """

    method: str
    digests: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    lacking: set[str] = field(default_factory=set)
    broken: BrokenPass | None = None
    pages: int = 0
    end: str = ""
    count: str = ""


class Pages:
    """Reads whole passes. `ask(start, size, filter)` is one call; `keep` gets each page's new rows, and the pass."""

    def __init__(self, ask: Ask, *, size: int = DEFAULT_SIZE, window: int = WINDOW) -> None:
        self._ask = ask
        self._size = size
        self._window = window

    def overlapping(self, keep: Keep) -> Pass:
        """One pass over pages that overlap by a row."""
        return self._pass("pages", keep, self._read_pages)

    def windows(self, keep: Keep) -> Pass:
        """One pass over half-open windows of `date_created`: the first is open below, the last open above."""
        return self._pass("date windows", keep, self._read_windows)

    def _pass(self, method: str, keep: Keep, read: Callable[["_Reading"], None]) -> Pass:
        reading = _Reading(Pass(method), keep, self._ask)
        try:
            read(reading)
            reading.result.count = reading.meaning_of_count()
        except BrokenPass as broken:
            reading.result.broken = broken
        return reading.result

    def _read_pages(self, reading: "_Reading") -> None:
        self._chain(reading, None)
        reading.result.end = f"an empty page after row {len(reading.result.digests):,}"

    def _chain(self, reading: "_Reading", filter: Mapping[str, Any] | None) -> None:
        """Page after page, each from the last row of the one before, until the page past the last row is empty."""
        read, last, longest = 0, "", self._size
        while True:
            start = max(read - 1, 0)
            size = min(self._size, self._window - start)
            if read >= self._window:
                raise BeyondPaging(f"JobNimbus holds {self._window:,} invoices or more, and pages no further")
            page = reading.ask(start, size, filter)
            rows = reading.following(page.rows, last) if read else page.rows
            reading.take(rows)
            read, last = read + len(rows), rows[-1][0] if rows else last
            if (rows and len(page.rows) >= min(size, longest)) or read >= self._window:
                continue
            beyond = self._beyond(reading, read, filter)
            if not beyond.rows:
                return
            longest = max(len(page.rows), len(beyond.rows))  # the server sends no more rows than this
            if not rows:  # a page of one row cannot overlap and go on, so the row before is asked for again
                reading.following(reading.ask(read - 1, 1, filter).rows, last)
                reading.take(beyond.rows)
                read, last = read + len(beyond.rows), beyond.rows[-1][0]

    def _beyond(self, reading: "_Reading", read: int, filter: Mapping[str, Any] | None) -> Page:
        """The page past the last row that was read; an empty one proves the end of the list."""
        try:
            page = reading.ask(read, min(self._size, self._window - read), filter)
        except (Refused, NotThere) as error:
            if error.status is None or error.status in (408, 429) or error.status >= 500:
                raise
            raise EndUnproved(
                f"JobNimbus refuses the page past its last invoice (answered {error.status}), so that the end of its"
                " list cannot be proved"
            ) from None
        if any(jnid in reading.result.digests for jnid, _ in page.rows):
            raise OrderChanged("JobNimbus repeats invoices past the end of its list, or they moved during the read")
        return page

    def _read_windows(self, reading: "_Reading") -> None:
        first = reading.ask(0, self._size, None)
        if not first.rows:
            reading.result.end = "an empty page"
            return
        if reading.ask(0, self._size, between(LAST_SECOND, None)).rows:
            counted = f" (it counts {first.count:,} invoices)" if first.count is not None else ""
            raise FilterIgnored(f"JobNimbus ignores the filter that would divide its list{counted}")
        middle = (FIRST_SECOND + LAST_SECOND) // 2
        windows: list[tuple[int | None, int | None]] = [(middle, None), (None, middle)]
        while windows:
            low, high = windows.pop()
            if self._fits(reading, low, high):
                continue
            if (middle_of := _middle(low, high)) is not None:
                windows += [(middle_of, high), (low, middle_of)]
            else:
                self._chain(reading, between(low, high))
        reading.ask(0, 1, None)  # a count that changed during the pass
        if lost := sum(jnid not in reading.result.digests for jnid, _ in first.rows):
            raise BrokenPass(f"JobNimbus lists {lost:,} invoice{'s' * (lost != 1)} that no window of dates holds")
        reading.result.end = "an empty page after the last row of each date window"

    def _fits(self, reading: "_Reading", low: int | None, high: int | None) -> bool:
        """Read a window if one page holds it. A row outside of it breaks the pass: the filter is ignored."""
        rows = reading.ask(0, self._size, between(low, high)).rows
        for jnid, text in rows:
            if jnid in reading.result.problems:
                continue
            created = json.loads(text).get("date_created")
            if type(created) is not int or (low or created) > created or created >= (high or created + 1):
                raise FilterIgnored("JobNimbus sent an invoice outside of the window of dates that was asked for")
        if len(rows) >= self._size:
            return False
        if rows and self._beyond(reading, len(rows), between(low, high)).rows:
            return False
        reading.take(rows)
        return True


class _Reading:
    """A pass that is being read: calls are noted, rows are digested and handed on."""

    def __init__(self, result: Pass, keep: Keep, vendor: Ask) -> None:
        self.result = result
        self._keep = keep
        self._vendor = vendor
        self._counts: list[tuple[int, int, int]] = []  # start, rows and count of each unfiltered page with a count

    def ask(self, start: int, size: int, filter: Mapping[str, Any] | None) -> Page:
        """One page."""
        self.result.pages += 1
        page = self._vendor(start, size, filter)
        self.result.problems |= page.problems
        self.result.lacking |= page.lacking
        if filter is None and page.count is not None:
            self._counts.append((start, len(page.rows), page.count))
        return page

    @staticmethod
    def following(rows: list[tuple[str, str]], last: str) -> list[tuple[str, str]]:
        """The rows of a page behind the one that overlaps, which must be the last one read."""
        if not rows or rows[0][0] != last:
            raise OrderChanged("JobNimbus's pages do not continue each other: invoices moved during the read")
        return rows[1:]

    def take(self, rows: list[tuple[str, str]]) -> None:
        """Digest new rows and hand them on."""
        known = len(self.result.digests)
        self.result.digests.update((jnid, _digest(text)) for jnid, text in rows)
        self._keep(rows, self.result)
        if twice := known + len(rows) - len(self.result.digests):
            raise OrderChanged(f"JobNimbus sent {twice:,} invoice{'s' * (twice != 1)} twice in one pass")

    def meaning_of_count(self) -> str:
        """What the vendor's count was in this pass. Raises `BrokenPass` if it contradicts the rows that came."""
        sent = len(self.result.digests)
        counts = list(dict.fromkeys(count for _, _, count in self._counts))
        if not counts:
            return "none is sent"
        if counts == [sent]:
            return "the total"
        if all(count == rows for _, rows, count in self._counts):
            return "the rows of each page"
        if all(count == max(sent - start, 0) for start, _, count in self._counts):
            return "the rows from each page on"
        if len(counts) > 1:
            raise BrokenPass(f"JobNimbus's count changed during the read: {' and '.join(map(str, counts[:5]))}")
        if counts[0] > sent:
            raise BrokenPass(f"JobNimbus counts {counts[0]:,} invoices, but sent {sent:,}")
        return f"capped at {counts[0]:,}"


def between(low: int | None, high: int | None) -> Mapping[str, Any]:
    """JobNimbus's filter for `low` <= date_created < `high`, in epoch seconds; None is open."""
    limits = {name: limit for name, limit in (("gte", low), ("lt", high)) if limit is not None}
    return {"must": [{"range": {"date_created": limits}}]}


def _middle(low: int | None, high: int | None) -> int | None:
    """Where to halve a window; None if it is a second wide, or beyond where halving begins."""
    first, last = low if low is not None else FIRST_SECOND, high if high is not None else LAST_SECOND
    return (first + last) // 2 if last - first > 1 else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
