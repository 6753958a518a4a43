"""Look closer: `changes`, `selftest`, `tables`, `report`, `workpaper`, `doctor`."""

from pathlib import Path
from typing import Annotated

import typer

from auditkit.cli.common import CLEAN, FINDINGS, AsOf, Json, opened, titled
from auditkit.cli.common import report as write_report
from auditkit.cli.doctor import Check, examine
from auditkit.papers.terminal import COULD_NOT_LOOK, plain, print_json, records, say, show

__all__ = ["app"]

app = typer.Typer()


@app.command()
def changes(
    since: Annotated[int | None, typer.Option(help="A sync by number (default: the one before the newest).")] = None,
    as_json: Json = False,
) -> None:
    """What changed since a sync.

    Records that appeared or vanished, and those that changed, field by field.
    """
    with opened() as audit:
        frame = audit.changes(since)
        if as_json:
            print_json(records(frame))
        else:
            show(frame, titled(audit, f"{len(frame):,} changes since sync {frame.attrs['values']['since']}"))


@app.command()
def selftest(as_json: Json = False) -> None:
    """Do the rules find what is wrong? A fault for each, in a copy.

    The copy of your snapshot is thrown away; nothing of the home changes. Exit code 1 where a rule fails.
    """
    with opened() as audit:
        outcomes = audit.selftest()
        failed = [outcome is False for outcome in outcomes["passed"]]
        if as_json:
            print_json(records(outcomes))
        else:
            words = {True: "passed", False: "FAILED", None: "no plant"}
            shown = outcomes[["rule_id", "planted", "reason"]]
            shown.insert(0, "result", [words[passed] for passed in outcomes["passed"]])
            passed = sum(outcome is True for outcome in outcomes["passed"])
            show(shown, titled(audit, f"Self-test: {passed} of {len(outcomes)} rules passed"), most=None)
        raise typer.Exit(FINDINGS if any(failed) else CLEAN)


@app.command()
def tables(
    table: Annotated[str | None, typer.Argument(help="One table: its columns.")] = None, as_json: Json = False
) -> None:
    """Every table of the snapshot, or the columns of one."""
    with opened() as audit:
        frame = audit.sql.describe(table) if table else audit.sql.tables()
        what = f"{table}: {len(frame):,} columns" if table else f"{len(frame):,} tables"
        print_json(records(frame)) if as_json else show(frame, titled(audit, what), most=None)


@app.command()
def report(
    notebook: Annotated[str, typer.Option(help="A notebook below notebooks/, without ending.")] = "01_month_end",
    as_of: AsOf = None,
    period: Annotated[str | None, typer.Option(help="The month under audit, YYYY-MM.")] = None,
    since: Annotated[int | None, typer.Option(help="Add the roll-forward since a kept sync, by number.")] = None,
) -> None:
    """Run a notebook on the newest snapshot into one HTML file.

    The file opens offline and prints well. For example: auditkit report --notebook 03_reconcile --since 1
    """
    with opened(as_of=as_of) as audit:
        if as_of:
            audit.run()
        write_report(audit, notebook, period=period, since=since)


@app.command()
def workpaper(
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An .xlsx file (default: one below the home's reports/).")
    ] = None,
    as_of: AsOf = None,
) -> None:
    """Write the audit as one Excel file.

    Statement, reconciliation, findings, aging and links, with totals that are formulas and tie. For example: auditkit
    workpaper --output september.xlsx. A file that is there already and differs is not replaced: it may be signed.
    """
    with opened(as_of=as_of) as audit:
        if as_of:
            audit.run()
        say(f"Working paper: {audit.workpaper(output)}")


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check settings, files, rules, vendors and versions.

    Says what to do about each that fails.
    """
    with opened() as audit:
        checks = [_printed(check, as_json=as_json) for check in examine(audit)]
    if as_json:
        print_json([vars(check) for check in checks])
    raise typer.Exit(CLEAN if all(check.ok for check in checks) else COULD_NOT_LOOK)


def _printed(check: Check, *, as_json: bool) -> Check:
    """A check, printed as soon as it has ended: the next may wait for a network."""
    if not as_json:
        say(plain(f"{'ok    ' if check.ok else 'FAILED'}  {check.check:<10} {check.seen}"))
        if not check.ok:
            say(f"        what to do: {check.advice}")
    return check
