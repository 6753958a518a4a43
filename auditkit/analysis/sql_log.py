"""The SQL log of a session: every question that was asked of a snapshot, so that each figure can be asked for again.

Not here: asking (`ask.py`, and `%%sql` in a notebook).
"""

import datetime
import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

from auditkit.analysis.csv_text import csv_text
from auditkit.errors import StoreError
from auditkit.files import write_whole

__all__ = ["Asked", "SqlLog"]

_COLUMNS = ("number", "snapshot", "rows", "digest", "sql", "values")
_AT_ONCE = 1000  # rows, whose digest takes some milliseconds; CSV of 300,000 takes more than a second
_BEGIN = '"""What was asked in a session of auditkit, asked again'
_DAYS_AND_TIMES = (datetime.date, datetime.datetime, datetime.time, datetime.timedelta)
_LITERALS = (bool, int, str, bytes, float, Decimal, *_DAYS_AND_TIMES)
_SCRIPT = (
    _BEGIN
    + ''': python {name}

Each question is asked of the newest snapshot of the home in the settings. "same" means the same rows, to the cent.
"""

import datetime
from decimal import Decimal

import auditkit as ak

ASKED = [
{asked}]

with ak.open() as audit:
    print(audit.title)
    for number, snapshot, sql, values, digest in ASKED:
        audit.sql(sql, *values) if isinstance(values, list) else audit.sql(sql, **values)
        again = audit.sql.log.iloc[-1]
        if digest is None:
            print(f"{{number}}: {{again['rows']:,}} rows, not compared: the log has no digest of the answer")
        elif again["digest"] == digest:
            print(f"{{number}}: same, {{again['rows']:,}} rows")
        else:
            print(f"{{number}}: differs: it was asked of snapshot {{snapshot}}, this is {{again['snapshot']}}")
'''
)


@dataclass(frozen=True)
class Asked:
    """One question: of which snapshot, the SQL and its values, and the number of rows of the answer.

    `digest` is the SHA-256 of the answer as CSV, None if it was not taken. `frames` are the notebook's own DataFrames
    that the SQL named: what they held is not in the log.
    """

    snapshot: str
    sql: str
    values: list[Any] | dict[str, Any]
    rows: int
    digest: str | None = None
    frames: tuple[str, ...] = ()


@dataclass
class SqlLog:
    """The questions of one session, in order. A digest is that of `auditkit sql --csv … | sha256sum`.

    No answer is kept. The digest of a small one is taken at once; that of more than 1,000 rows when the log is read, by
    asking the same question again, which `settle` does. A question that named DataFrames cannot be asked again, so its
    digest is taken at once.
    """

    asked: list[Asked] = field(default_factory=list)

    def note(self, frame: pd.DataFrame, frames: tuple[str, ...] = ()) -> None:
        """Log a question by its answer, whose `attrs` hold the SQL, the values and the snapshot."""
        where = frame.attrs
        digest = _digest(frame) if len(frame) <= _AT_ONCE or frames else None
        self.asked.append(Asked(where["snapshot"], where["sql"], where["values"], len(frame), digest, frames))

    def settle(self, again: Callable[[Asked], pd.DataFrame | None]) -> None:
        """Take the digests that are missing, from answers that `again` gives; None if it cannot."""
        for place, each in enumerate(self.asked):
            if each.digest is None and (frame := again(each)) is not None:
                self.asked[place] = replace(each, digest=_digest(frame))

    def frame(self) -> pd.DataFrame:
        """One row for each question: number, snapshot, rows, digest, sql, values."""
        rows = [
            (number, each.snapshot, each.rows, each.digest, each.sql, each.values)
            for number, each in enumerate(self.asked, start=1)
        ]
        return pd.DataFrame(rows, columns=list(_COLUMNS), dtype=object)

    def script(self, name: str) -> str:
        """A Python script that asks every question again and says which answers are the same.

        A question that named a DataFrame of the notebook, or took a value that a script cannot write, is a comment.
        """
        lines = [f"    {_entry(number, each)}\n" for number, each in enumerate(self.asked, start=1)]
        return _SCRIPT.format(name=name, asked="".join(lines))

    def write(self, path: Path) -> Path:
        """Write the script, readable by its owner alone; its path. Raises `StoreError`, also if another file exists."""
        try:
            if path.exists() and not path.read_text("utf-8", errors="replace").startswith(_BEGIN):
                raise StoreError(f"{path}: exists and is not an SQL log; choose another name")
            write_whole(path, self.script(path.name))
        except OSError as error:
            raise StoreError(f"{path}: cannot be written ({error.strerror})") from None
        return path


def _digest(frame: pd.DataFrame) -> str:
    return hashlib.sha256(csv_text(frame).encode("utf-8", "surrogatepass")).hexdigest()


def _entry(number: int, asked: Asked) -> str:
    """One question as a line of the script."""
    needs = f"the DataFrame {', '.join(asked.frames)}" if asked.frames else ""
    try:
        values = _literal(asked.values)
    except ValueError as error:
        needs, values = str(error), "…"
    entry = f"({number}, {asked.snapshot!r}, {asked.sql!r}, {values}, {asked.digest!r}),"
    return f"# needs {needs}: {entry}" if needs else entry


def _literal(value: Any) -> str:  # noqa: ANN401  whatever was asked with
    """A value as the script writes it. Raises `ValueError`, with its type, for one that no script can write."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name!r}: {_literal(each)}" for name, each in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_literal, value)) + "]"
    if type(value) is float and not math.isfinite(value):
        return f'float("{value}")'  # Infinity and NaN have no literal
    if type(value) is datetime.datetime and value.tzinfo:
        return repr(value.astimezone(datetime.UTC))
    if value is None or type(value) in _LITERALS:
        return repr(value)
    raise ValueError(f"a value of the type {type(value).__name__}")
