"""One source's raw table in a draft: what arrived, what is carried over from the sync before, and what vanished.

A version is a row that names the first and the last sync in which it was current. Nothing is ever deleted: a record
that vanished keeps its versions and gets a tombstone, and one that could not be read keeps its last good version.

Not here: what is asked of the vendors (the sources), and typing (`warehouse/typed`).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from auditkit import sql
from auditkit.warehouse.schema import script
from auditkit.warehouse.snapshots import Draft
from auditkit.warehouse.tables import Table

__all__ = ["Held", "RawTable", "RecordType", "Stored", "chunks"]

_CHUNK = 2_000
_SHRINK_DIVISOR, _SHRINK_RECORDS = 20, 20  # a list shorter by more than a twentieth, and by more than 20 records
_ADVICE = "; if they were really deleted, run `auditkit sync --accept-shrink`"

Row = TypeVar("Row")


@dataclass(frozen=True)
class RecordType:
    """What one vendor's records of one type are called, and where they are kept.

    `plural` is their name for people (NRBs), `subject` that of one in tables (nrb, also the typed table), `table` their
    raw table with its `key`, and `fields` are the top-level fields that the vendor's page names. `total` is the column
    of the typed table whose sum is the control total, `sums` are further ones, over the rows for which `counted` holds.
    `labels` are the fields that describe a record once it is gone: its name, job and total (None if it has none).
    """

    vendor: str
    plural: str
    subject: str
    table: str
    key: str
    fields: frozenset[str]
    total: str
    sums: tuple[str, ...]
    labels: tuple[str, str | None, str]
    counted: str = "true"

    def count(self, records: int) -> str:
        """So many records, for people: 1 NRB, 1,000 NRBs."""
        return f"{records:,} {self.plural if records != 1 else self.plural.removesuffix('s')}"

    @property
    def control_totals(self) -> str:
        """The SELECT of the control totals of what was typed: one row."""
        amounts = (f"'{name}', cast({self._sum(name)} as varchar)" for name in self.sums)
        names = {"total": self._sum(self.total), "sums": ", ".join(amounts), "typed": self.subject}
        return sql.read("sync/control_totals").format(**names)

    def _sum(self, column: str) -> str:
        return f"coalesce(sum({column}) filter ({self.counted}), 0)"


@dataclass(frozen=True, slots=True)
class Held:
    """Which version of a record is held (None: not the one listed), and when its content was read last, if known."""

    version: int | None
    verified_at: datetime | None

    @property
    def outdated(self) -> "Held":
        """The same content, which the next sync reads again."""
        return Held(None, self.verified_at)


@dataclass(frozen=True)
class Stored:
    """What a sync made of one list: how many records arrived, changed and vanished."""

    arrived: int
    changed: int
    vanished: int


class RawTable:
    """The raw table of one type of record during one sync of a draft."""

    def __init__(self, draft: Draft, record_type: RecordType, sync_id: int) -> None:
        self._draft = draft
        self._type = record_type
        self._arrived = f"arrived_{record_type.subject}"
        self._names = {
            "table": record_type.table,
            "key": record_type.key,
            "subject": record_type.subject,
            "arrived": self._arrived,
            **{
                name: field or "(none)"
                for name, field in zip(("name", "job", "total"), record_type.labels, strict=True)
            },
        }
        self._values = {"sync_id": sync_id}
        draft.query(f"create or replace temp table {self._arrived} (id varchar, body varchar, batch integer)")

    def add(self, rows: list[tuple[str, str]], batch: int) -> None:
        """Hold bodies as (id, text); of several for one id the one of the last batch counts."""
        if rows:
            ids, bodies = zip(*rows, strict=True)
            self._draft.insert(self._arrived, {"id": list(ids), "body": list(bodies), "batch": [batch] * len(rows)})

    def discard(self, batch: int) -> None:
        """Drop what arrived in a batch."""
        self._draft.query(f"delete from {self._arrived} where batch = $batch", {"batch": batch})

    def held(self) -> dict[str, Held]:
        """id → what the sync before held of a record."""
        rows = self._draft.query(sql.read("sync/held_versions"), {"subject": self._type.subject}).rows
        return {identifier: Held(version, verified_at) for identifier, version, verified_at in rows}

    def hold(self, held: Mapping[str, Held]) -> None:
        """Record what is held of each record, for the next sync; what is not in the raw table now is left out."""
        self._draft.query("delete from raw.held where subject_type = $subject", {"subject": self._type.subject})
        for rows in chunks(held.items()):
            columns: dict[str, list[Any]] = {
                "subject_type": [self._type.subject] * len(rows),
                "subject_id": [identifier for identifier, _ in rows],
                "version": [each.version for _, each in rows],
                "verified_at": [each.verified_at for _, each in rows],
            }
            self._draft.insert("raw.held", columns)
        self._draft.query(self._sql("forget_gone"), self._values)

    def bodies(self, identifiers: Collection[str]) -> dict[str, str]:
        """id → the body that the sync before held, for those of the records that it held."""
        if not identifiers:
            return {}
        return dict(self._draft.query(self._sql("bodies"), {**self._values, "ids": list(identifiers)}).rows)

    def missing(self, listed: Collection[str]) -> list[str]:
        """The ids that were current in the sync before and are not listed now."""
        self._fill("listed_now", listed)
        return self._query("missing").column()

    def shrink_problem(self, listed: int) -> str | None:
        """Why a person must confirm a list of so many records, if it looks like a lost permission; else None."""
        vendor = self._type.vendor
        before = int(self._query("held").scalar())
        fewer = before - listed
        if before and not listed:
            return f"{vendor} lists no {self._type.plural}, but did before: a lost permission looks like this{_ADVICE}"
        if fewer > _SHRINK_RECORDS and fewer * _SHRINK_DIVISOR > before:
            missing = self._type.count(fewer)
            return f"{vendor} lists {missing} fewer than before: a lost permission looks like this{_ADVICE}"
        return None

    def store(
        self, listed: Collection[str], *, gone: Collection[str] = (), unread: Mapping[str, str] | None = None
    ) -> Stored:
        """Carry this sync's records into the table: those that arrived, and those that did not change.

        What was current before and is not listed is `gone` (it gets a tombstone) or carried over as it was. So is what
        is `unread` (id → why), which is recorded with its reason.
        """
        carried = set(self.missing(listed)) - set(gone)
        self._fill("listed_now", carried, is_new=False)
        self._fill("gone_now", gone)
        self._draft.run(self._sql("store"), self._values)
        self._draft.run(script("reading.sql"))
        self._draft.run(self._sql("tombstones"), self._values)
        self._draft.query("create or replace temp table unread_now (id varchar, reason varchar)")
        for rows in chunks((unread or {}).items()):
            ids, reasons = zip(*rows, strict=True)
            self._draft.insert("unread_now", {"id": list(ids), "reason": list(reasons)})
        self._draft.run(self._sql("unread"), self._values)
        ((arrived, changed),) = self._query("stored").rows
        return Stored(arrived, changed, len(gone))

    def unknown_fields(self) -> list[str]:
        """The top-level fields of this sync's bodies that the vendor's page does not name."""
        return [name for name in self._query("unknown_fields").column() if name not in self._type.fields]

    def _fill(self, name: str, ids: Iterable[str], *, is_new: bool = True) -> None:
        """Put ids into a temporary table of one column."""
        if is_new:
            self._draft.query(f"create or replace temp table {name} (id varchar)")
        for some in chunks(ids):
            self._draft.insert(name, {"id": some})

    def _query(self, name: str) -> Table:
        return self._draft.query(self._sql(name), self._values)

    def _sql(self, name: str) -> str:
        return sql.read(f"sync/{name}").format(**self._names)


def chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Lists of at most 2,000: what is inserted or fetched at a time."""
    iterator = iter(rows)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk
