"""The journal of decisions and corrections: `journal verify`."""

from pathlib import Path
from typing import Annotated

import typer

from auditkit.journal_verify import verify as verify_journal
from auditkit.papers.terminal import fail, say, warn
from auditkit.settings import Settings

__all__ = ["app"]

app = typer.Typer(help="The journal of decisions and corrections.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """The journal of decisions and corrections."""


@app.command()
def verify(
    path: Annotated[
        Path | None,
        typer.Argument(help="Another journal, e.g. a copy, with its .anchor beside it, under the same name."),
    ] = None,
) -> None:
    """Read the journal from its first line to its last.

    Prints every line that was changed, removed, moved, repeated or cut off, and then exits with code 2.
    """
    chosen = path or Settings.load().folder / "journal.jsonl"
    if path and not path.is_file():
        fail(f"{path}: no such file")
    found = verify_journal(chosen)
    for note in (*found.problems, *found.notes):
        warn(f"{chosen}: {note}")
    if not found.is_whole:
        problems = f"{len(found.problems)} problem{'s' * (len(found.problems) != 1)}"
        fail(f"{chosen}: {problems}; restore it from a copy that verifies")
    if not chosen.exists():
        say(f"{chosen}: is missing, and so is its anchor: nothing was decided or corrected here yet")
    else:
        say(f"{chosen}: {found.count:,} record{'s' * (found.count != 1)}, whole; the last is {found.head}")
