"""One source's raw table in a draft: what arrived, what is carried over from the sync before, and what vanished.

A version is a row that names the first and the last sync in which it was current. Nothing is ever deleted: a record
that vanished keeps its versions and gets a tombstone.

Not here: what is asked of the vendors (the sources), and typing (`warehouse/typed`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from auditkit import sql
from auditkit.warehouse.snapshots import Draft
from auditkit.warehouse.tables import Table

__all__ = ["RawTable", "RecordType", "Stored", "chunks"]

_CHUNK = 2_000
_SHRINK_DIVISOR, _SHRINK_RECORDS = 20, 20  # a list shorter by more than a twentieth, and by more than 20 records
_ADVICE = "; if they were really deleted, run `auditkit sync --accept-shrink`"

Row = TypeVar("Row")


@dataclass(frozen=True)
class RecordType:
    """What one vendor's records of one type are called, and where they are kept.

    `plural` is their name for people (NRBs), `subject` that of one in tables (nrb), `table` their raw table with its
    `key`, and `fields` are the top-level fields that the vendor's page names.
    """

    vendor: str
    plural: str
    subject: str
    table: str
    key: str
    fields: frozenset[str]


@dataclass(frozen=True)
class Stored:
    """What a sync made of one list: how many records arrived, changed and vanished, and what is wrong with the list."""

    arrived: int
    changed: int
    vanished: int
    problem: str | None


class RawTable:
    """The raw table of one type of record during one sync of a draft."""

    def __init__(self, draft: Draft, record_type: RecordType, sync_id: int) -> None:
        self.draft = draft
        self._type = record_type
        self._arrived = f"arrived_{record_type.subject}"
        self._names = {
            "table": record_type.table,
            "key": record_type.key,
            "subject": record_type.subject,
            "arrived": self._arrived,
        }
        self._values = {"sync_id": sync_id}
        draft.query(f"create or replace temp table {self._arrived} (id varchar, body varchar, batch integer)")

    def add(self, rows: list[tuple[str, str]], batch: int) -> None:
        """Hold bodies as (id, text); of several for one id the one of the last batch counts."""
        if rows:
            ids, bodies = zip(*rows, strict=True)
            self.draft.insert(self._arrived, {"id": list(ids), "body": list(bodies), "batch": [batch] * len(rows)})

    def discard(self, batch: int) -> None:
        """Drop what arrived in a batch."""
        self.draft.query(f"delete from {self._arrived} where batch = $batch", {"batch": batch})

    def held_versions(self) -> dict[str, int]:
        """id → version of the records that the sync before held in the version listed."""
        values = {"subject": self._type.subject}
        rows = self.draft.query("select subject_id, version from raw.held where subject_type = $subject", values).rows
        return dict(rows)

    def hold(self, versions: Mapping[str, int]) -> None:
        """Record which version of each record is held, for the next sync."""
        self.draft.query("delete from raw.held where subject_type = $subject", {"subject": self._type.subject})
        for rows in chunks(versions.items()):
            ids, held = zip(*rows, strict=True)
            columns = {"subject_type": [self._type.subject] * len(rows), "subject_id": list(ids), "version": list(held)}
            self.draft.insert("raw.held", columns)

    def own_versions(self, batch: int) -> dict[str, int]:
        """id → nrbUpdatedAt as the bodies of a batch state it themselves; those that state none are left out."""
        return dict(self.draft.query(self._sql("own_versions"), {"batch": batch}).rows)

    def store(
        self, listed: Iterable[str], *, is_complete: bool, accept_shrink: bool, is_gone: Callable[[str], bool]
    ) -> Stored:
        """Carry this sync's records into the table: those that arrived, and those that did not change.

        A record that is no longer listed is asked for with `is_gone`, which is true for a 404: it gets a tombstone. If
        it is still there, or the list is incomplete or suspiciously short, it is carried over as it was, and `problem`
        says so.
        """
        listed = list(listed)
        missing = self._missing(listed)
        problem = None if accept_shrink else self._shrunk(len(listed))
        may_ask = is_complete and problem is None
        gone = [id for id in missing if is_gone(id)] if may_ask else []
        if may_ask and (there := len(missing) - len(gone)):
            problem = f"{self._type.vendor} does not list {there} {self._type.plural} that it answers by id"
        carried = set(missing) - set(gone)
        self._fill("listed_now", carried, is_new=False)
        self._fill("vanished_now", gone)
        self.draft.run(self._sql("store"), self._values)
        self.draft.run(self._sql("tombstones"), self._values)
        ((arrived, changed),) = self._query("stored").rows
        return Stored(arrived, changed, len(gone), problem)

    def unknown_fields(self) -> list[str]:
        """The top-level fields of this sync's bodies that the vendor's page does not name."""
        return [name for (name,) in self._query("unknown_fields").rows if name not in self._type.fields]

    def _missing(self, listed: list[str]) -> list[str]:
        """The ids that were current in the sync before and are not listed now."""
        self._fill("listed_now", listed)
        return [id for (id,) in self._query("missing").rows]

    def _shrunk(self, listed: int) -> str | None:
        """Why a person must decide: a lost permission looks like a mass deletion."""
        vendor, records = self._type.vendor, self._type.plural
        before = int(self._query("held").scalar())
        fewer = before - listed
        if before and not listed:
            return f"{vendor} lists no {records}, but did before: a lost permission looks like this{_ADVICE}"
        if fewer > _SHRINK_RECORDS and fewer * _SHRINK_DIVISOR > before:
            return f"{vendor} lists {fewer:,} {records} fewer than before: a lost permission looks like this{_ADVICE}"
        return None

    def _fill(self, name: str, ids: Iterable[str], *, is_new: bool = True) -> None:
        """Put ids into a temporary table of one column."""
        if is_new:
            self.draft.query(f"create or replace temp table {name} (id varchar)")
        for some in chunks(ids):
            self.draft.insert(name, {"id": some})

    def _query(self, name: str) -> Table:
        return self.draft.query(self._sql(name), self._values)

    def _sql(self, name: str) -> str:
        return sql.read(f"sync/{name}").format(**self._names)


def chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Lists of at most 2,000: what is inserted or fetched at a time."""
    iterator = iter(rows)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk
