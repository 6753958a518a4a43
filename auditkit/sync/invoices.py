"""JobNimbus's invoices: passes over the whole list until two clean ones hold the same invoices.

The first pass comes before the NRBs are read, the others after: two that agree show that the invoices did not change
meanwhile, and a wrong token shows before thousands of NRBs were read.

Not here: how a pass is read (`paging`), and where bodies are kept (`raw`).
"""

import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, ClassVar, Self

from auditkit.errors import ApiError, BadAnswer
from auditkit.progress import progress
from auditkit.settings import Settings
from auditkit.sync.fetching import Failures, announce, fetch
from auditkit.sync.raw import RawTable, RecordType, chunks
from auditkit.sync.source import Options, Source
from auditkit.vendors.bodies import INVOICE_FIELDS
from auditkit.vendors.jobnimbus import DEFAULT_SIZE, NEEDED_KEYS, JobNimbusClient, Page
from auditkit.vendors.paging import (
    LAST_SECOND,
    WINDOW,
    BeyondPaging,
    EndUnproved,
    FilterIgnored,
    OrderChanged,
    Pages,
    Pass,
    between,
)

__all__ = ["MAX_DISCARDED", "JobNimbusInvoices"]

MAX_DISCARDED = 3
_PAUSE_SECONDS = 0.5  # at most, before a pass is repeated: a job that runs at fixed times must not disturb each one
_KEYS = ", ".join(NEEDED_KEYS)
_DISORDERS = 2  # after so many passes whose pages did not fit together, the order is assumed to change by itself


def _pause() -> None:
    time.sleep(random.uniform(0, _PAUSE_SECONDS))  # noqa: S311  a pause is no secret


