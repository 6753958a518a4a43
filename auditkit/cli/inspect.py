"""Look closer at a snapshot: `changes`, `selftest`, `tables`."""

from typing import Annotated

import typer

from auditkit.cli.common import CLEAN, FINDINGS, Json, opened, titled
from auditkit.cli.ending import Finished
from auditkit.papers.terminal import print_json, records, show

__all__ = ["app"]

app = typer.Typer()


@app.command()
def changes(
    since: Annotated[int | None, typer.Option(help="A read by number (default: the one before the newest).")] = None,
    as_json: Json = False,
) -> None:
    """Show what changed since an earlier read.

    Records that appeared or were deleted, and those that changed, field by field.
    """
    with opened() as audit:
        frame = audit.changes(since)
        if as_json:
            print_json(records(frame))
        else:
            show(frame, titled(audit, f"{len(frame):,} changes since read {frame.attrs['values']['since']}"))


@app.command()
def selftest(as_json: Json = False) -> None:
    """Test each rule with a planted fault, in a copy.

    The copy of your snapshot is thrown away, and nothing in the home changes. Exit code 1 if a rule fails.
    """
    with opened() as audit:
        outcomes = audit.selftest()
        failed = [outcome is False for outcome in outcomes["passed"]]
        if as_json:
            print_json(records(outcomes))
        else:
            words = {True: "passed", False: "FAILED", None: "no fault to plant"}
            shown = outcomes[["rule_id", "planted", "reason"]]
            shown.insert(0, "result", [words[passed] for passed in outcomes["passed"]])
            passed = sum(outcome is True for outcome in outcomes["passed"])
            show(shown, titled(audit, f"Self-test: {passed} of {len(outcomes)} rules passed"), most=None)
        raise Finished(FINDINGS if any(failed) else CLEAN)


@app.command()
def tables(
    table: Annotated[str | None, typer.Argument(help="One table: its columns.")] = None, as_json: Json = False
) -> None:
    """List the tables of the snapshot, or the columns of one."""
    with opened() as audit:
        frame = audit.sql.describe(table) if table else audit.sql.tables()
        what = f"{table}: {len(frame):,} columns" if table else f"{len(frame):,} tables"
        print_json(records(frame)) if as_json else show(frame, titled(audit, what), most=None)
