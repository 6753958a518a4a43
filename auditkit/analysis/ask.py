"""`audit.sql`: ask the newest snapshot anything in SQL, read-only; every question goes into a log.

Not here: the questions that auditkit asks itself (`auditkit/sql`), and the analyses made of a table (`analyze.py`).
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from auditkit.analysis.question import Question
from auditkit.analysis.sql_log import SqlLog
from auditkit.checks import views
from auditkit.errors import QuestionRefused
from auditkit.values import did_you_mean
from auditkit.warehouse.snapshots import Snapshot

__all__ = ["Ask"]


class Ask:
    """SQL over one account's newest snapshot. Each answer is a DataFrame whose money is Decimal.

    `frame.attrs` holds the snapshot's id, the SQL and its values. `newest` gives the snapshot that is asked.
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
        """As a call, of the snapshot's tables and of DataFrames under the names given (what `%%sql` calls)."""
        snapshot = self._newest()
        frame = snapshot.query(query, values, frames).frame()
        frame.attrs["values"] = values or {}
        frame.attrs["snapshot"] = snapshot.short_id
        self._log.note(frame, tuple(frames or ()))
        return frame

    def question(self, question: Question) -> pd.DataFrame:
        """Ask a question that was made of names that a person typed."""
        return self.ask(question.sql, dict(question.values))

    def tables(self) -> pd.DataFrame:
        """Every public table of the snapshot, and what one of its rows is."""
        return self(views.TABLES)

    def describe(self, table: str) -> pd.DataFrame:
        """The columns of a table: name, type, meaning. Raises `QuestionRefused` for an unknown table."""
        columns = self(views.COLUMNS, name=table)
        if columns.empty:
            raise QuestionRefused(
                f"there is no table {table!r}; {did_you_mean(table, self.tables()['name'], most=100)}"
            )
        return columns

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot that is asked."""
        return self._newest()

    @property
    def log(self) -> pd.DataFrame:
        """Every question of this session: number, snapshot, rows, SHA-256 of the answer as CSV, SQL and values."""
        return self._log.frame()

    def export_log(self, path: Path | str) -> Path:
        """Write the log as a Python script that asks everything again; its path. Raises `StoreError`.

        An existing file that is not such a script is not replaced.
        """
        return self._log.write(Path(path))
