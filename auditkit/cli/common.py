"""What several commands share: options, how they open an audit, the title of what they print, and exit codes.

Not here: any command.
"""

import contextlib
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal

import typer

from auditkit.audit import Audit, open_audit
from auditkit.checks.rules import SEVERITIES
from auditkit.cli.ending import Finished
from auditkit.errors import JournalError
from auditkit.papers.terminal import COULD_NOT_LOOK, fail, say, warn

__all__ = ["CLEAN", "FINDINGS", "UNKNOWN", "AsOf", "FailOn", "Json", "finish", "opened", "titled", "write_report"]

CLEAN, FINDINGS, UNKNOWN = 0, 1, 3

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs; money as text.")]
FailOn = Annotated[
    Literal["high", "medium", "low"] | None,
    typer.Option(help="Exit with code 1 if an open exception has this priority or a higher one."),
]
AsOf = Annotated[str | None, typer.Option(help="As-of date, YYYY-MM-DD (default: the setting, else today).")]


def titled(audit: Audit, title: str) -> str:
    """A title, followed by whose figures these are, as of when, and how completely they were read."""
    return f"{title} · {audit.title}"


def finish(audit: Audit, fail_on: str | None) -> Finished:
    """How a command ends: 2 after an incomplete read, 1 with open exceptions at or above `fail_on`, else 0."""
    if audit.about["verdict"] == "incomplete":
        return Finished(COULD_NOT_LOOK)
    if fail_on is None:
        return Finished(CLEAN)
    counted = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    is_found = any(severity in counted for severity in audit.findings(state="open")["severity"])
    return Finished(FINDINGS if is_found else CLEAN)


def write_report(
    audit: Audit, notebook: str = "01_month_end", *, period: str | None = None, since: int | None = None
) -> None:
    """Write the report of a notebook and print its path. Fails if the packages for notebooks are not installed."""
    try:
        path = audit.report(notebook, period=period, since=since)
    except ImportError as error:
        fail(f"reports need more packages ({error.name}); pip install 'auditkit[notebooks]'")
    say(f"\nReport: {path}")


def _warn_of_unknown_outcomes(audit: Audit) -> None:
    """Name the corrections whose outcome is not known. A journal that cannot be read stops no read-only command."""
    if not audit.settings.folder.is_dir():
        return
    try:
        unsettled = audit.corrections.unsettled()
    except JournalError as error:
        warn(str(error))
    except OSError:
        return  # the home cannot be read at all, which each command reports itself
    else:
        for each in unsettled.itertuples():
            warn(f"{each.correction}: its outcome is not known ({each.verdict}); run `auditkit recover`")


@contextlib.contextmanager
def opened(*, as_of: str | None = None, is_demo: bool = False, vendor_rate: bool = False) -> Iterator[Audit]:
    """The audit of the settings. A bad `--as-of` and Ctrl-C are one line each."""
    try:
        day = date.fromisoformat(as_of) if as_of else None
    except ValueError:
        fail(f"--as-of {as_of!r} is not a date; write it as YYYY-MM-DD")
    with open_audit(as_of=day, is_demo=is_demo, vendor_rate=vendor_rate) as audit:
        if day and day > audit.today:
            warn(f"--as-of {day} is after today, {audit.today}: ages include days to come")
        _warn_of_unknown_outcomes(audit)
        try:
            yield audit
        except KeyboardInterrupt:
            if not audit.corrections.unsettled().empty:
                warn("stopped during a correction; run `auditkit recover` to find out its outcome")
                raise SystemExit(UNKNOWN) from None
            fail("stopped; what was fetched stays in the cache, and the published snapshot is unchanged")
