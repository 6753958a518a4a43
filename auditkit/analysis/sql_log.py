"""The SQL log of a session: every question that was asked of a snapshot, so that each figure can be asked for again.

Not here: asking (`Inquiry.sql`, and `%%sql` in a notebook).
"""

import datetime
import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

from auditkit.analysis.csv_text import csv_text
from auditkit.errors import StoreError
from auditkit.files import write_whole

__all__ = ["Asked", "SqlLog"]

_COLUMNS = ("number", "snapshot", "rows", "digest", "sql", "values")
_BEGIN = '"""What was asked in a session of auditkit, asked again'
_DAYS_AND_TIMES = (datetime.date, datetime.datetime, datetime.time, datetime.timedelta)
_LITERALS = (bool, int, str, bytes, float, Decimal, *_DAYS_AND_TIMES)
_SCRIPT = (
    _BEGIN
    + ''': python {name}

Each question is put to the newest snapshot of the home in the settings. "same" means the same rows, to the cent.
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
        if again["digest"] == digest:
            print(f"{{number}}: same, {{again['rows']:,}} rows")
        else:
            print(f"{{number}}: differs: it was asked of snapshot {{snapshot}}, this is {{again['snapshot']}}")
'''
)


@dataclass(frozen=True)
class Asked:
    """One question: of which snapshot, the SQL and its values, how many rows it gave, and the SHA-256 of their CSV.

    `frames` are the notebook's own DataFrames that it named: what they held is not in the log.
    """

    snapshot: str
    sql: str
    values: list[Any] | Mapping[str, Any]
    rows: int
    digest: str
    frames: tuple[str, ...] = ()


@dataclass
class SqlLog:
    """The questions of one session, in their order. The digest is that of `auditkit sql --csv … | sha256sum`."""

    asked: list[Asked] = field(default_factory=list)

    def note(self, frame: pd.DataFrame, frames: tuple[str, ...] = ()) -> None:
        """Take up a question by its answer, which holds the SQL, the values and the snapshot in `attrs`."""
        said = frame.attrs
        digest = hashlib.sha256(csv_text(frame).encode("utf-8", "surrogatepass")).hexdigest()
        self.asked.append(Asked(said["snapshot"], said["sql"], said["values"], len(frame), digest, frames))

    def frame(self) -> pd.DataFrame:
        """One row a question: number, snapshot, rows, digest, sql, values."""
        rows = [
            (number, each.snapshot, each.rows, each.digest, each.sql, each.values)
            for number, each in enumerate(self.asked, start=1)
        ]
        return pd.DataFrame(rows, columns=list(_COLUMNS), dtype=object)

    def script(self, name: str) -> str:
        """A Python script that asks every question again and says which answers are the same.

        A question that named a DataFrame of the notebook, or took a value that a script cannot make, cannot be asked
        again without it: it stands as a comment.
        """
        lines = [f"    {_entry(number, each)}\n" for number, each in enumerate(self.asked, start=1)]
        return _SCRIPT.format(name=name, asked="".join(lines))

    def write(self, path: Path) -> Path:
        """Write the script, for its owner alone; its path. Raises `StoreError`, also where another file is there."""
        try:
            if path.exists() and not path.read_text("utf-8", errors="replace").startswith(_BEGIN):
                raise StoreError(f"{path}: is there already and is no SQL log; choose another name")
            write_whole(path, self.script(path.name))
        except OSError as error:
            raise StoreError(f"{path}: cannot be written ({error.strerror})") from None
        return path


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
    """A value as the script writes it. Raises `ValueError`, with what it is, for one that no script can make."""
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
