"""The result of a statement, and the running of a script of statements.

A `Table` is rows as DuckDB fetched them: DECIMAL as Decimal (never a float), with the SQL they came from.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import duckdb

from auditkit.errors import QueryFailed
from auditkit.warehouse.answer import Answer

# DuckDB raises these when the disk is full or broken; the statement is not at fault. A draft has one writer and one
# transaction, so a transaction that cannot be committed is one that could not be written.
DISK_ERRORS = (duckdb.IOException, duckdb.FatalException, duckdb.OutOfMemoryException, duckdb.TransactionException)

__all__ = ["DISK_ERRORS", "Table", "run_script", "statement_error"]


@dataclass(frozen=True)
class Table:
    """The whole result of one statement."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    sql: str

    @classmethod
    def fetched(cls, cursor: duckdb.DuckDBPyConnection, sql: str) -> Self:
        """Fetch every row. A statement without a result gives an empty table without columns."""
        return cls(tuple(column[0] for column in cursor.description or ()), cursor.fetchall(), sql)

    def frame(self) -> Answer:
        """A DataFrame with the Decimals kept as objects; `frame.attrs["sql"]` is the SQL it came from."""
        return Answer(self.rows, self.columns, sql=self.sql)

    def records(self) -> list[dict[str, Any]]:
        """The rows as dicts by column name."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def column(self) -> list[Any]:
        """The values of the first column."""
        return [row[0] for row in self.rows]

    def scalar(self) -> Any:  # noqa: ANN401  any type that a column can have
        """The only value of a table with one row and one column. Raises `ValueError` for any other shape."""
        ((value,),) = self.rows
        return value


@contextlib.contextmanager
def statement_error(sql: str, passed: tuple[type[duckdb.Error], ...] = ()) -> Iterator[None]:
    """Turn DuckDB's errors into `QueryFailed` with the first line of the message and the whole SQL.

    Errors of the types in `passed` are raised unchanged.
    """
    if not sql.strip():
        raise QueryFailed("the SQL failed: there is no statement in it", sql)
    try:
        yield
    except passed:
        raise
    except duckdb.Error as error:
        message = str(error).split("\n\nLINE")[0].replace("\n", " ")
        raise QueryFailed(f"the SQL failed: {message}", sql) from None


def run_script(connection: duckdb.DuckDBPyConnection, script: str, parameters: Mapping[str, Any]) -> None:
    """Run the statements of a script in order. Each gets only the named parameters that it uses."""
    with statement_error(script):
        statements = connection.extract_statements(script)
    for statement in statements:
        with statement_error(statement.query, DISK_ERRORS):
            used = {name: parameters[name] for name in statement.named_parameters}
            connection.execute(statement, used or None)
