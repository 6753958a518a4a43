"""A DataFrame as HTML: readable money, the snapshot below it, and the SQL behind it one click away.

Text from a vendor is hostile: everything is escaped, and characters that a screen would act upon are replaced.

Not here: what is shown (the notebooks), charts (`charts.py`), CSV (`analysis/csv_text.py`).
"""

import html
import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from auditkit.format import for_people
from auditkit.values import printable
from auditkit.warehouse.answer import provenance_of, sql_of

__all__ = ["MOST_ROWS", "TableView", "html_table", "table"]

MOST_ROWS = 60
_SHOWN_OF_MORE = 30
_SUBTOTAL = ' class="subtotal" style="font-weight: bold"'
_LEFT = ' class="text" style="text-align: left"'  # a notebook aligns cells right, and a report reads the class


@dataclass(frozen=True)
class TableView:
    """What `table` returns: a DataFrame, or a part of one, to look at in a notebook."""

    frame: pd.DataFrame
    columns: Sequence[str] | None
    most: int | None

    def __repr__(self) -> str:
        shown = self.frame if self.columns is None else self.frame[list(self.columns)]
        return printable(repr(shown if self.most is None else shown.head(self.most)))

    def _repr_html_(self) -> str:
        return html_table(self.frame, self.columns, self.most)


def table(frame: pd.DataFrame, columns: Sequence[str] | None = None, *, most: int | None = None) -> TableView:
    """A table to look at in a notebook: readable money, and for an answer the snapshot and the SQL below it.

    `columns` are those to show, by default all; `most` is the number of rows, by default all of at most 60, else 30.
    Labels of the index are shown, plain row numbers are not. Rows that a column `is_subtotal` marks are bold, even
    where that column is not shown.
    """
    return TableView(frame, columns, most)


def html_table(frame: pd.DataFrame, columns: Sequence[str] | None = None, most: int | None = None) -> str:
    """As `table`, as HTML. A line below says how many rows there are and, for an answer, of which snapshot."""
    limit = most if most is not None else MOST_ROWS if len(frame) <= MOST_ROWS else _SHOWN_OF_MORE
    shown = _with_labels(frame if columns is None else frame[list(columns)]).head(limit)
    marks = ["" if _is_measure(shown.iloc[:, place]) else _LEFT for place in range(shown.shape[1])]
    head = "".join(f"<th{mark}>{_escaped(str(name))}</th>" for name, mark in zip(shown.columns, marks, strict=True))
    rows = (
        "".join(f"<td{mark}>{_escaped(for_people(value))}</td>" for value, mark in zip(row, marks, strict=True))
        for row in shown.itertuples(index=False, name=None)
    )
    subtotals = frame.head(limit).get("is_subtotal", [False] * len(shown))
    body = "\n".join(
        f"<tr{_SUBTOTAL if each is True else ''}>{row}</tr>" for row, each in zip(rows, subtotals, strict=True)
    )
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n{_foot(frame, len(shown))}"


def _with_labels(frame: pd.DataFrame) -> pd.DataFrame:
    """The labels of the index as columns; row numbers are none."""
    index = frame.index
    if index.nlevels == 1 and index.name is None and pd.api.types.is_integer_dtype(index):
        return frame
    labels = index.to_frame(index=False)
    labels.columns = pd.Index([name or "" for name in index.names])
    return pd.concat([labels, frame.reset_index(drop=True)], axis=1)


def _foot(frame: pd.DataFrame, shown: int) -> str:
    rows = "1 row" if len(frame) == 1 else f"{len(frame):,} rows"
    cut = f", the first {shown} are shown" if shown < len(frame) else ""
    provenance = provenance_of(frame)
    snapshot = f" · snapshot {_escaped(provenance['snapshot'])}" if "snapshot" in provenance else ""
    sql = sql_of(frame)
    details = f"\n<details><summary>SQL</summary><pre>{_escaped(sql)}</pre></details>" if sql else ""
    return f"<p>{rows}{cut}{snapshot}</p>{details}"


def _is_measure(column: pd.Series) -> bool:
    """Whether it holds numbers or dates: these are aligned right, and not wrapped."""
    values = [value for value in column if value is not None]
    return bool(values) and all(
        isinstance(value, (numbers.Number, date)) and not isinstance(value, bool) for value in values
    )


def _escaped(text: str) -> str:
    return html.escape(printable(text))
