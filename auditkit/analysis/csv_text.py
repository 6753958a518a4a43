"""A DataFrame as CSV that a spreadsheet may open: exact, and no text in it becomes a formula.

Text that a spreadsheet would calculate begins with an apostrophe instead.

Not here: how a value is written (`format.py`), workpapers, and what a terminal shows.
"""

import csv
import io
from datetime import date
from decimal import Decimal

import pandas as pd

from auditkit.format import for_programs
from auditkit.values import printable

__all__ = ["csv_text", "inert"]

_ACTIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_text(frame: pd.DataFrame) -> str:
    """The whole DataFrame as CSV with a header row and line feeds at the ends of lines."""
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
    if isinstance(value, (Decimal, int, float, date)):
        return for_programs(value)
    return inert(for_programs(value))
