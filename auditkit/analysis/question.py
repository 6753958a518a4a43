"""A question made of names that a person typed: tables and columns are checked against the snapshot before it is asked.

Identifiers are quoted and values are bound, whatever they hold. Not here: what is asked (`stratify.py`, `age.py` …).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from auditkit.errors import QuestionRefused
from auditkit.sql import read
from auditkit.values import did_you_mean
from auditkit.warehouse.snapshots import Snapshot

__all__ = [
    "AMOUNT",
    "ANY",
    "DATE",
    "TEXT",
    "WHOLE",
    "Kind",
    "Question",
    "Source",
    "as_day",
    "as_days",
    "names_of",
    "quoted",
]

_INTEGER = r"U?(?:TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)"


@dataclass(frozen=True)
class Kind:
    """The type a question needs of a column: in words, and as a pattern for DuckDB's name of the type."""

    words: str
    pattern: str


ANY = Kind("anything", r".*")
TEXT = Kind("text", r"VARCHAR")
DATE = Kind("a DATE", r"DATE")
AMOUNT = Kind("a DECIMAL or a whole number", rf"DECIMAL\(\d+,\d+\)|{_INTEGER}")
WHOLE = Kind("text or a whole number", rf"VARCHAR|DECIMAL\(\d+,0\)|{_INTEGER}")


@dataclass(frozen=True)
class Question:
    """One SELECT, and the value of each `$name` in it."""

    sql: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Source:
    """What a question is asked of: `sql` goes after `from`, `types` has each column with its type, in order."""

    name: str
    sql: str
    types: Mapping[str, str]

    @classmethod
    def of(cls, snapshot: Snapshot, table: str) -> Self:
        """A public table or view by its name, or any SELECT, which is put in parentheses.

        Raises `QuestionRefused` for an unknown name (with the nearest one), and `QueryFailed` for a SELECT that DuckDB
        refuses.
        """
        text = table.strip().rstrip(";")
        if len(text.split()) > 1:
            name, sql = "the SELECT", f"(\n{text}\n)"
        else:
            tables = [name for (name,) in snapshot.query(read("queries/table_names")).rows]
            if text not in tables:
                raise QuestionRefused(f"there is no table {text!r}; {did_you_mean(text, tables)}")
            name, sql = text, quoted(text)
        columns = snapshot.query(f"describe select * from {sql} as source").rows
        return cls(name, sql, {column[0]: column[1] for column in columns})

    def column(self, name: str, kind: Kind = ANY) -> str:
        """The quoted name of a column that exists and is of that kind. Raises `QuestionRefused`."""
        if name not in self.types:
            raise QuestionRefused(f"{self.name} has no column {name!r}; {did_you_mean(name, self.types)}")
        if not re.fullmatch(kind.pattern, self.types[name]):
            fitting = [other for other, type_ in self.types.items() if re.fullmatch(kind.pattern, type_)]
            raise QuestionRefused(
                f"{self.name}: {name} is {self.types[name]}, but {kind.words} is needed;"
                f" there is {', '.join(fitting) or 'none'}"
            )
        return quoted(name)

    def columns(self, names: str | Iterable[str], kind: Kind = ANY) -> tuple[str, ...]:
        """As `column`, for several."""
        return tuple(self.column(name, kind) for name in names_of(names))

    def refuse(self, names: Iterable[str], own: Iterable[str]) -> None:
        """Refuse columns with the name of a column that the answer adds (names in DuckDB have no case)."""
        taken = [name for name in names if name.lower() in {each.lower() for each in own}]
        if taken:
            raise QuestionRefused(
                f"{self.name}: the answer adds a column {taken[0]}; give yours another name, in a SELECT"
            )


def names_of(names: str | Iterable[str]) -> tuple[str, ...]:
    """One name or several. Raises `QuestionRefused` for a name that occurs twice."""
    several = (names,) if isinstance(names, str) else tuple(names)
    twice = [name for name in several if several.count(name) > 1]
    if twice:
        raise QuestionRefused(f"column {twice[0]!r} occurs twice")
    return several


def quoted(name: str) -> str:
    """An identifier, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def as_day(day: date | str, what: str) -> date:
    """A calendar day, or its text such as 2026-09-30. Raises `QuestionRefused`."""
    if isinstance(day, date):
        return date(day.year, day.month, day.day)
    try:
        return date.fromisoformat(day)
    except (ValueError, TypeError):
        raise QuestionRefused(f"{what}: expected a day such as 2026-09-30, found {day!r}") from None


def as_days(days: int) -> int:
    """A number of days, 0 or more. Raises `QuestionRefused`."""
    if not isinstance(days, int) or days < 0:
        raise QuestionRefused(f"days: expected a whole number of 0 or more, found {days!r}")
    return days
