"""Aimsio's NRBs: the list, each record that is new or changed, and the list again until two of them agree.

A version in the list is no proof of content. So a record that was read within seconds of its own change is read again
by the next sync, and every sync verifies some records that seem unchanged (`verification`).

Not here: how records are read in parallel (`fetching`), and where bodies are kept (`raw`).
"""

import json
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar, Self

from auditkit.errors import ApiError, NotThere
from auditkit.progress import notice, progress
from auditkit.settings import Settings
from auditkit.sync.fetching import ANNOUNCE_FROM, Failures, announce, duration, fetch
from auditkit.sync.raw import Held, RawTable, RecordType, chunks
from auditkit.sync.source import Options, Source
from auditkit.sync.verification import BUDGET_SECONDS, due, oldest_first
from auditkit.vendors.aimsio import AimsioClient, NrbRead, Stub
from auditkit.vendors.bodies import NRB_FIELDS
from auditkit.vendors.suspects import Suspects

__all__ = ["MAX_LISTS", "AimsioNrbs"]

MAX_LISTS = 5
_GHOST = "is listed, but answered 404 by id"
_BEHIND = "was answered in an older version than it is listed in"
_LEAST_NEXT = 20  # records in the next batch of a verification that found a change
_NEVER = object()


class AimsioNrbs(Source):
    """One sync's read of the NRBs."""

    record_type: ClassVar[RecordType] = RecordType(
        vendor="Aimsio",
        plural="NRBs",
        subject="nrb",
        table="raw.nrb_body",
        key="guid",
        fields=NRB_FIELDS,
        total="total_after_markup",
        sums=("vendor_tax",),
        labels=("nrbName", "nrbJobOrderNumber", "nrbTotalAfterMarkup"),
        counted="is_leaf",  # a parent repeats what its children cost
    )

    def __init__(self, aimsio: AimsioClient, settings: Settings) -> None:
        self._aimsio = aimsio
        self._settings = settings
        self._suspects = Suspects(settings.folder)
        self._failures = Failures(self.record_type)
        self._lists = 0
        self._list_problem: str | None = None
        self._versions: dict[str, int | None] = {}  # guid → version in the newest list; None if it has none
        self._held: dict[str, Held] = {}
        self._held_before: frozenset[str] = frozenset()
        # What became of the NRBs that were read in this sync.
        self._verified: dict[str, datetime] = {}  # read live, and the time before that by this machine's clock
        self._racy: set[str] = set()
        self._unversioned: set[str] = set()  # read, although the list gives it no version
        self._absent: dict[str, str] = {}  # answered 404, and how
        self._behind: set[str] = set()
        self._failed: dict[str, int | None] = {}  # could not be read, and the version it was listed in
        self._counts = dict.fromkeys(("resumed", "verified_again", "changed_unversioned"), 0)
        self._batch = 0

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

    @property
    def unread(self) -> Mapping[str, str]:
        """As `Source.unread`."""
        return self._failures.reasons

    def start(self, raw: RawTable, options: Options) -> None:
        """As `Source.start`."""
        self._raw = raw
        self._options = options
        self._held = raw.held()
        self._held_before = frozenset(self._held)
        self._list()

    def finish(self) -> None:
        """Read records and lists until two lists agree."""
        self.problem = self._finish()

    def read_by_id(self, identifier: str) -> str:
        """As `Source.read_by_id`."""
        return self._aimsio.nrb(identifier)

    def probes(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """The list, and one NRB by id."""
        stubs: list[Stub] = []

        def the_list() -> str:
            stubs.extend(self._aimsio.stubs())
            return f"{len(stubs):,} NRBs listed"

        def one_nrb() -> str:
            guid = next((stub.guid for stub in stubs if stub.guid), None)
            return f"one of {len(self._aimsio.nrb(guid)):,} characters" if guid else "not checked: none is listed"

        yield "Aimsio", the_list
        yield "Aimsio NRB", one_nrb

    def remember(self) -> None:
        """Which version of each NRB is held, and when its content was read last."""
        self._raw.hold(
            {
                guid: held if self._is_current(guid) and guid not in self._racy else held.outdated
                for guid, held in self._held.items()
            }
        )

    def published(self) -> None:
        """Forget the suspected NRBs that were read again."""
        self._suspects.clear(self.record_type.subject, self._verified)

    @property
    def facts(self) -> dict[str, Any]:
        """As `Source.facts`."""
        times = [held.verified_at for guid, held in self._held.items() if guid in self._versions]
        return {
            "lists": self._lists,
            "method": "in one piece",
            "end_of_list": "one answer holds it whole",
            "count_meaning": None,
            "oldest_verified_at": min((at for at in times if at is not None), default=None),
            **self._counts,
        }

    def _finish(self) -> str | None:
        if self._options.full:
            announce(self.record_type, len(self._versions), "are all read again (--full)", self._settings)
            self._read(self._versions, refresh=True)
        else:
            wanted = self._wanted()
            announce(self.record_type, len(wanted), "to read", self._settings)
            self._read(wanted)
            if not self._options.offline:
                self._verify()
        while True:
            before = self._versions
            self._list()
            if self._versions == before:
                break
            if self._lists == MAX_LISTS:
                return f"Aimsio's list changed during each of {MAX_LISTS} reads"
            self._read(self._wanted())
        self._failures.reasons |= dict.fromkeys(self._behind, _BEHIND)
        self._failures.reasons |= self._absent
        self._failures.keep(self._versions.keys())
        return self._list_problem

    def _list(self) -> None:
        stubs = self._aimsio.stubs()
        listed = sorted((stub.guid, stub.updated_at or -1, stub.updated_at) for stub in stubs if stub.guid is not None)
        self._lists += 1
        self._versions = {guid: at for guid, _, at in listed}  # of two with one guid, the later
        problems = {
            "without a guid": len(stubs) - len(listed),
            "with the guid of another": len(listed) - len(self._versions),
            "without updatedAt": sum(at is None for at in self._versions.values()),
        }
        found = [f"{count:,} row{'s' * (count != 1)} {problem}" for problem, count in problems.items() if count]
        self._list_problem = f"Aimsio's list holds {', '.join(found)}" if found else None

    def _is_current(self, guid: str) -> bool:
        """Whether an NRB is held in the version listed; without a version, whether it was read in this sync."""
        listed = self._versions.get(guid)
        if listed is None:
            return guid in self._unversioned
        return guid in self._held and self._held[guid].version == listed

    def _wanted(self) -> dict[str, int | None]:
        """What is listed and not current; what could not be read is not tried twice in the same version."""
        return {
            guid: at
            for guid, at in self._versions.items()
            if not self._is_current(guid) and self._failed.get(guid, _NEVER) != at
        }

    def _verify(self) -> None:
        """Read some NRBs again whose version did not change, and more of them while changes are found."""
        unchanged = {
            guid: self._held[guid].verified_at
            for guid in self._versions
            if guid not in self._verified and self._versions[guid] is not None and self._is_current(guid)
        }
        suspects = [guid for guid in self._suspects.of(self.record_type.subject) if guid in unchanged]
        queue = list(dict.fromkeys([*suspects, *oldest_first(unchanged)]))
        wanted = len({*suspects, *due(unchanged, datetime.now(UTC), self._settings.reverify_days)})
        budget = max(round(BUDGET_SECONDS * self._settings.rate_per_second), len(suspects))
        self._announce_verification(wanted, budget, len(unchanged))
        done, size = 0, min(wanted, budget)
        while size > 0:
            found = self._read({guid: self._versions[guid] for guid in queue[done : done + size]}, refresh=True)
            self._counts["verified_again"] += size
            done += size
            if not found:
                break
            size = min(max(2 * size, _LEAST_NEXT), budget - done, len(queue) - done)
            if size > 0:
                changed = self.record_type.count(found)
                notice(f"Aimsio: {changed} changed without a newer updatedAt, so {size:,} more are read again")

    def _announce_verification(self, records: int, budget: int, unchanged: int) -> None:
        if records < ANNOUNCE_FROM:
            return
        calls = min(records, budget)
        limit = "" if records <= budget else f"; {records:,} are due, but a sync spends at most half an hour on them"
        notice(
            f"Aimsio: {calls:,} of {unchanged:,} unchanged NRBs are read again, about"
            f" {duration(calls, self._settings)}: updatedAt is no proof of content, and none should be older than"
            f" {self._settings.reverify_days:g} days{limit}"
        )

    def _read(self, wanted: Mapping[str, int | None], *, refresh: bool = False) -> int:
        """Read NRBs, and those once more that a replica that lags behind answered.

        Returns how many changed although their version did not, of those that were held; only `refresh` finds any.
        """
        if not wanted:
            return 0
        found, behind = self._read_once(wanted, refresh=refresh)
        if behind:
            again, _ = self._read_once(behind, refresh=refresh)
            found += again
        return found

    def _read_once(self, wanted: Mapping[str, int | None], *, refresh: bool) -> tuple[int, dict[str, int | None]]:
        """Read NRBs; how many changed without a version, and those that came older than they are listed."""

        def read(guid: str) -> NrbRead:
            version = wanted[guid]
            return self._aimsio.read(guid, None if version is None else str(version), refresh=refresh)

        self._batch += 1
        started_at = datetime.now(UTC)
        changed, behind = 0, set[str]()
        with progress("Aimsio", len(wanted), "NRB") as advance:
            for chunk in chunks(fetch(wanted, read, self._settings.parallel)):
                arrived: dict[str, NrbRead] = {}
                for guid, found in chunk:
                    if isinstance(found, ApiError):
                        self._note_failure(guid, found, wanted[guid])
                    else:
                        arrived[guid] = found
                        self._note(guid, found, wanted[guid])
                        if not found.from_cache:
                            self._verified[guid] = started_at
                behind |= self._behind & arrived.keys()
                usable = {guid: found for guid, found in arrived.items() if self._may_store(guid)}
                changed += self._changed_unversioned(usable) if refresh else 0
                self._raw.add([(guid, found.text) for guid, found in usable.items()], self._batch)
                advance(len(chunk))
                sys.audit("auditkit.point", "nrbs-arrived")
        self._counts["changed_unversioned"] += changed
        return changed, {guid: wanted[guid] for guid in behind}

    def _note_failure(self, guid: str, error: ApiError, listed: int | None) -> None:
        if isinstance(error, NotThere):  # gone since the list, or a ghost: the next list decides
            self._absent[guid] = str(error) if self._options.offline else _GHOST
            return
        self._failures.add(guid, error, len(self._versions))
        self._failed[guid] = listed

    def _note(self, guid: str, found: NrbRead, listed: int | None) -> None:
        """Note what is held of an NRB that was read."""
        is_behind = listed is not None and found.updated_at is not None and found.updated_at < listed
        for marked, applies in ((self._behind, is_behind), (self._racy, found.is_racy)):
            (marked.add if applies else marked.discard)(guid)
        self._absent.pop(guid, None)
        self._failed.pop(guid, None)
        self._failures.reasons.pop(guid, None)
        if listed is None:
            self._unversioned.add(guid)
        self._counts["resumed"] += found.from_cache
        if not is_behind:
            self._held[guid] = Held(listed, found.read_at)
        elif guid in self._held:
            self._held[guid] = self._held[guid].outdated

    def _may_store(self, guid: str) -> bool:
        """An answer that is behind its list must not replace a version that is held, which may be newer."""
        return guid not in self._behind or guid not in self._held_before

    def _changed_unversioned(self, arrived: Mapping[str, NrbRead]) -> int:
        """How many of the NRBs that were read again differ from what was held, in the same version."""
        same = {guid: found for guid, found in arrived.items() if found.updated_at == self._versions.get(guid)}
        before = self._raw.bodies(same)
        return sum(guid in before and _differ(before[guid], found.text) for guid, found in same.items())


def _differ(before: str, after: str) -> bool:
    """Whether two JSON texts differ in content; the order of members and the spelling of numbers do not count."""
    return before != after and json.loads(before, parse_float=Decimal) != json.loads(after, parse_float=Decimal)
