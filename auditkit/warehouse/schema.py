"""The public tables, and raw bodies → typed tables, in bulk and by SQL alone.

Nothing is dropped: what cannot be typed is in `quarantine`. A snapshot is stamped with the schema that made it, so that
one of another version is told apart.
"""

import functools
import hashlib
from dataclasses import dataclass
from importlib import resources

import duckdb

from auditkit.errors import StoreError
from auditkit.warehouse.snapshots import Draft, Snapshot
from auditkit.warehouse.tables import run_script

__all__ = ["Described", "outline", "rebuild_schema", "rebuild_typed", "refuse_other_schema", "script"]

_COLUMNS = """
select schema_name || '.' || table_name as name, column_name, data_type
from duckdb_columns() where not internal and schema_name in ('main', 'raw')
"""
_COMMENTS = """
select case schema_name when 'main' then table_name else schema_name || '.' || table_name end as name,
    t.comment as holds, c.column_name, lower(c.data_type) as kind, c.comment as meaning
from duckdb_tables() as t join duckdb_columns() as c using (schema_name, table_name)
where not t.internal order by t.table_oid, c.column_index
"""
_IS_STAMPED = "select count(*) > 0 from duckdb_tables() where database_name = 'audit' and table_name = 'made_by'"


@dataclass(frozen=True)
class Described:
    """What one row of a table is, and its columns: name, type, meaning."""

    holds: str
    columns: tuple[tuple[str, str, str], ...]


def outline() -> dict[str, Described]:
    """Every public table by name, in the order of the schema, as its comments describe it; no snapshot is needed."""
    with duckdb.connect(":memory:") as fresh:
        run_script(fresh, script("schema.sql"), {})
        rows = fresh.execute(_COMMENTS).fetchall()
    held = {name: holds for name, holds, *_ in rows}
    return {
        name: Described(holds, tuple((column, kind, what) for table, _, column, kind, what in rows if table == name))
        for name, holds in held.items()
    }


def script(name: str) -> str:
    """The text of one SQL file of this package, e.g. `typed/nrb.sql`."""
    return resources.files("auditkit.warehouse").joinpath(name).read_text("utf-8")


def rebuild_schema(draft: Draft) -> None:
    """Macros and every public table: those carried between snapshots kept, the others made anew and empty.

    A carried table of an earlier version gets the columns that came since.
    """
    known = {(name, column) for name, column, _ in draft.query(_COLUMNS).rows}
    tables = {name for name, _ in known}
    for name, column, kind in _expected():
        if name in tables and (name, column) not in known:
            draft.query(f"alter table {name} add column {column} {kind}")
    draft.run(script("macros.sql"))
    draft.run(script("schema.sql"))
    draft.query("insert into made_by values ($stamp)", {"stamp": _stamp()})


def refuse_other_schema(snapshot: Snapshot) -> None:
    """Raise `StoreError` for a snapshot that was made by another version, with other tables."""
    if not snapshot.query(_IS_STAMPED).scalar() or snapshot.query("select stamp from made_by").scalar() != _stamp():
        raise StoreError(
            f"{snapshot.path}: was made by another version of auditkit; run `auditkit audit` to make it anew"
            " (no vendor is asked)"
        )


def rebuild_typed(draft: Draft, *, sync_id: int, zone: str) -> None:
    """Fill nrb, invoice and their parts, their history, and quarantine, from the raw bodies that are current in a sync.

    `zone` is the IANA name that turns instants into calendar days.
    """
    for name in _typed():
        draft.run(script(name), {"sync_id": sync_id, "zone": zone})


@functools.cache
def _typed() -> tuple[str, ...]:
    """The scripts that type raw bodies; none depends on what another makes."""
    folder = resources.files("auditkit.warehouse").joinpath("typed")
    return tuple(f"typed/{file.name}" for file in sorted(folder.iterdir(), key=lambda file: file.name))


def _stamp() -> str:
    return hashlib.sha256((script("macros.sql") + script("schema.sql")).encode()).hexdigest()[:12]


@functools.cache
def _expected() -> tuple[tuple[str, str, str], ...]:
    """(table, column, type) of the schema as it is now."""
    with duckdb.connect(":memory:") as fresh:
        run_script(fresh, script("schema.sql"), {})
        return tuple(fresh.execute(_COLUMNS).fetchall())
