"""Summarize: one row for each key (ACL's SUMMARIZE)."""

from collections.abc import Iterable

from auditkit.analysis.question import AMOUNT, Question, Source, names_of, quoted
from auditkit.errors import QuestionRefused
from auditkit.sql import filled
from auditkit.warehouse.snapshots import Snapshot

__all__ = ["summarize"]


def summarize(
    snapshot: Snapshot, by: str | Iterable[str], amount: str | Iterable[str] = "total", *, table: str = "nrb_status"
) -> Question:
    """How many records each key has, and the sum, least and greatest of each amount.

    Keys that are written differently are different; NULL is a key of its own, and adds nothing as an amount. Rows:
    `level` ("key", or "total" for the last row, whose keys are NULL), the keys, count, and sum_…, min_…, max_… for each
    amount. Raises `QuestionRefused`.
    """
    source = Source.of(snapshot, table)
    names, amounts = names_of(by), names_of(amount)
    keys = source.columns(names)
    if not keys:
        raise QuestionRefused("by: expected one column or more")
    parts = [f"{part}_{name}" for name in amounts for part in ("sum", "min", "max")]
    source.refuse(names, ["level", "count", *parts])
    figures = "".join(
        f",\n    coalesce(sum(s.{column}), 0) as {quoted(f'sum_{name}')}"
        f", min(s.{column}) as {quoted(f'min_{name}')}, max(s.{column}) as {quoted(f'max_{name}')}"
        for name, column in zip(amounts, source.columns(amounts, AMOUNT), strict=True)
    )
    sql = filled(
        "queries/analysis/summarize",
        first=keys[0],
        keys=", ".join(f"s.{key}" for key in keys),
        figures=figures,
        source=source.sql,
        sorted=", ".join(f"s.{key} nulls last" for key in keys),
    )
    return Question(sql, {})
