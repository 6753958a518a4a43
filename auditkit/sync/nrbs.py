"""Aimsio's NRBs: the list, each detail that is new or changed, and the list again until two agree.

Not here: what is kept of them (`raw`).
"""

import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice

from auditkit.errors import NotThere
from auditkit.progress import notice, progress
from auditkit.settings import Settings
from auditkit.sync.raw import Raw, chunks
from auditkit.vendors.aimsio import AimsioClient

__all__ = ["MAX_LISTS", "NrbRead"]

MAX_LISTS = 5
_ANNOUNCE_FROM = 50  # details; fewer are read before anyone wonders


@dataclass
class NrbRead:
    """One sync's read. `known` is guid → version of what is held, `listed` that of the newest list (None: it has none).

    `flaw` is what is wrong with the newest list itself.
    """

    aimsio: AimsioClient
    raw: Raw
    settings: Settings
    known: dict[str, int]
    listed: dict[str, int | None] = field(default_factory=dict)
    lists: int = 0
    flaw: str | None = None
    _unversioned: set[str] = field(default_factory=set)

    def first(self) -> None:
        """Read the list once."""
        self._list()

    def rest(self) -> str | None:
        """Read details and lists until two lists agree. None, or why the read is not complete."""
        while self.lists < MAX_LISTS:
            self._fetch(self._wanted(), turn=2 * self.lists)
            # A replica that lags behind its list is asked once more; what stays behind is reported.
            if behind := self._behind(turn=2 * self.lists):
                self._fetch(behind, turn=2 * self.lists + 1)
                self._behind(turn=2 * self.lists + 1)
            before = self.listed
            self._list()
            if self.listed == before:
                break
        else:
            return f"Aimsio's list changed during each of {MAX_LISTS} reads"
        if missing := len(self._wanted()):
            return f"Aimsio gave {missing} NRBs not at all, or older than it lists them"
        return self.flaw

    @property
    def current(self) -> dict[str, int]:
        """guid → version of the listed NRBs that are held in the version listed: what a later sync need not ask for."""
        return {guid: at for guid, at in self.listed.items() if at is not None and self.known.get(guid) == at}

    def is_gone(self, guid: str) -> bool:
        """Whether Aimsio answers 404 to this NRB."""
        try:
            self.aimsio.nrb(guid)
        except NotThere:
            return True
        return False

    def _list(self) -> None:
        stubs = self.aimsio.stubs()
        named = sorted((stub.guid, stub.updated_at or -1, stub.updated_at) for stub in stubs if stub.guid is not None)
        self.lists += 1
        self.listed = {guid: at for guid, _, at in named}  # of two with one guid, the later
        flaws = {
            "rows without a guid": len(stubs) - len(named),
            "guids twice": len(named) - len(self.listed),
            "NRBs without updatedAt": sum(at is None for at in self.listed.values()),
        }
        found = [f"{count} {flaw}" for flaw, count in flaws.items() if count]
        self.flaw = f"Aimsio's list holds {', '.join(found)}" if found else None

    def _wanted(self) -> dict[str, int | None]:
        """What is listed, and not held in that version; without a version, what was not read in this sync."""
        return {
            guid: at
            for guid, at in self.listed.items()
            if (guid not in self._unversioned if at is None else self.known.get(guid) != at)
        }

    def _fetch(self, wanted: Mapping[str, int | None], turn: int) -> None:
        _announce(len(wanted), self.settings)
        with progress("Aimsio", len(wanted), "NRB") as advance:
            for chunk in chunks(_details(self.aimsio, wanted, self.settings.parallel)):
                there = [(guid, body) for guid, body in chunk if body is not None]
                for guid, _ in there:
                    if (version := wanted[guid]) is None:
                        self._unversioned.add(guid)
                    else:
                        self.known[guid] = version
                self.raw.arrive(there, turn)
                advance(len(chunk))
                sys.audit("auditkit.point", "nrbs-arrived")

    def _behind(self, turn: int) -> dict[str, int | None]:
        """What arrived in a turn and is older, by its own word, than its list says; it is not held, then."""
        behind: dict[str, int | None] = {
            guid: listed
            for guid, at in self.raw.own_versions(turn).items()
            if (listed := self.listed.get(guid)) is not None and at < listed
        }
        for guid in behind:
            self.known.pop(guid, None)
        return behind


def _details(aimsio: AimsioClient, wanted: Mapping[str, int | None], parallel: int) -> Iterator[tuple[str, str | None]]:
    """(guid, body) of each wanted NRB as it arrives, `parallel` in flight; no body where it has vanished since."""

    def get(guid: str) -> tuple[str, str | None]:
        version = wanted[guid]
        try:
            return guid, aimsio.nrb(guid, None if version is None else str(version))
        except NotThere:
            return guid, None

    queue = iter(wanted)
    with ThreadPoolExecutor(parallel) as pool:
        flying: set[Future[tuple[str, str | None]]] = {pool.submit(get, guid) for guid in islice(queue, 2 * parallel)}
        try:
            while flying:
                landed, flying = wait(flying, return_when=FIRST_COMPLETED)
                for future in landed:
                    yield future.result()
                flying |= {pool.submit(get, guid) for guid in islice(queue, len(landed))}
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _announce(details: int, settings: Settings) -> None:
    if details >= _ANNOUNCE_FROM:
        length = timedelta(seconds=round(details / settings.rate_per_second))
        notice(f"Aimsio: {details:,} NRBs to read at {settings.rate_per_second:g} calls a second, about {length}")
