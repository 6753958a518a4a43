"""What the rules say is wrong: `findings`."""

from typing import Annotated

import typer

from auditkit.commands.common import FailOn, Json, exit_code, opened, titled
from auditkit.terminal import print_json, records, show

__all__ = ["app"]

app = typer.Typer()


@app.command()
def findings(
    rule: Annotated[str | None, typer.Option(help="Only this rule, e.g. nrb-unbilled.")] = None,
    fail_on: FailOn = None,
    as_json: Json = False,
) -> None:
    """What the rules say is wrong, most severe first."""
    with opened() as it:
        frame = it.findings(rule)
        if as_json:
            print_json(records(frame))
        else:
            shown = ["rule_id", "severity", "subject_id", "job_number", "amount_at_risk", "reason"]
            show(frame[shown], titled(it, f"{len(frame):,} findings"))
        raise typer.Exit(exit_code(it, fail_on))
