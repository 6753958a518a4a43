"""What several commands share: options, the audit they open, the title of what they show, and exit codes.

Not here: any command.
"""

import contextlib
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal

import typer

from auditkit.audit import Audit, open_audit
from auditkit.checks.rules import SEVERITIES
from auditkit.errors import JournalError
from auditkit.papers.terminal import COULD_NOT_LOOK, fail, say, warn

__all__ = ["CLEAN", "FINDINGS", "UNKNOWN", "AsOf", "FailOn", "Json", "exit_code", "opened", "report", "titled"]

CLEAN, FINDINGS, UNKNOWN = 0, 1, 3

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs; money as text.")]
FailOn = Annotated[
    Literal["high", "medium", "low"] | None,
    typer.Option(help="Exit 1 if there are findings of this severity or above."),
]
AsOf = Annotated[str | None, typer.Option(help="The day to look from, YYYY-MM-DD (default: the setting, else today).")]


def titled(audit: Audit, title: str) -> str:
    """A title with what every figure owes its reader."""
    return f"{title} · {audit.title}"


def exit_code(audit: Audit, fail_on: str | None) -> int:
    """0 clean or nobody asked, 1 findings at or above `fail_on`, 2 could not see everything."""
    if audit.about["verdict"] == "incomplete":
        return COULD_NOT_LOOK
    if fail_on is None:
        return CLEAN
    counted = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    return FINDINGS if any(severity in counted for severity in audit.findings(state="open")["severity"]) else CLEAN


def report(
    audit: Audit, notebook: str = "01_month_end", *, period: str | None = None, since: int | None = None
) -> None:
    """Write the report of a notebook and say where, if the packages for it are there."""
    try:
        path = audit.report(notebook, period=period, since=since)
    except ImportError as error:
        fail(f"reports need more packages ({error.name}); pip install 'auditkit[notebooks]'")
    say(f"\nReport: {path}")


def _warn_of_unknown_outcomes(audit: Audit) -> None:
    """At every start: the corrections whose outcome is not known. What cannot be read harms nobody who only looks."""
    if not audit.settings.folder.is_dir():
        return
    try:
        unsettled = audit.corrections.unsettled()
    except JournalError as error:
        warn(str(error))
    except OSError:
        return  # the home cannot be read at all, which each command says in its own words
    else:
        for each in unsettled.itertuples():
            warn(f"{each.operation}: how it ended is not known ({each.verdict}); run `auditkit recover`")


@contextlib.contextmanager
def opened(*, as_of: str | None = None, is_demo: bool = False, vendor_rate: bool = False) -> Iterator[Audit]:
    """The audit of the settings; what is wrong with `--as-of` is one line, and Ctrl-C too."""
    try:
        day = date.fromisoformat(as_of) if as_of else None
    except ValueError:
        fail(f"--as-of {as_of!r} is not a day; write it as YYYY-MM-DD")
    with open_audit(as_of=day, is_demo=is_demo, vendor_rate=vendor_rate) as audit:
        if day and day > audit.today:
            warn(f"--as-of {day} lies after today, {audit.today}: ages count days that have not been yet")
        _warn_of_unknown_outcomes(audit)
        try:
            yield audit
        except KeyboardInterrupt:
            if not audit.corrections.unsettled().empty:
                warn("stopped within a correction; run `auditkit recover` to find out how it ended")
                raise SystemExit(UNKNOWN) from None
            fail("stopped; what was fetched stays in the cache, and the published snapshot is unchanged")
