"""Aimsio's NRBs: the list, each record that is new or changed, and the list again until two of them agree.

Not here: where bodies are kept (`raw`).
"""

import sys
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from itertools import islice
from typing import Any, ClassVar, Self

from auditkit.errors import NotThere
from auditkit.progress import notice, progress
from auditkit.settings import Settings
from auditkit.sync.raw import RawTable, RecordType, chunks
from auditkit.sync.source import Source
from auditkit.vendors.aimsio import AimsioClient
from auditkit.vendors.bodies import NRB_FIELDS

__all__ = ["MAX_LISTS", "AimsioNrbs"]

MAX_LISTS = 5
_ANNOUNCE_FROM = 50  # records; fewer are read before anyone wonders


class AimsioNrbs(Source):
    """One sync's read of the NRBs."""

    record_type: ClassVar[RecordType] = RecordType("Aimsio", "NRBs", "nrb", "raw.nrb_body", "guid", NRB_FIELDS)

    def __init__(self, aimsio: AimsioClient, settings: Settings) -> None:
        self._aimsio = aimsio
        self._settings = settings
        self._lists = 0
        self._list_problem: str | None = None
        self._known: dict[str, int] = {}  # guid → version of what is held
        self._versions: dict[str, int | None] = {}  # guid → version in the newest list; None if it has none
        self._read_unversioned: set[str] = set()

    @classmethod
    def connect(cls, settings: Settings, *, offline: bool) -> Self:
        """As `Source.connect`."""
        return cls(AimsioClient.from_settings(settings, offline=offline), settings)

    @property
    def client(self) -> AimsioClient:
        """As `Source.client`."""
        return self._aimsio

    @property
    def listed(self) -> Collection[str]:
        """As `Source.listed`."""
        return self._versions.keys()

    def start(self, raw: RawTable) -> None:
        """As `Source.start`."""
        self._raw = raw
        self._known = raw.held_versions()
        self._list()

    def finish(self) -> None:
        """Read records and lists until two lists agree."""
        self.problem = self._finish()

    def read_by_id(self, identifier: str) -> str:
        """As `Source.read_by_id`."""
        return self._aimsio.nrb(identifier)

    def remember(self) -> None:
        """The version of each listed NRB that is held in it: the next sync need not ask for these."""
        versions = self._versions.items()
        self._raw.hold({guid: at for guid, at in versions if at is not None and self._known.get(guid) == at})

    @property
    def facts(self) -> dict[str, Any]:
        """As `Source.facts`."""
        return {
            "lists": self._lists,
            "method": "lists",
            "resumed": self._aimsio.calls.cache_hits,
            "end_of_list": "one answer holds the whole list",
            "count_meaning": None,
        }

    def _finish(self) -> str | None:
        while self._lists < MAX_LISTS:
            self._fetch(self._wanted(), batch=2 * self._lists)
            # A replica that lags behind its list is asked once more; what stays behind is reported.
            if behind := self._behind(batch=2 * self._lists):
                self._fetch(behind, batch=2 * self._lists + 1)
                self._behind(batch=2 * self._lists + 1)
            before = self._versions
            self._list()
            if self._versions == before:
                break
        else:
            return f"Aimsio's list changed during each of {MAX_LISTS} reads"
        if missing := len(self._wanted()):
            return f"Aimsio gave {missing} NRBs not at all, or older than it lists them"
        return self._list_problem

    def _list(self) -> None:
        stubs = self._aimsio.stubs()
        named = sorted((stub.guid, stub.updated_at or -1, stub.updated_at) for stub in stubs if stub.guid is not None)
        self._lists += 1
        self._versions = {guid: at for guid, _, at in named}  # of two with one guid, the later
        problems = {
            "rows without a guid": len(stubs) - len(named),
            "guids twice": len(named) - len(self._versions),
            "NRBs without updatedAt": sum(at is None for at in self._versions.values()),
        }
        found = [f"{count} {problem}" for problem, count in problems.items() if count]
        self._list_problem = f"Aimsio's list holds {', '.join(found)}" if found else None

    def _wanted(self) -> dict[str, int | None]:
        """What is listed and not held in that version; without a version, what was not read in this sync."""
        return {
            guid: at
            for guid, at in self._versions.items()
            if (guid not in self._read_unversioned if at is None else self._known.get(guid) != at)
        }

    def _fetch(self, wanted: Mapping[str, int | None], batch: int) -> None:
        _announce(len(wanted), self._settings)
        with progress("Aimsio", len(wanted), "NRB") as advance:
            for chunk in chunks(_fetched(self._aimsio, wanted, self._settings.parallel)):
                arrived = [(guid, body) for guid, body in chunk if body is not None]
                for guid, _ in arrived:
                    if (version := wanted[guid]) is None:
                        self._read_unversioned.add(guid)
                    else:
                        self._known[guid] = version
                self._raw.add(arrived, batch)
                advance(len(chunk))
                sys.audit("auditkit.point", "nrbs-arrived")

    def _behind(self, batch: int) -> dict[str, int | None]:
        """What arrived in a batch and is, by its own nrbUpdatedAt, older than its list says; then it is not held."""
        behind: dict[str, int | None] = {
            guid: listed
            for guid, at in self._raw.own_versions(batch).items()
            if (listed := self._versions.get(guid)) is not None and at < listed
        }
        for guid in behind:
            self._known.pop(guid, None)
        return behind


def _fetched(aimsio: AimsioClient, wanted: Mapping[str, int | None], parallel: int) -> Iterator[tuple[str, str | None]]:
    """(guid, body) of each wanted NRB as it arrives, `parallel` in flight; no body if it has vanished since."""

    def get(guid: str) -> tuple[str, str | None]:
        version = wanted[guid]
        try:
            return guid, aimsio.nrb(guid, None if version is None else str(version))
        except NotThere:
            return guid, None

    queue = iter(wanted)
    with ThreadPoolExecutor(parallel) as pool:
        running: set[Future[tuple[str, str | None]]] = {pool.submit(get, guid) for guid in islice(queue, 2 * parallel)}
        try:
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
                running |= {pool.submit(get, guid) for guid in islice(queue, len(done))}
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _announce(records: int, settings: Settings) -> None:
    if records >= _ANNOUNCE_FROM:
        length = timedelta(seconds=round(records / settings.rate_per_second))
        notice(f"Aimsio: {records:,} NRBs to read at {settings.rate_per_second:g} calls a second, about {length}")
