"""The public tables, and how they are filled from raw bodies: in bulk, by SQL alone.

Nothing is dropped: a field that cannot be read is NULL and in `unreadable_field`, a record without an identity in
`quarantine`. A snapshot is stamped with the schema that made it, so that one of another version is recognized.

Not here: the tables of records and how their bodies are read (`records.py`, `reading.sql`).
"""

import functools
import hashlib
import re
from dataclasses import dataclass
from importlib import resources

import duckdb

from auditkit.errors import StoreError
from auditkit.warehouse import records
from auditkit.warehouse.snapshots import Draft, Snapshot
from auditkit.warehouse.tables import run_script

__all__ = [
    "Described",
    "find_names",
    "outline",
    "rebuild",
    "rebuild_schema",
    "rebuild_typed",
    "refuse_other_schema",
    "schema",
    "script",
    "version_tables",
]

_COLUMNS = """
select schema_name || '.' || table_name as name, column_name, data_type
from duckdb_columns() where not internal and schema_name in ('main', 'raw')
"""
_COMMENTS = """
with relation as (
    select schema_name, table_name, table_oid as oid, comment from duckdb_tables() where not internal
    union all
    select schema_name, view_name, view_oid, comment from duckdb_views() where not internal
)
select case schema_name when 'main' then table_name else schema_name || '.' || table_name end as name,
    t.comment as holds, c.column_name, lower(c.data_type) as kind, c.comment as meaning
from relation as t join duckdb_columns() as c using (schema_name, table_name)
order by t.oid, c.column_index
"""
_IS_STAMPED = "select count(*) > 0 from duckdb_tables() where database_name = 'audit' and table_name = 'made_by'"
_FIELD = """
create or replace temp table field (
    record varchar, field varchar, kind varchar, table_name varchar, column_name varchar, matters varchar
)
"""
_VERSION_TABLES = """
select schema_name || '.' || table_name from duckdb_columns()
where schema_name = 'raw' and column_name = 'first_sync' and table_name in (select table_name from duckdb_tables())
"""
_REBUILT = re.compile(r"^create or replace table (\S+)", re.MULTILINE)
_TYPED = ("date_zone", "nrb", "invoice", "unreadable", "invoice_item", "history")


@dataclass(frozen=True)
class Described:
    """What one row of a table is, and its columns: name, type, meaning."""

    holds: str
    columns: tuple[tuple[str, str, str], ...]


def outline() -> dict[str, Described]:
    """Every public table by name, in the order of the schema, as its comments describe it; no snapshot is needed."""
    with duckdb.connect(":memory:") as fresh:
        run_script(fresh, schema(), {})
        rows = fresh.execute(_COMMENTS).fetchall()
    tables = {name: holds for name, holds, *_ in rows}
    return {
        name: Described(
            holds, tuple((column, kind, meaning) for table, _, column, kind, meaning in rows if table == name)
        )
        for name, holds in tables.items()
    }


def script(name: str) -> str:
    """The text of one SQL file of this package, e.g. `typed/nrb.sql`."""
    return resources.files("auditkit.warehouse").joinpath(name).read_text("utf-8")


def schema() -> str:
    """The script that creates every public table with its comments."""
    return f"{records.tables()}\n{script('schema.sql')}"


def rebuild_schema(draft: Draft) -> None:
    """Create the macros and the public tables: those carried between snapshots are kept, all others become empty.

    A carried table of an earlier version gets the columns that were added since. The tables of a draft of this version
    are there already: they are emptied, which takes a tenth of the time.
    """
    if draft.has_table("made_by") and draft.query("select stamp from made_by").column() == [_stamp()]:
        draft.run("\n".join(f"truncate {name};" for name in _REBUILT.findall(schema()) if name != "made_by"))
        return
    known = {(name, column) for name, column, _ in draft.query(_COLUMNS).rows}
    tables = {name for name, _ in known}
    for name, column, kind in _expected() if tables else ():
        if name in tables and (name, column) not in known:
            draft.query(f"alter table {name} add column {column} {kind}")
    draft.run(script("macros.sql"))
    draft.run(schema())
    draft.query("insert into made_by values ($stamp)", {"stamp": _stamp()})


def rebuild(draft: Draft, zone: str) -> None:
    """Make every table that is not carried again, from the newest sync that the draft knows."""
    rebuild_schema(draft)
    sync_id = draft.query("select max(sync_id) from sync_run").scalar()
    rebuild_typed(draft, sync_id=sync_id, zone=zone)


def version_tables(draft: Draft) -> list[str]:
    """The tables that hold the versions of a source's records, with the syncs in which each was current."""
    return draft.query(_VERSION_TABLES).column()


def refuse_other_schema(snapshot: Snapshot) -> None:
    """Raise `StoreError` for a snapshot that was made by another version, with other tables."""
    if not snapshot.query(_IS_STAMPED).scalar() or snapshot.query("select stamp from made_by").scalar() != _stamp():
        raise StoreError(
            f"{snapshot.path}: was made by another version of auditkit; run `auditkit audit` to rebuild it"
            " (this does not contact the vendors)"
        )


def rebuild_typed(draft: Draft, *, sync_id: int, zone: str) -> None:
    """Fill the tables of the records, their history, and what could not be read, from the raw bodies of one sync.

    `zone` is the IANA name of the account's time zone, which turns instants into calendar days.
    """
    draft.run(script("reading.sql"))
    draft.run(records.macros())
    draft.query(_FIELD)
    names = ("record", "field", "kind", "table_name", "column_name", "matters")
    draft.insert("field", dict(zip(names, map(list, zip(*records.field_rows(), strict=True)), strict=True)))
    for name in _TYPED:
        draft.run(script(f"typed/{name}.sql"), {"sync_id": sync_id, "zone": zone})


def find_names() -> str:
    """The script that fills line_spot: where in invoice lines the names in nrb_name may be."""
    return script("typed/line_spot.sql")


@functools.cache
def _stamp() -> str:
    """A digest of everything that decides what is in the public tables before the audit."""
    texts = (script("macros.sql"), schema(), script("reading.sql"), records.macros())
    typed = (script(f"typed/{name}.sql") for name in _TYPED)
    return hashlib.sha256("".join((*texts, *typed)).encode()).hexdigest()[:12]


@functools.cache
def _expected() -> tuple[tuple[str, str, str], ...]:
    """(table, column, type) of the current schema."""
    with duckdb.connect(":memory:") as fresh:
        run_script(fresh, schema(), {})
        return tuple(fresh.execute(_COLUMNS).fetchall())
