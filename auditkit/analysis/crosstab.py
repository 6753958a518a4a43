"""Cross-tabulate: one row for each key, one column for each value of another column (IDEA's pivot)."""

from collections.abc import Iterable

from auditkit.analysis.question import AMOUNT, Question, Source, names_of, quoted
from auditkit.errors import QuestionRefused
from auditkit.sql import filled
from auditkit.warehouse.snapshots import Snapshot

__all__ = ["MOST_COLUMNS", "crosstab"]

MOST_COLUMNS = 200


def crosstab(
    snapshot: Snapshot,
    rows: str | Iterable[str],
    columns: str,
    amount: str | None = None,
    *,
    table: str = "nrb_status",
) -> Question:
    """The sum of `amount` (without one, how many records) for each key of `rows` and each value of `columns`.

    The columns are in the order of their values, with these as headers, "(none)" for NULL; a header that occurs twice,
    or is the name of a key, gets a number. Then `total`, of the row. `level` and the last row are as in `summarize`; a
    cell without records is 0. Raises `QuestionRefused`, also for more than 200 columns.
    """
    source = Source.of(snapshot, table)
    names = names_of(rows)
    keys, across = source.columns(names), source.column(columns)
    if not keys:
        raise QuestionRefused("rows: expected one column or more")
    source.refuse(names, ["level", "total"])
    added = f"s.{source.column(amount, AMOUNT)}" if amount else "1"
    limit = str(MOST_COLUMNS + 1)
    found = snapshot.query(
        filled("queries/analysis/distinct_values", column=across, source=source.sql, most=limit)
    ).rows
    if len(found) > MOST_COLUMNS:
        raise QuestionRefused(f"{columns} has more than {MOST_COLUMNS} values, too many for columns: put it in rows")
    headers = _headers([text for _, text in found], ["level", "total", *names])
    cells = "".join(
        f",\n    coalesce(sum({added}) filter (s.{across} is not distinct from $column_{n}), 0) as {quoted(header)}"
        for n, header in enumerate(headers)
    )
    sql = filled(
        "queries/analysis/crosstab",
        first=keys[0],
        keys=", ".join(f"s.{key}" for key in keys),
        cells=cells,
        added=added,
        source=source.sql,
        sorted=", ".join(f"s.{key} nulls last" for key in keys),
    )
    return Question(sql, {f"column_{n}": value for n, (value, _) in enumerate(found)})


def _headers(texts: Iterable[str | None], taken: Iterable[str]) -> list[str]:
    """Values as names of columns: none empty, and no two equal."""
    used = set(taken)
    headers = []
    for text in texts:
        plain = "(none)" if text is None else text.replace("\0", "�") or "(empty)"
        header, number = plain, 1
        while header in used:
            number += 1
            header = f"{plain} ({number})"
        used.add(header)
        headers.append(header)
    return headers
