"""What the rules say is wrong, why, and which of it may stand: `findings`, `explain`, `accept`."""

from typing import Annotated, Literal

import pandas as pd
import typer

from auditkit.cli.common import FailOn, Json, exit_code, opened, titled
from auditkit.papers.terminal import plain, print_json, records, say, show, warn

__all__ = ["app"]

app = typer.Typer()

_COLUMNS = ["fingerprint", "rule_id", "severity", "subject_id", "job_number", "amount_at_risk", "reason"]
_SHORT = 8  # enough to tell some thousand findings apart; `accept` and `explain` refuse a start that names several


@app.command()
def findings(
    rule: Annotated[str | None, typer.Option(help="Only this rule, e.g. nrb-unbilled.")] = None,
    severity: Annotated[Literal["high", "medium", "low"] | None, typer.Option(help="Only this severity.")] = None,
    state: Annotated[
        Literal["open", "accepted", "cleared"] | None, typer.Option(help="Default: open and accepted.")
    ] = None,
    job: Annotated[str | None, typer.Option(help="Only this job, by its number.")] = None,
    new: Annotated[bool, typer.Option("--new", help="New or re-opened since the sync before.")] = False,
    fail_on: FailOn = None,
    as_json: Json = False,
) -> None:
    """What the rules say is wrong, most severe first."""
    with opened() as audit:
        frame = audit.findings(rule, severity=severity, state=state, job=job, new=new)
        if as_json:
            print_json(records(frame))
        else:
            for line in audit.warnings:
                warn(plain(line))
            show(_shown(frame), titled(audit, f"{len(frame):,} finding{'s' * (len(frame) != 1)}"))
        raise typer.Exit(exit_code(audit, fail_on))


@app.command()
def explain(
    fingerprint: Annotated[str, typer.Argument(help="As `auditkit findings` shows audit.")], as_json: Json = False
) -> None:
    """Everything behind one finding.

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
    note: Annotated[str, typer.Option(help="Why they may stand.")],
    until: Annotated[str | None, typer.Option(help="The last day, YYYY-MM-DD (default: no end).")] = None,
    person: Annotated[str | None, typer.Option(help="Who decides (default: AUDITKIT_IDENTITY).")] = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take the acceptance of these back.")] = False,
) -> None:
    """Accept findings that may stand, with a note; audits again.

    Each is open again by itself after its last day, or once more money is at risk.
    """
    with opened() as audit:
        if withdraw:
            audit.unaccept(fingerprints, note, who=person)
            say(f"{len(fingerprints):,} acceptances were taken back; the verdict is: {audit.about['verdict']}")
            return
        accepted = audit.accept(fingerprints, note, until=until, who=person)
        show(_shown(accepted), titled(audit, f"{len(accepted):,} accepted"))


def _shown(frame: pd.DataFrame) -> pd.DataFrame:
    """What fits a screen; the state only where it is not open throughout."""
    shown = frame[_COLUMNS].assign(fingerprint=frame["fingerprint"].str[:_SHORT])
    if any(frame["state"] != "open"):
        shown.insert(0, "state", frame["state"])
    return shown
