"""What the sandbox stores, in one SQLite file: records as JSON text, names that exist, and every call received.

The file survives restarts and kills. Nothing is kept in memory, so another process may open it beside the server, to
read the request log, or to edit or delete a record as a third party. SQLite keeps two helper files next to it (`-wal`,
`-shm`) while it is open.

Not here: what a field means. A record is text, with the few columns that are needed to find it.
"""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Self

from auditkit.sandbox.error_bodies import ForeignFile
from auditkit.sandbox.invented import STUB_DTYPE
from auditkit.sandbox.names import PAGE_NAMES, Name, names_of_invoice, names_of_nrb
from auditkit.sandbox.wire import Body, Json, dumps, loads, loads_stored

__all__ = ["Bound", "Call", "NrbKey", "State", "Term", "make_private"]

NrbKey = Literal["guid", "external_id", "origin_reference", "parent_guid"]

Cell = Any  # a row or a column of one: sqlite3 cannot know what the file holds
Names = Iterator[tuple[Name, str | None]]

_VERSION = 0x5A4D01
_TRANSACTION = ("begin immediate", ("rollback",), "commit")
_SAVEPOINT = ("savepoint part", ("rollback to part", "release part"), "release part")
_STUBS_AT_ONCE = 5_000
_SHUFFLE_PRIME = 2_147_483_647
_SCHEMA = """
create table nrb (
    seq integer primary key, guid text not null unique, external_id, origin_reference, parent_guid, updated_at,
    body text not null
);
create index nrb_external_id on nrb (external_id);
create index nrb_origin_reference on nrb (origin_reference);
create index nrb_parent on nrb (parent_guid);
create table invoice (
    seq integer primary key, jnid text not null unique, date_created, date_updated, is_active integer not null,
    body text not null
);
create index invoice_created on invoice (date_created, seq);
create index invoice_updated on invoice (date_updated);
create table name (kind text, scope text, name text, value text, primary key (kind, scope, name)) without rowid;
create table request_log (
    seq integer primary key, at_ms integer not null, vendor text not null, method text not null, path text not null,
    query text not null, body_sha256 text, status integer
);
"""


@dataclass(frozen=True)
class Bound:
    """One comparison of JobNimbus's filter, in whole epoch seconds."""

    column: Literal["date_created", "date_updated"]
    operator: Literal[">=", ">", "<=", "<"]
    value: int


@dataclass(frozen=True)
class Term:
    """A field of JobNimbus's filter and the value that it has; `related.id` is a field of the objects in a list."""

    field: str
    value: str | int | Decimal


@dataclass(frozen=True)
class Call:
    """One request as it was received; `status` is None until it is answered."""

    at_ms: int
    vendor: str
    method: str
    path: str
    query: str
    body_sha256: str | None
    status: int | None


