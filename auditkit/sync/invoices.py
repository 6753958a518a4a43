"""JobNimbus's invoices: passes over the whole list until two clean ones hold the same invoices.

The first pass comes before the NRBs are read, the others after: two that agree say that the invoices held still
meanwhile, and a wrong token shows before thousands of NRBs were read.

Not here: how a pass is read (`pages`), and what is kept of it (`raw`).
"""

import random
import time
from collections.abc import Callable

from auditkit.errors import NotThere
from auditkit.progress import progress
from auditkit.sync.raw import Raw
from auditkit.vendors.jobnimbus import DEFAULT_SIZE, JobNimbusClient
from auditkit.vendors.paging import WINDOW, Disorder, FilterIgnored, Pages, Pass, TooMany

__all__ = ["MAX_THROWN", "InvoiceRead"]

MAX_THROWN = 3
_PAUSE_SECONDS = 0.5  # at most, before a pass is tried again: what runs at fixed times shall not meet it each time
_DISORDERS = 2  # after so many passes whose pages did not fit together, the order is taken to change by itself


def _pause() -> None:
    time.sleep(random.uniform(0, _PAUSE_SECONDS))  # noqa: S311  a pause is no secret


class InvoiceRead:
    """One sync's read: `first()`, then `rest()`. `best` is the pass whose rows were handed to `raw`."""

    def __init__(
        self,
        jobnimbus: JobNimbusClient,
        raw: Raw,
        *,
        size: int = DEFAULT_SIZE,
        window: int = WINDOW,
        pause: Callable[[], None] = _pause,
    ) -> None:
        self._jobnimbus = jobnimbus
        self._raw = raw
        self._pause = pause
        self._pages = Pages(jobnimbus.page, size=size, window=window)
        self._best_turn = 0
        self._disorders = 0
        self._needs_windows = False
        self._last = Pass("pages")
        self.passes = 0
        self.best = Pass("pages")

    def first(self) -> None:
        """Read the list once."""
        self._last = self._pass()

    def rest(self) -> str | None:
        """Read it until two passes agree, or three were thrown away. None, or why it is not complete."""
        thrown = 0
        while True:
            before = self._last
            if before.breach is not None:
                thrown += 1
                if thrown >= MAX_THROWN or isinstance(before.breach, FilterIgnored):
                    return str(before.breach)
                self._pause()
            self._last = self._pass()
            if before.breach is None:
                if self._last.breach is None and self._last.digests == before.digests:
                    return None
                thrown += 1
                if thrown >= MAX_THROWN:
                    return f"JobNimbus's invoices changed during each of {self.passes} passes"

    def is_gone(self, jnid: str) -> bool:
        """Whether JobNimbus answers 404 to this invoice."""
        try:
            self._jobnimbus.invoice(jnid)
        except NotThere:
            return True
        return False

    def _pass(self) -> Pass:
        self.passes += 1
        turn = self.passes
        with progress("JobNimbus", None, "invoice") as advance:

            def keep(rows: list[tuple[str, str]]) -> None:
                self._raw.arrive(rows, turn)
                advance(len(rows))

            result = self._pages.windows(keep) if self._needs_windows else self._pages.overlapping(keep)
        self._disorders += isinstance(result.breach, Disorder)
        self._needs_windows |= isinstance(result.breach, TooMany) or self._disorders >= _DISORDERS
        if _rank(result) >= _rank(self.best):
            self._raw.forget(self._best_turn)
            self.best, self._best_turn = result, turn
        else:
            self._raw.forget(turn)
        return result


def _rank(read: Pass) -> tuple[bool, int]:
    """A clean pass before a broken one, and of broken ones the longest; of equals the later one counts."""
    is_clean = read.breach is None and read.pages > 0
    return is_clean, 0 if is_clean else len(read.digests)
