"""A DataFrame as CSV that a spreadsheet may open: exact, and no text in it is taken for a formula.

Money and numbers stand as they are, days and instants in ISO 8601, nothing as an empty cell, lists and objects as JSON.
Text that a spreadsheet would calculate begins with an apostrophe instead.

Not here: working papers (workpaper), and what a terminal shows (terminal).
"""

import csv
import io
import json
from datetime import date, datetime
from decimal import Decimal

import pandas as pd

from auditkit.values import printable

__all__ = ["csv_text", "inert"]

_ACTIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_text(frame: pd.DataFrame) -> str:
    """The whole DataFrame as CSV with a header row, lines ended by a line feed."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([inert(str(name)) for name in frame.columns])
    writer.writerows([_cell(value) for value in row] for row in frame.itertuples(index=False, name=None))
    return text.getvalue()


def inert(text: str) -> str:
    """Text that no spreadsheet calculates and no terminal acts upon."""
    shown = printable(text)
    return f"'{shown}" if text.lstrip(" ").startswith(_ACTIVE) else shown


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Decimal():
            return format(value, "f")
        case datetime() | date():
            return value.isoformat()
        case int() | float():
            return str(value)
        case list() | dict() | tuple():
            return inert(json.dumps(value, default=str, ensure_ascii=False))
    return inert(str(value))