class JobNimbusInvoices(Source):
    """One sync's read of the invoices. `best` is the pass whose rows are in the raw table."""

    record_type: ClassVar[RecordType] = RecordType(
        vendor="JobNimbus",
        plural="invoices",
        subject="invoice",
        table="raw.invoice_body",
        key="jnid",
        fields=INVOICE_FIELDS,
        total="total",
        sums=("subtotal", "tax", "due"),
        labels=("number", None, "total"),
    )

    def __init__(
        self,
        jobnimbus: JobNimbusClient,
        settings: Settings,
        *,
        size: int = DEFAULT_SIZE,
        window: int = WINDOW,
        pause: Callable[[], None] = _pause,
    ) -> None:
        self._jobnimbus = jobnimbus
        self._settings = settings
        self._failures = Failures(self.record_type)
        self._pause = pause
        self._pages = Pages(jobnimbus.page, size=size, window=window)
        self._best_batch = 0
        self._disorders = 0
        self._needs_windows = False
        self._last = Pass("pages")
        self._passes = 0
        self.best = Pass("pages")

    @classmethod
    def connect(cls, settings: Settings, *, offline: bool) -> Self:
        """As `Source.connect`."""
        return cls(JobNimbusClient.from_settings(settings, offline=offline), settings)

    @property
    def client(self) -> JobNimbusClient:
        """As `Source.client`."""
        return self._jobnimbus

    @property
    def listed(self) -> Collection[str]:
        """As `Source.listed`."""
        return self.best.digests.keys()

    @property
    def unread(self) -> Mapping[str, str]:
        """As `Source.unread`."""
        return self._failures.reasons

    def start(self, raw: RawTable, options: Options) -> None:  # noqa: ARG002  every read is a full one
        """As `Source.start`."""
        self._raw = raw
        self._last = self._pass()

    def finish(self) -> None:
        """Read the list until two passes agree, or three were discarded; then what its rows lack, by id."""
        self.problem = self._finish()
        for jnid, problem in self.best.problems.items():
            self._failures.add(jnid, BadAnswer(problem), len(self.best.digests))
        self._read_lacking()

    def read_by_id(self, identifier: str) -> str:
        """As `Source.read_by_id`."""
        return self._jobnimbus.invoice(identifier)

    def probes(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """A page, one invoice by id, and whether a filter that excludes everything works."""
        pages: list[Page] = []

        def a_page() -> str:
            pages.append(self._jobnimbus.page(0, 1))
            return f"{pages[0].count or 0:,} invoices counted"

        def one_invoice() -> str:
            jnid = next((jnid for page in pages for jnid, _ in page.rows), None)
            if jnid is None:
                return "not checked: none is listed"
            return f"one of {len(self._jobnimbus.invoice(jnid)):,} characters"

        def the_filter() -> str:
            if not pages:
                return "not checked, as JobNimbus did not answer"
            count = pages[0].count or 0
            if not self._jobnimbus.page(0, 1, between(LAST_SECOND, None)).rows:
                return "honored, so that lists of any length can be read"
            if count < WINDOW:
                return f"ignored; it would be needed from {WINDOW:,} invoices on"
            raise BadAnswer(f"the filter is ignored, and {count:,} invoices are more than paging reaches")

        yield "JobNimbus", a_page
        yield "JobNimbus invoice", one_invoice
        yield "filter", the_filter

    @property
    def facts(self) -> dict[str, Any]:
        """As `Source.facts`."""
        return {
            "lists": self._passes,
            "method": self.best.method,
            "end_of_list": self.best.end or None,
            "count_meaning": self.best.count or None,
            "resumed": 0,
            "verified_again": 0,
            "changed_unversioned": 0,
            "oldest_verified_at": None,  # the list holds whole invoices, all read in this run
        }

    def _finish(self) -> str | None:
        discarded = 0
        while True:
            before = self._last
            if before.broken is not None:
                discarded += 1
                if discarded >= MAX_DISCARDED or isinstance(before.broken, (EndUnproved, FilterIgnored)):
                    return str(before.broken)
                self._pause()
            self._last = self._pass()
            if before.broken is None:
                if self._last.broken is None and self._last.digests == before.digests:
                    return None
                discarded += 1
                if discarded >= MAX_DISCARDED:
                    return f"JobNimbus's invoices changed during each of {self._passes} passes"

    def _read_lacking(self) -> None:
        """Read the invoices by id whose row in the list lacks a documented key: an absent `items` is not "no lines"."""
        lacking = self.best.lacking
        if not lacking:
            return
        announce(self.record_type, len(lacking), f"lack {_KEYS} in the list and are read by id", self._settings)
        with progress("JobNimbus", len(lacking), "invoice") as advance:
            for chunk in chunks(fetch(lacking, self._jobnimbus.whole_invoice, self._settings.parallel)):
                arrived = []
                for jnid, found in chunk:
                    if isinstance(found, ApiError):
                        self._failures.add(jnid, found, len(self.best.digests))
                    else:
                        arrived.append((jnid, found))
                self._raw.add(arrived, self._best_batch)
                advance(len(chunk))

    def _pass(self) -> Pass:
        self._passes += 1
        batch = self._passes
        with progress("JobNimbus", None, "invoice") as advance:

            def keep(rows: list[tuple[str, str]], so_far: Pass) -> None:
                unusable = so_far.problems.keys() | so_far.lacking
                self._raw.add([(jnid, text) for jnid, text in rows if jnid not in unusable], batch)
                advance(len(rows))

            result = self._pages.windows(keep) if self._needs_windows else self._pages.overlapping(keep)
        self._disorders += isinstance(result.broken, OrderChanged)
        self._needs_windows |= isinstance(result.broken, BeyondPaging) or self._disorders >= _DISORDERS
        if _rank(result) >= _rank(self.best):
            self._raw.discard(self._best_batch)
            self.best, self._best_batch = result, batch
        else:
            self._raw.discard(batch)
        return result


def _rank(read: Pass) -> tuple[bool, int]:
    """A clean pass before a broken one, and of broken ones the longest; of equal ones the later counts."""
    is_clean = read.broken is None and read.pages > 0
    return is_clean, 0 if is_clean else len(read.digests)
