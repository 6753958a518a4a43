"""Gaps: missing numbers in a sequence (ACL's GAPS)."""

from auditkit.analysis.question import WHOLE, Question, Source
from auditkit.errors import QuestionRefused
from auditkit.sql import filled
from auditkit.warehouse.snapshots import Snapshot

__all__ = ["gaps"]


def gaps(snapshot: Snapshot, column: str = "number", *, prefix: str | None = None, table: str = "invoice") -> Question:
    """The numbers that are missing in each series, as ranges.

    In text the number is the digits at the end, at most 37 without leading zeros, and the series is the text before
    them, trimmed and case-folded: INV-0009 and inv-10 are neighbors. With `prefix`, only text that begins with it
    (ignoring case) and continues in digits alone: the series 2026 of 20260001. A column of numbers is one series. NULL,
    and text without digits at its end, is in no series; a number that occurs twice counts once.

    Rows: series, first_missing, last_missing, missing (how many), before and after (the neighbors as written), sorted
    by series and number. Raises `QuestionRefused`.
    """
    source = Source.of(snapshot, table)
    name = source.column(column, WHOLE)
    is_text = source.types[column] == "VARCHAR"
    if prefix is not None and not is_text:
        raise QuestionRefused(f"prefix is for text, and {column} is {source.types[column]}")
    if not is_text:
        series, number = "''", f"cast(s.{name} as hugeint)"
    elif prefix is None:
        digits = f"regexp_extract(folded(s.{name}), '[0-9]+$')"
        series, number = f"regexp_replace(folded(s.{name}), '[0-9]+$', '')", f"try_cast({digits} as hugeint)"
    else:
        rest = f"substr(folded(s.{name}), length($prefix) + 1)"
        series = f"case when starts_with(folded(s.{name}), $prefix) then $prefix end"
        number = f"case when regexp_full_match({rest}, '[0-9]+') then try_cast({rest} as hugeint) end"
    sql = filled("queries/analysis/gaps", column=name, series=series, number=number, source=source.sql)
    return Question(sql, {} if prefix is None else {"prefix": prefix.lower()})
