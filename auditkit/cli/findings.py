"""Exceptions: list them, explain one, accept some: `findings`, `explain`, `accept`."""

from typing import Annotated, Literal

import pandas as pd
import typer

from auditkit.cli.common import FailOn, Json, finish, opened, titled
from auditkit.papers.terminal import plain, print_json, records, say, show, warn

__all__ = ["app"]

app = typer.Typer()

_COLUMNS = ["fingerprint", "rule_id", "severity", "subject_id", "job_number", "amount_at_risk", "reason"]
_SHORT = 8  # digits that distinguish some thousand findings; `accept` and `explain` refuse digits that fit several


@app.command()
def findings(
    rule: Annotated[str | None, typer.Option(help="Only this rule, e.g. nrb-unbilled.")] = None,
    severity: Annotated[Literal["high", "medium", "low"] | None, typer.Option(help="Only this priority.")] = None,
    state: Annotated[
        Literal["open", "accepted", "cleared"] | None, typer.Option(help="Default: open and accepted.")
    ] = None,
    job: Annotated[str | None, typer.Option(help="Only this job, by its number.")] = None,
    new: Annotated[bool, typer.Option("--new", help="Only what is new or re-opened since the read before.")] = False,
    fail_on: FailOn = None,
    as_json: Json = False,
) -> None:
    """List exceptions by priority, the largest first."""
    with opened() as audit:
        frame = audit.findings(rule, severity=severity, state=state, job=job, new=new)
        if as_json:
            print_json(records(frame))
        else:
            for line in audit.warnings:
                warn(plain(line))
            show(_shown(frame), titled(audit, f"{len(frame):,} exception{'s' * (len(frame) != 1)}"), answer=frame)
        raise finish(audit, fail_on)


@app.command()
def explain(
    fingerprint: Annotated[str, typer.Argument(help="As `auditkit findings` shows it.")], as_json: Json = False
) -> None:
    """Show why one cost is an exception, and its evidence.

    The rule and its SQL, the row, the links and how they were made, and what the vendor sent.
    """
    with opened() as audit:
        why = audit.explain(fingerprint)
        if as_json:
            parts = {title: records(frame) for title, frame in {**why.parts, "raw": why.raw, "row": why.row}.items()}
            print_json({"snapshot_id": why.snapshot_id, "finding": why.finding, "rule": why.rule, **parts})
            return
        say(plain(audit.title))
        for title, content in why.sections:
            if isinstance(content, str):
                say("\n".join(plain(line) for line in ("", *title.splitlines(), *content.splitlines())))
            else:
                show(content, title, most=None)


@app.command()
def accept(
    fingerprints: Annotated[list[str], typer.Argument(help="As `auditkit findings` shows them.")],
    note: Annotated[str, typer.Option(help="Why they are accepted.")],
    until: Annotated[str | None, typer.Option(help="The last day, YYYY-MM-DD (default: no end).")] = None,
    person: Annotated[str | None, typer.Option(help="Who decides (default: AUDITKIT_IDENTITY).")] = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Withdraw the acceptance of these.")] = False,
) -> None:
    """Accept exceptions, with a note and an end date.

    Each re-opens by itself after its last day, or when its amount grows. The audit is run again.
    """
    with opened() as audit:
        if withdraw:
            audit.unaccept(fingerprints, note, who=person)
            plural = "s" * (len(fingerprints) != 1)
            say(f"{len(fingerprints):,} acceptance{plural} withdrawn; the verdict is: {audit.about['verdict']}")
            return
        accepted = audit.accept(fingerprints, note, until=until, who=person)
        show(_shown(accepted), titled(audit, f"{len(accepted):,} accepted"))


def _shown(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns that fit a screen; the state only if it is not `open` throughout."""
    shown = frame[_COLUMNS].assign(fingerprint=frame["fingerprint"].str[:_SHORT])
    if any(frame["state"] != "open"):
        shown.insert(0, "state", frame["state"])
    return shown