def make_private(path: Path) -> None:
    """Create a file that only its owner can read: SQLite would create it, and its helper files, readable by everyone.

    An existing file is left unchanged. If it cannot be created, SQLite reports that when it opens the file.
    """
    with suppress(OSError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


class State:
    """An open state file. Methods may be called from several threads; a write is whole or absent."""

    def __init__(self, path: Path) -> None:
        """Open or create the file. Raises `ForeignFile` for a file of another program."""
        self.path = path
        self._lock = threading.RLock()
        make_private(path)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        self._db.create_function("has_term", 3, _has_term, deterministic=True)
        try:
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = normal")
            with self.transaction():
                self._prepare()
        except (sqlite3.DatabaseError, ForeignFile):
            self._db.close()
            raise ForeignFile(f"{path}: not a state file of this sandbox; name another file") from None

    def _prepare(self) -> None:
        version = self._one("pragma user_version")
        if version == 0 and not self._one("select count(*) from sqlite_master"):
            for statement in _SCHEMA.split(";\n"):
                self._db.execute(statement)
            self._put_names(PAGE_NAMES)
            self._db.execute(f"pragma user_version = {_VERSION}")
        elif version != _VERSION:
            raise ForeignFile

    def close(self) -> None:
        """Close the file and fold SQLite's helper files into it."""
        with self._lock:
            self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside become visible together, or none does; a nested one undoes only its own part."""
        with self._lock:
            begin, undo, end = _SAVEPOINT if self._db.in_transaction else _TRANSACTION
            self._db.execute(begin)
            try:
                yield
            except BaseException:
                for statement in undo:
                    self._db.execute(statement)
                raise
            self._db.execute(end)

    def fill(
        self,
        nrbs: Iterable[Body],
        invoices: Iterable[Body],
        jobs: Iterable[str] | None = None,
        vendors: Iterable[str] | None = None,
    ) -> None:
        """Store records as they are, in this order, and collect the names in them.

        `jobs` and `vendors` are the numbers and codes that exist; if left out, those of the records.
        """
        names: dict[Name, str | None] = {Name("job", "", number): None for number in jobs or ()}
        names |= {Name("vendor", "", code): None for code in vendors or ()}
        closed = {kind for kind, given in (("job", jobs), ("vendor", vendors)) if given is not None}

        def collected(bodies: Iterable[Body], names_in: Callable[[Body], Names]) -> Iterator[Body]:
            for body in bodies:
                for name, value in names_in(body):
                    if name in names or name.kind not in closed:
                        names[name] = value if value is not None else names.get(name)
                yield body

        with self.transaction():
            self._db.executemany(_PUT_NRB, map(_nrb_row, collected(nrbs, names_of_nrb)))
            self._db.executemany(_PUT_INVOICE, map(_invoice_row, collected(invoices, names_of_invoice)))
            self._put_names(names)

    def _put_names(self, names: Mapping[Name, str | None]) -> None:
        rows = ((name.kind, name.scope, name.name, value) for name, value in names.items())
        self._db.executemany(_PUT_NAME, rows)

    def is_empty(self) -> bool:
        """Whether there is no record at all."""
        return not self._one("select exists (select 1 from nrb) or exists (select 1 from invoice)")

    def knows(self, kind: str, name: str, scope: str = "") -> bool:
        """Whether a job, vendor, WBS … of that name exists."""
        return self._one("select 1 from name where (kind, scope, name) = (?, ?, ?)", kind, scope, name) is not None

    def value_of(self, kind: str, name: str | None, scope: str = "") -> str | None:
        """What belongs to a name in the records (its guid, its label), or None."""
        value: str | None = self._one("select value from name where (kind, scope, name) = (?, ?, ?)", kind, scope, name)
        return value

    # NRBs

    def nrb_text(self, guid: str) -> str | None:
        """One NRB's body as it is stored."""
        text: str | None = self._one("select body from nrb where guid = ?", guid)
        return text

    def nrbs_where(self, key: NrbKey, value: str) -> list[Body]:
        """Every NRB with that key, oldest first."""
        return [
            loads_stored(text) for (text,) in self._all(f"select body from nrb where {key} = ? order by seq", value)
        ]

    def put_nrb(self, body: Body) -> None:
        """Store an NRB under its guid, in place of an existing one."""
        with self._lock:
            self._db.execute(_PUT_NRB, _nrb_row(body))

    def delete_nrb(self, guid: str) -> None:
        """Remove an NRB, as is possible on the vendor's own screens; there is no operation for it."""
        with self._lock:
            self._db.execute("delete from nrb where guid = ?", (guid,))

    def nrb_stubs(self, key: Literal["guid", "id"]) -> Iterator[list[str]]:
        """The rows of the list as JSON texts, in portions, from one consistent read; bodies are not parsed."""
        columns = f"json_object('dtype', ?, '{key}', guid, 'updatedAt', updated_at)"
        with closing(sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            rows = db.execute(f"select {columns} from nrb order by seq", (STUB_DTYPE,))
            while portion := rows.fetchmany(_STUBS_AT_ONCE):
                yield [text for (text,) in portion]

    # Invoices

    def invoice_text(self, jnid: str) -> str | None:
        """One invoice's body as it is stored."""
        text: str | None = self._one("select body from invoice where jnid = ?", jnid)
        return text

    def put_invoice(self, body: Body) -> None:
        """Store an invoice under its jnid, in place of an existing one."""
        with self._lock:
            self._db.execute(_PUT_INVOICE, _invoice_row(body))

    def delete_invoice(self, jnid: str) -> None:
        """Remove an invoice for good, which no operation does."""
        with self._lock:
            self._db.execute("delete from invoice where jnid = ?", (jnid,))

    def invoice_page(
        self, start: int, size: int, *, bounds: Sequence[Bound | Term], with_deleted: bool, shuffle: int | None
    ) -> list[str]:
        """Bodies in order of creation, or in the pseudo-random order of the number `shuffle`."""
        where, values = _where(bounds, with_deleted)
        order = "date_created, seq" if shuffle is None else f"(seq * ?) % {_SHUFFLE_PRIME}, seq"
        values += [] if shuffle is None else [shuffle]
        sql = f"select body from invoice {where} order by {order} limit ? offset ?"
        return [text for (text,) in self._all(sql, *values, size, start)]

    def invoice_count(self, *, bounds: Sequence[Bound | Term], with_deleted: bool) -> int:
        """How many invoices are within the bounds."""
        where, values = _where(bounds, with_deleted)
        return int(self._one(f"select count(*) from invoice {where}", *values))

    def next_number(self, table: Literal["nrb", "invoice"]) -> int:
        """A number that no record of the table has had, unless the last one was deleted."""
        return int(self._one(f"select coalesce(max(seq), 0) + 1 from {table}"))

    def some_id(self, table: Literal["nrb", "invoice"]) -> str | None:
        """The first record's id, as an example that exists."""
        column = "guid" if table == "nrb" else "jnid"
        found: str | None = self._one(f"select {column} from {table} order by seq limit 1")
        return found

    # The request log

    def log_call(self, call: Call) -> int:
        """Record a call as it arrives, before it is handled, and return its number."""
        row = (call.at_ms, call.vendor, call.method, call.path, call.query, call.body_sha256, call.status)
        with self._lock:
            done = self._db.execute(f"insert into request_log ({_CALL}) values (?, ?, ?, ?, ?, ?, ?)", row)
            return done.lastrowid or 0

    def log_status(self, number: int, status: int) -> None:
        """Record how a call was answered, before the answer is sent."""
        with self._lock:
            self._db.execute("update request_log set status = ? where seq = ?", (status, number))

    def calls(self) -> list[Call]:
        """Every call received, in order."""
        return [Call(*row) for row in self._all(f"select {_CALL} from request_log order by seq")]

    def _one(self, sql: str, *values: Cell) -> Cell:
        with self._lock:
            row = self._db.execute(sql, values).fetchone()
        return None if row is None else row[0]

    def _all(self, sql: str, *values: Cell) -> list[Cell]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()


_CALL = "at_ms, vendor, method, path, query, body_sha256, status"
_PUT_NAME = """
insert into name values (?, ?, ?, ?)
on conflict (kind, scope, name) do update set value = coalesce(excluded.value, value)
"""
_PUT_NRB = """
insert into nrb (guid, external_id, origin_reference, parent_guid, updated_at, body) values (?, ?, ?, ?, ?, ?)
on conflict (guid) do update set external_id = excluded.external_id, origin_reference = excluded.origin_reference,
    parent_guid = excluded.parent_guid, updated_at = excluded.updated_at, body = excluded.body
"""
_PUT_INVOICE = """
insert into invoice (jnid, date_created, date_updated, is_active, body) values (?, ?, ?, ?, ?)
on conflict (jnid) do update set date_created = excluded.date_created, date_updated = excluded.date_updated,
    is_active = excluded.is_active, body = excluded.body
"""


def _nrb_row(body: Body) -> tuple[Any, ...]:
    keys = ("nrbGuid", "nrbExternalId", "nrbOriginReference", "nrbParentGuid", "nrbUpdatedAt")
    return (*(_column(body.get(key)) for key in keys), dumps(body))


def _invoice_row(body: Body) -> tuple[Any, ...]:
    keys = ("jnid", "date_created", "date_updated")
    return (*(_column(body.get(key)) for key in keys), body.get("is_active") is not False, dumps(body))


def _column(value: Json) -> str | int | None:
    # A malformed record may hold any type anywhere; it cannot be found by such a key.
    return value if isinstance(value, (str, int)) else None


def _where(bounds: Sequence[Bound | Term], with_deleted: bool) -> tuple[str, list[Any]]:
    tests, values = [] if with_deleted else ["is_active"], list[Any]()
    for bound in bounds:
        if isinstance(bound, Bound):
            tests.append(f"{bound.column} {bound.operator} ?")
            values.append(bound.value)
        else:
            tests.append("has_term(body, ?, ?)")
            values += [bound.field, dumps(bound.value)]
    return (f"where {' and '.join(tests)}" if tests else ""), values


def _has_term(body: str, field: str, value: str) -> bool:
    wanted = loads(value.encode())
    found = _values_at(loads_stored(body), field.split("."))
    return any(isinstance(one, bool) == isinstance(wanted, bool) and one == wanted for one in found)


def _values_at(value: Json, path: Sequence[str]) -> Iterator[Json]:
    if isinstance(value, list):
        for item in value:
            yield from _values_at(item, path)
    elif not path:
        yield value
    elif isinstance(value, dict) and path[0] in value:
        yield from _values_at(value[path[0]], path[1:])
