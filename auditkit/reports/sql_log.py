"""The SQL log of a session: every question that was asked of a snapshot, so that each figure can be asked for again.

Not here: asking (`Inquiry.sql`, and `%%sql` in a notebook).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from auditkit.reports.tabular import csv_text

__all__ = ["Asked", "SqlLog"]

_COLUMNS = ("number", "snapshot", "rows", "digest", "sql", "values")
_SCRIPT = '''"""What was asked in a session of auditkit, asked again: python {name}

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
        again = audit.sql_log.iloc[-1]
        if again["digest"] == digest:
            print(f"{{number}}: same, {{again['rows']:,}} rows")
        else:
            print(f"{{number}}: differs: it was asked of snapshot {{snapshot}}, this is {{again['snapshot']}}")
'''


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

        A question that named a DataFrame of the notebook cannot be asked again without it: it stands as a comment.
        """
        lines = []
        for number, each in enumerate(self.asked, start=1):
            values = each.values if isinstance(each.values, list) else dict(each.values)
            entry = f"({number}, {each.snapshot!r}, {each.sql!r}, {values!r}, {each.digest!r}),"
            lines.append(
                f"    # needs the DataFrame {', '.join(each.frames)}: {entry}" if each.frames else f"    {entry}"
            )
        return _SCRIPT.format(name=name, asked="".join(f"{line}\n" for line in lines))
