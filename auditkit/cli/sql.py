"""`sql`: one question, or a prompt with history.

Not here: what a question may be (`analysis/ask.py`).
"""

import contextlib
import re
import readline
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from auditkit.analysis.csv_text import csv_text
from auditkit.audit import Audit
from auditkit.cli.common import Json, opened, titled
from auditkit.errors import AuditkitError, QueryFailed, QuestionRefused
from auditkit.papers.terminal import fail, print_csv, print_json, records, say, show, warn

__all__ = ["app"]

app = typer.Typer()

_HISTORY_LINES = 1000
_HELP = "End a question with ; · .tables · .describe TABLE · .log FILE (a script that asks everything again) · .quit"
_LEAVE = (".quit", ".exit", "quit", "exit")
_ENDS = re.compile(r";\s*$")


@app.command()
def sql(
    query: Annotated[
        str | None, typer.Argument(help="One statement; without it, a prompt or what is piped in.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV in UTF-8; no text in it becomes a formula.")] = False,
    as_json: Json = False,
    xlsx: Annotated[Path | None, typer.Option(help="Write an Excel file with this name instead.")] = None,
) -> None:
    """Query the snapshot in SQL, read-only.

    For example: auditkit sql "select verdict, count(*) from job_reconciliation group by verdict"
    """
    if as_csv + as_json + (xlsx is not None) > 1:
        fail("--csv, --json and --xlsx are three forms of the answer; choose one")
    with opened() as audit:
        if query is None and sys.stdin.isatty():
            _prompt(audit)
            return
        frame = audit.sql(sys.stdin.read() if query is None else query)
        if as_json:
            print_json(records(frame))
        elif as_csv:
            print_csv(csv_text(frame))
        elif xlsx:
            say(f"Written: {audit.to_excel(frame, xlsx)}")
        else:
            _show(audit, frame)


def _show(audit: Audit, frame: pd.DataFrame) -> None:
    show(frame, titled(audit, f"{len(frame):,} rows"), most=None)


def _prompt(audit: Audit) -> None:
    """Answer questions until the end of input. An error is printed, and the prompt comes back."""
    say(f"{audit.title}\n{_HELP}")
    with _history(audit.settings.folder / "sql_history"), contextlib.suppress(EOFError):
        while (line := _question()) not in _LEAVE:
            try:
                _answer(audit, line)
            except (AuditkitError, QueryFailed) as error:
                warn(str(error))


def _question() -> str:
    """Lines up to a semicolon at the end of one; a line that begins with a dot is complete. Ctrl-C starts over."""
    lines: list[str] = []
    while True:
        try:
            lines.append(input("   …> " if lines else "sql> "))
        except KeyboardInterrupt:
            say("")
            lines = []
            continue
        if lines[-1].strip() in _LEAVE:
            return lines[-1].strip()
        text = "\n".join(lines).strip()
        if not text:
            lines = []
        elif text.startswith(".") or _ENDS.search(text):
            return text


def _answer(audit: Audit, line: str) -> None:
    match line.split(maxsplit=1):
        case [".tables"]:
            show(audit.sql.tables(), titled(audit, "Tables"), most=None)
        case [".describe", table]:
            show(audit.sql.describe(table.strip("; ")), titled(audit, table), most=None)
        case [".log", path]:
            say(f"Written: {audit.sql.export_log(Path(path).expanduser())}")
        case [".describe" | ".log" as word]:
            raise QuestionRefused(f"{word}: a name is missing; {_HELP}")
        case [".help"]:
            say(_HELP)
        case [word, *_] if word.startswith("."):
            raise QuestionRefused(f"{word}: unknown command; {_HELP}")
        case _:
            _show(audit, audit.sql(line))


@contextlib.contextmanager
def _history(path: Path) -> Iterator[None]:
    """Lines of earlier prompts, for the arrow keys: kept in the home, readable by its owner alone."""
    with contextlib.suppress(OSError):
        path.touch(0o600)
        readline.read_history_file(path)
    try:
        yield
    finally:
        readline.set_history_length(_HISTORY_LINES)
        with contextlib.suppress(OSError):
            readline.write_history_file(path)
            path.chmod(0o600)
