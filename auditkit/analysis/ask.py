"""`audit.sql`: query the newest snapshot in SQL, read-only; every question goes into a log.

Not here: the questions that auditkit itself asks (`auditkit/sql`), and the analyses of a table (`analyze.py`).
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from auditkit.analysis.question import Question
from auditkit.analysis.sql_log import Asked, SqlLog
from auditkit.errors import QuestionRefused
from auditkit.sql import read
from auditkit.values import did_you_mean
from auditkit.warehouse.snapshots import Snapshot

__all__ = ["Ask"]


class Ask:
    """SQL over one account's newest snapshot. Each answer is a DataFrame whose money is Decimal.

    `frame.attrs` holds the snapshot's id, the SQL and its values; what pandas derives from an answer has none of them.
    `newest` gives the snapshot to ask.
    """

    def __init__(self, newest: Callable[[], Snapshot]) -> None:
        self._newest = newest
        self._log = SqlLog()

    def __call__(self, query: str, *values: Any, **named: Any) -> pd.DataFrame:  # noqa: ANN401  any value DuckDB takes
        """Ask one question, with `?` or `$name` for values. Raises `QueryFailed` with the SQL.

        It must be one statement that only reads: SELECT, VALUES, DESCRIBE, SUMMARIZE, SHOW, PIVOT, or EXPLAIN of one of
        these. It is noted in `log`.
        """
        return self.ask(query, list(values) if values else named)

    def ask(
        self,
        query: str,
        values: list[Any] | dict[str, Any] | None = None,
        frames: Mapping[str, pd.DataFrame] | None = None,
    ) -> pd.DataFrame:
        """As a call, on the snapshot's tables and on DataFrames under the names given; `%%sql` uses it."""
        snapshot = self._newest()
        frame = snapshot.query(query, values, frames).frame()
        frame.attrs["values"] = values or {}
        frame.attrs["snapshot"] = snapshot.short_id
        self._log.note(frame, tuple(frames or ()))
        return frame

    def question(self, question: Question) -> pd.DataFrame:
        """Ask a question that was made of names a person typed."""
        return self.ask(question.sql, dict(question.values))

    def tables(self) -> pd.DataFrame:
        """Every public table of the snapshot, and what one of its rows is."""
        return self(read("queries/tables"))

    def describe(self, table: str) -> pd.DataFrame:
        """The columns of a table: name, type, meaning. Raises `QuestionRefused` for an unknown table."""
        columns = self(read("queries/columns"), name=table)
        if columns.empty:
            raise QuestionRefused(
                f"there is no table {table!r}; {did_you_mean(table, self.tables()['name'], most=100)}"
            )
        return columns

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot to ask."""
        return self._newest()

    @property
    def log(self) -> pd.DataFrame:
        """Every question of this session: number, snapshot, rows, SHA-256 of the answer as CSV, SQL and values.

        Large answers are asked for again to take their digest; it is None if another snapshot has come since.
        """
        self._log.settle(self._again)
        return self._log.frame()

    def export_log(self, path: Path | str) -> Path:
        """Write the log as a Python script that asks everything again; its path. Raises `StoreError`.

        An existing file that is not such a script is not replaced.
        """
        self._log.settle(self._again)
        return self._log.write(Path(path))

    def _again(self, asked: Asked) -> pd.DataFrame | None:
        snapshot = self._newest()
        return snapshot.query(asked.sql, asked.values).frame() if snapshot.short_id == asked.snapshot else None
