"""What the commands print: tables and lines for people, JSON and CSV for programs, errors of one line.

Text from a vendor is hostile: characters that a terminal would act upon are replaced.

Not here: what is printed (the commands).
"""

import json
import math
import sys
from collections.abc import Sequence
from contextvars import ContextVar
from decimal import Decimal
from io import TextIOWrapper
from typing import Any, NoReturn

import pandas as pd
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from auditkit.format import for_people
from auditkit.values import printable
from auditkit.warehouse.answer import sql_of

__all__ = ["COULD_NOT_LOOK", "fail", "plain", "print_csv", "print_json", "records", "say", "show", "warn", "with_sql"]

COULD_NOT_LOOK = 2
MAX_ROWS = 50
with_sql = ContextVar("with_sql", default=False)  # whether each table is followed by the SQL that gave it


def show(
    frame: pd.DataFrame,
    title: str,
    most: int | None = MAX_ROWS,
    note: str = "",
    *,
    answer: pd.DataFrame | None = None,
    columns: Sequence[str] | None = None,
) -> None:
    """A DataFrame as a table below a title and a note; at most 50 rows, or all with `most` None.

    `answer` is what the frame was taken from, by default itself: with `--sql`, its SQL follows. `columns` are those to
    show, by default all. Rows that a column `is_subtotal` marks are bold.
    """
    say(f"\n{plain(title)}")
    if note:
        say(plain(note))
    table = Table(show_edge=False)
    names = list(frame.columns if columns is None else columns)
    for name in names:
        held = [value for value in frame[name] if value is not None]
        is_number = bool(held) and all(isinstance(each, (int, Decimal)) and not isinstance(each, bool) for each in held)
        table.add_column(Text(plain(str(name))), justify="right" if is_number else "left", overflow="fold")
    rows = frame if most is None else frame.head(most)
    styles = ["bold" if each is True else None for each in rows.get("is_subtotal", [False] * len(rows))]
    for row, style in zip(rows[names].itertuples(index=False, name=None), styles, strict=True):
        table.add_row(*(Text(plain(for_people(value))) for value in row), style=style)
    Console(width=None if sys.stdout.isatty() else 200).print(table)
    if len(rows) < len(frame):
        say(f"… and {len(frame) - len(rows):,} more: use --json or auditkit sql to see all")
    if with_sql.get() and (sql := sql_of(frame if answer is None else answer)):
        say(f"\n{sql}")


def plain(text: str) -> str:
    """Text from a vendor on one line, without characters that a terminal would act upon."""
    return printable(text.replace("\n", "\r"))


def say(line: str) -> None:
    """Print lines on standard output, without characters that a terminal would act upon."""
    typer.echo(printable(line))


def print_csv(text: str) -> None:
    """CSV for programs, in UTF-8 whatever the terminal's encoding is, so that no character is lost."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "surrogatepass"))
    else:
        sys.stdout.write(text)


def print_json(value: object) -> None:
    """JSON for programs: ASCII, money as text."""
    typer.echo(json.dumps(_finite(value), default=str, ensure_ascii=True, indent=1, allow_nan=False))


def _finite(value: Any) -> Any:  # noqa: ANN401  whatever is printed
    """JSON has no Infinity and no NaN: they become text."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a DataFrame as dicts."""
    return [dict(zip(frame.columns, row, strict=True)) for row in frame.itertuples(index=False)]


def warn(line: str) -> None:
    """One line on standard error."""
    typer.echo(f"auditkit: {plain(line)}", err=True)


def fail(line: str) -> NoReturn:
    """One line on standard error, and exit code 2."""
    warn(line)
    raise SystemExit(COULD_NOT_LOOK)
