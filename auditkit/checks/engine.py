"""Runs steps on a draft snapshot: one step, one table. Public tables are filled, all others are temporary."""

from collections.abc import Mapping, Sequence

from auditkit.checks.rules import Step, Value
from auditkit.warehouse.snapshots import Draft
from auditkit.warehouse.tables import Table

__all__ = ["Engine"]

_CHUNK = 10_000
Row = tuple[str | int | None, ...]


class Engine:
    """A draft with the public tables empty; a step becomes a table under its own name."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        rows = draft.query("select table_name from duckdb_tables() where schema_name = 'main' and not temporary").rows
        self._public = frozenset(name for (name,) in rows)

    def run(self, step: Step, values: Mapping[str, Value], *, into: str | None = None) -> None:
        """Rebuild the step's table (under `into`, else under its name)."""
        name = into or step.name
        if name in self._public:
            # In one order, so that a snapshot's bytes do not depend on how the work was shared out.
            self._draft.query(f"insert into {name} by name select * from ({step.executed(values)}) order by all")
        else:
            self._draft.query(f"create or replace temp table {name} as {step.executed(values)}")

    def drop(self, *names: str) -> None:
        """Forget temporary tables of an earlier run on the same draft."""
        for name in names:
            self._draft.query(f"drop table if exists temp.{name}")

    def append(self, step: Step, values: Mapping[str, Value], *, to: str) -> int:
        """Add the step's rows to a temporary table, made at the first time. Returns how many."""
        columns = ", ".join(f"cast(null as {kind}) as {name}" for name, kind in step.sql_columns)
        self._draft.query(f"create temp table if not exists {to} as select {columns} where false")
        return int(self._draft.query(f"insert into {to} by name {step.executed(values)}").scalar())

    def source(self, name: str, columns: tuple[str, ...], rows: Sequence[Row]) -> None:
        """A temporary table of given rows of text, e.g. what people decided."""
        self.empty(name, dict.fromkeys(columns, "varchar"))
        self.insert(name, columns, rows)

    def empty(self, name: str, columns: Mapping[str, str]) -> None:
        """A temporary table without rows, given as column → SQL type."""
        typed = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        self._draft.query(f"create or replace temp table {name} ({typed})")

    def insert(self, name: str, columns: tuple[str, ...], rows: Sequence[Row]) -> None:
        """Add rows to a table."""
        for start in range(0, len(rows), _CHUNK):
            part = rows[start : start + _CHUNK]
            self._draft.insert(name, {column: [row[place] for row in part] for place, column in enumerate(columns)})

    def query(self, sql: str, parameters: Mapping[str, object] | None = None) -> Table:
        """Ask the draft."""
        return self._draft.query(sql, dict(parameters or {}))

    def script(self, text: str, parameters: Mapping[str, object]) -> None:
        """Run a script of statements on the draft."""
        self._draft.run(text, dict(parameters))
