"""A DataFrame as HTML: readable money, the snapshot below it, and the SQL behind it one click away.

Text from a vendor is hostile: everything is escaped, and what a screen would act upon is replaced.

Not here: what is shown (the notebooks), charts (charts), CSV (tabular).
"""

import html
from datetime import date, datetime
from decimal import Decimal

import pandas as pd

from auditkit.values import printable
from auditkit.warehouse.tables import sql_of

__all__ = ["MOST_ROWS", "html_table"]

MOST_ROWS = 60
_SHOWN_OF_MORE = 30
_MEASURES = (int, float, Decimal, date)
_LEFT = ' class="text" style="text-align: left"'  # a notebook aligns cells right, and a report reads the class


def html_table(frame: pd.DataFrame) -> str:
    """The rows as a table, at most 60, with a line that says how many there are and of which snapshot.

    Of more rows the first 30 are shown, and the line says so. `frame.attrs` gives snapshot and SQL, where it has them.
    """
    shown = frame if len(frame) <= MOST_ROWS else frame.head(_SHOWN_OF_MORE)
    marks = ["" if _is_measure(frame.iloc[:, place]) else _LEFT for place in range(frame.shape[1])]
    head = "".join(f"<th{mark}>{_escaped(name)}</th>" for name, mark in zip(frame.columns, marks, strict=True))
    rows = (
        "".join(f"<td{mark}>{_cell(value)}</td>" for value, mark in zip(row, marks, strict=True))
        for row in shown.itertuples(index=False, name=None)
    )
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n{_foot(frame, len(shown))}"


def _foot(frame: pd.DataFrame, shown: int) -> str:
    rows = "1 row" if len(frame) == 1 else f"{len(frame):,} rows"
    cut = f", the first {shown} are shown" if shown < len(frame) else ""
    snapshot = f" · snapshot {_escaped(frame.attrs['snapshot'])}" if "snapshot" in frame.attrs else ""
    sql = sql_of(frame)
    asked = f"\n<details><summary>SQL</summary><pre>{_escaped(sql)}</pre></details>" if sql else ""
    return f"<p>{rows}{cut}{snapshot}</p>{asked}"


def _is_measure(column: pd.Series) -> bool:
    """Whether it holds numbers or days: they stand right, and are not broken."""
    values = [value for value in column if value is not None]
    return bool(values) and not any(isinstance(value, bool) or not isinstance(value, _MEASURES) for value in values)


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case Decimal() | int():
            return f"{value:,}"
        case datetime():
            return value.isoformat(sep=" ", timespec="minutes")
    return _escaped(value)


def _escaped(value: object) -> str:
    return html.escape(printable(str(value)))
