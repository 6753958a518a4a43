"""The raw tables of a draft: what arrived, what is carried on from the sync before, and what has vanished.

A version is a row that says from which sync to which it was current. Nothing is ever deleted: a record that vanished
keeps its versions, and has a tombstone.

Not here: what is asked of the vendors, and typing (`store/typed`).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from auditkit.warehouse.snapshots import Draft
from auditkit.warehouse.tables import Table as Result

__all__ = ["INVOICES", "NRBS", "Kept", "Raw", "chunks"]

_CHUNK = 2_000
SHRINK_SHARE, SHRINK_RECORDS = 20, 20  # a list shorter by more than a twentieth, and by more than 20 records

Row = TypeVar("Row")


@dataclass(frozen=True)
class _Table:
    """One vendor's raw table, its key, and what people call its rows."""

    name: str
    key: str
    subject: str
    vendor: str
    records: str


NRBS = _Table("raw.nrb_body", "guid", "nrb", "Aimsio", "NRBs")
INVOICES = _Table("raw.invoice_body", "jnid", "invoice", "JobNimbus", "invoices")


@dataclass(frozen=True)
class Kept:
    """What a sync made of one list: records `arrived`, those new or `changed`, those `vanished`, and what is wrong."""

    arrived: int
    changed: int
    vanished: int
    incomplete: str | None


class Raw:
    """One vendor's raw table in a draft, during one sync."""

    def __init__(self, draft: Draft, table: _Table, sync_id: int) -> None:
        self._draft = draft
        self._table = table
        self._names = {"table": table.name, "key": table.key, "subject": table.subject}
        self._arrived = f"arrived_{table.subject}"
        self._values = {"sync_id": sync_id}
        draft.query(f"create or replace temp table {self._arrived} (id varchar, body varchar, turn integer)")

    def arrive(self, rows: list[tuple[str, str]], turn: int) -> None:
        """Hold bodies as (id, text); of several for one id the one of the last turn counts."""
        if rows:
            ids, bodies = zip(*rows, strict=True)
            self._draft.insert(self._arrived, {"id": list(ids), "body": list(bodies), "turn": [turn] * len(rows)})

    def forget(self, turn: int) -> None:
        """Let go of what arrived in a turn."""
        self._draft.query(f"delete from {self._arrived} where turn = $turn", {"turn": turn})

    def own_versions(self, turn: int) -> dict[str, int]:
        """id → nrbUpdatedAt as the bodies of a turn say it themselves; those that say none are left out."""
        rows = self._draft.query(_OWN_VERSION.format(arrived=self._arrived), {"turn": turn}).rows
        return {guid: version for guid, version in rows if version is not None}

    def _missing(self, listed: list[str]) -> list[str]:
        """What was current in the sync before and is not listed now."""
        self._draft.query("create or replace temp table listed (id varchar)")
        for ids in chunks(listed):
            self._draft.insert("listed", {"id": ids})
        return [id for (id,) in self._run(_MISSING).rows]

    def keep(
        self, listed: Iterable[str], *, is_complete: bool, accept_shrink: bool, is_gone: Callable[[str], bool]
    ) -> Kept:
        """Carry this sync's records into the table: those that arrived, and those that did not change.

        A record that is listed no more is asked for by `is_gone`, which is true for a 404: it gets a tombstone. Where
        it is still there, or the list is not complete, or suspiciously short, it is carried on as it was, and the sync
        is INCOMPLETE.
        """
        listed = list(listed)
        missing = self._missing(listed)
        incomplete = None if accept_shrink else self._shrunk(len(listed))
        gone = [id for id in missing if is_gone(id)] if is_complete and incomplete is None else []
        if is_complete and incomplete is None and (there := len(missing) - len(gone)):
            incomplete = f"{self._table.vendor} does not list {there} {self._table.records} that it answers by id"
        carried = set(missing) - set(gone)
        for ids in chunks(carried):
            self._draft.insert("listed", {"id": ids})
        self._draft.run(_KEEP.format(**self._names, arrived=self._arrived), self._values)
        self._bury(gone)
        ((arrived, changed),) = self._run(_KEPT).rows
        return Kept(arrived, changed, len(gone), incomplete)

    def _shrunk(self, listed: int) -> str | None:
        """A lost permission looks like a mass deletion: a person decides."""
        vendor, records = self._table.vendor, self._table.records
        before = int(self._run(_BEFORE).scalar())
        fewer = before - listed
        if before and not listed:
            return f"{vendor} lists no {records}, but did before: a lost permission looks like this{_ADVICE}"
        if fewer > SHRINK_RECORDS and fewer * SHRINK_SHARE > before:
            return f"{vendor} lists {fewer:,} {records} fewer than before: a lost permission looks like this{_ADVICE}"
        return None

    def _bury(self, gone: list[str]) -> None:
        self._draft.query("create or replace temp table gone (id varchar)")
        for ids in chunks(gone):
            self._draft.insert("gone", {"id": ids})
        self._draft.run(_BURY.format(**self._names), self._values)

    def _run(self, sql: str) -> Result:
        return self._draft.query(sql.format(**self._names), self._values)


_ADVICE = "; if they were deleted indeed, `auditkit sync --accept-shrink`"
_OWN_VERSION = """
select id, try_cast(json_extract_string(arg_max(body, turn), '$.nrbUpdatedAt') as bigint) as updated_at
from {arrived} where turn = $turn and json_valid(body) group by id
"""
_BEFORE = "select count(*) from {table} where last_sync = $sync_id - 1"
_MISSING = """
select {key} from {table} where last_sync = $sync_id - 1 and {key} not in (select id from listed) order by {key}
"""
_KEEP = """
create or replace temp table newest as
select id, arg_max(body, turn) as body, sha256(arg_max(body, turn)) as digest
from {arrived} where id in (select id from listed) group by id;

update {table} set last_sync = $sync_id
where last_sync = $sync_id - 1 and {key} in (select id from listed)
    and not exists (select 1 from newest where newest.id = {table}.{key} and newest.digest <> {table}.digest);

insert into {table} by name
select id as {key}, digest, body, $sync_id as first_sync, $sync_id as last_sync from newest
where not exists (select 1 from {table} as t where t.{key} = newest.id and t.last_sync = $sync_id)
order by id;
"""
_KEPT = """
select (select count(*) from newest) as arrived,
    (select count(*) from {table} where first_sync = $sync_id) as changed
"""
_BURY = """
delete from raw.tombstone where subject_type = '{subject}' and subject_id in (select id from listed);

insert into raw.tombstone by name
select '{subject}' as subject_type, {key} as subject_id, digest, last_sync, $sync_id as vanished_sync
from {table} where {key} in (select id from gone) and last_sync = $sync_id - 1;
"""


def chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Lists of at most 2,000: what is inserted or fetched at a time."""
    iterator = iter(rows)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk
