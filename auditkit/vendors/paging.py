"""JobNimbus's pages → one whole list of invoices, or the reason why it cannot be trusted.

Rows move from page to page while people work, and nothing in an answer says so. One pass therefore reads pages that
overlap by a row: the first of a page must be the last of the page before. That holds for any order that is stable.
Where the order changes from call to call, or the list is longer than paging reaches, a pass reads windows of
`date_created` instead, each halved until it fits one page, after the filter was proved to be obeyed. Whoever calls
compares passes: two clean ones with the same invoices are complete.

Not here: where rows are kept (`raw`), and how often a pass is tried (`invoices`). Only `ask` reaches the network.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from auditkit.vendors.jobnimbus import DEFAULT_SIZE, Page

__all__ = ["LAST_SECOND", "WINDOW", "Ask", "Breach", "Disorder", "FilterIgnored", "Pages", "Pass", "TooMany", "between"]

WINDOW = 10_000  # JobNimbus pages no further than from + size = 10,000
FIRST_SECOND, LAST_SECOND = 1_104_537_600, 4_102_444_800  # 2005 and 2100: where halving begins, not a limit

Ask = Callable[[int, int, Mapping[str, Any] | None], Page]
Keep = Callable[[list[tuple[str, str]]], None]


class Breach(Exception):
    """What makes a pass worthless; the text says it to people."""


class TooMany(Breach):
    """The list is longer than paging reaches."""


class Disorder(Breach):
    """Pages that do not continue each other: rows moved, or the order changed."""


class FilterIgnored(Breach):
    """Windows cannot be trusted, because the vendor does not obey the filter."""


@dataclass
class Pass:
    """One read of the whole list: jnid → SHA-256 of the row's text, how it was read, and what broke it (or None)."""

    method: str
    digests: dict[str, str] = field(default_factory=dict)
    breach: Breach | None = None
    pages: int = 0


class Pages:
    """Reads whole passes. `ask(start, size, filter)` is one call; `keep` gets each page's new rows as (jnid, text)."""

    def __init__(self, ask: Ask, *, size: int = DEFAULT_SIZE, window: int = WINDOW) -> None:
        self._ask = ask
        self._size = size
        self._window = window

    def overlapping(self, keep: Keep) -> Pass:
        """One pass over pages that overlap by a row."""
        return self._pass("pages", keep, self._read_pages)

    def windows(self, keep: Keep) -> Pass:
        """One pass over half-open windows of `date_created`: first open below, last open above."""
        return self._pass("date windows", keep, self._read_windows)

    def _pass(self, method: str, keep: Keep, read: Callable[["_Sheet"], None]) -> Pass:
        result = Pass(method)
        try:
            read(_Sheet(result, keep, self._ask))
        except Breach as breach:
            result.breach = breach
        return result

    def _read_pages(self, sheet: "_Sheet") -> None:
        counts = self._chain(sheet, None)
        if len(counts) > 1:
            raise Breach(f"JobNimbus's count changed during the read: {' and '.join(map(str, counts))}")
        if counts[0] not in (None, len(sheet.result.digests)):
            raise Breach(f"JobNimbus counts {counts[0]} invoices, but sent {len(sheet.result.digests)}")

    def _chain(self, sheet: "_Sheet", filter: Mapping[str, Any] | None) -> list[int | None]:
        """Page after page until one adds nothing more; the counts that were sent, each once."""
        counts: dict[int | None, None] = {}
        read, last = 0, None
        while True:
            start = max(read - 1, 0)
            size = min(self._size, self._window - start)
            if read and size < 2:
                raise TooMany(f"JobNimbus holds {self._window:,} invoices or more, and pages no further")
            page = sheet.ask(start, size, filter)
            counts[page.count] = None
            rows = page.rows
            if read:
                if not rows or rows[0][0] != last:
                    raise Disorder("JobNimbus's pages do not continue each other: invoices moved during the read")
                rows = rows[1:]
            sheet.take(rows)
            if not rows:
                return list(counts)
            read, last = read + len(rows), rows[-1][0]
            if len(page.rows) < size and page.count is not None and read >= page.count:
                return list(counts)

    def _read_windows(self, sheet: "_Sheet") -> None:
        count = sheet.ask(0, 1, None).count
        if count is None:
            raise FilterIgnored("JobNimbus sends no count, so that windows of dates cannot be added up")
        if sheet.ask(0, self._size, between(LAST_SECOND, None)).rows:
            raise FilterIgnored(f"JobNimbus holds {count:,} invoices and ignores the filter that would divide them")
        windows: list[tuple[int | None, int | None]] = [(None, None)]
        while windows:
            low, high = windows.pop()
            middle = _middle(low, high)
            fits = (low, high) != (None, None) and self._fits(sheet, low, high)
            if not fits and middle is not None:
                windows += [(middle, high), (low, middle)]
            elif not fits:
                self._chain(sheet, between(low, high))
        if sheet.ask(0, 1, None).count != count:
            raise Breach("JobNimbus's count changed during the read")
        if len(sheet.result.digests) != count:
            raise Breach(f"JobNimbus counts {count:,} invoices, but its dates give {len(sheet.result.digests):,}")

    def _fits(self, sheet: "_Sheet", low: int | None, high: int | None) -> bool:
        """Read a window if one page holds it. A row outside of it breaks the pass: the filter is not obeyed."""
        rows = sheet.ask(0, self._size, between(low, high)).rows
        for _, text in rows:
            created = json.loads(text).get("date_created")
            if type(created) is not int or (low or created) > created or created >= (high or created + 1):
                raise FilterIgnored("JobNimbus sent an invoice outside of the window of dates that was asked for")
        if len(rows) == self._size:
            return False
        sheet.take(rows)
        return True


@dataclass(frozen=True)
class _Sheet:
    """The pass that is being read: calls are counted, rows are digested and handed on."""

    result: Pass
    keep: Keep
    vendor: Ask

    def ask(self, start: int, size: int, filter: Mapping[str, Any] | None) -> Page:
        self.result.pages += 1
        return self.vendor(start, size, filter)

    def take(self, rows: list[tuple[str, str]]) -> None:
        known = len(self.result.digests)
        self.result.digests.update((jnid, hashlib.sha256(text.encode()).hexdigest()) for jnid, text in rows)
        self.keep(rows)
        if twice := known + len(rows) - len(self.result.digests):
            raise Disorder(f"JobNimbus sent {twice} invoices twice in one pass")


def between(low: int | None, high: int | None) -> Mapping[str, Any]:
    """JobNimbus's filter for `low` <= date_created < `high`, in epoch seconds; None is open."""
    limits = {name: limit for name, limit in (("gte", low), ("lt", high)) if limit is not None}
    return {"must": [{"range": {"date_created": limits}}]}


def _middle(low: int | None, high: int | None) -> int | None:
    """Where to halve a window; None when it is a second wide, or lies beyond where halving begins."""
    first, last = low if low is not None else FIRST_SECOND, high if high is not None else LAST_SECOND
    return (first + last) // 2 if last - first > 1 else None
