"""The only way out: `plan` proposes, `apply` sends."""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from auditkit.commands.common import CLEAN, UNKNOWN, opened, titled
from auditkit.config import DEMO
from auditkit.corrections.plan import REMEDIES, Plan
from auditkit.terminal import COULD_NOT_LOOK, fail, say, show

__all__ = ["app"]

app = typer.Typer()


@app.command()
def plan(rule: Annotated[str, typer.Argument(help=f"A rule with a safe remedy: {', '.join(REMEDIES)}.")]) -> None:
    """Propose a rule's usual remedy, as a plan file. Nothing is sent."""
    with opened() as it:
        proposed = it.propose(rule)
        show(pd.DataFrame(proposed.preview()), titled(it, f"{len(proposed.changes):,} objects would change"))
        path = it.save(proposed)
        _conditions(proposed)
        say(f"Nothing was sent. To send it: auditkit apply {path}")


@app.command()
def apply(
    path: Annotated[Path, typer.Argument(metavar="PLAN", help="A file that `auditkit plan` wrote.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before sending.")] = False,
) -> None:
    """Send a plan, one object at a time.

    Each is journalled before and verified after.
    """
    loaded = Plan.load(path)
    with opened() as it:
        whose = "DEMO DATA" if loaded.environment == DEMO else f"{loaded.account} at {loaded.environment}"
        show(pd.DataFrame(loaded.preview()), f"{len(loaded.changes):,} objects to change · {whose}")
        _conditions(loaded)
        if not yes and not _confirmed("Send these changes?"):
            fail("nothing was sent")
        outcomes = it.apply(loaded)
        show(outcomes, f"Verdicts · {whose}", most=None)
        say("The next sync shows which findings this cleared.")
        verdicts = set(map(str, outcomes["verdict"]))
        raise typer.Exit(UNKNOWN if "UNKNOWN" in verdicts else COULD_NOT_LOOK if "NOT_BEGUN" in verdicts else CLEAN)


def _conditions(plan: Plan) -> None:
    for condition in plan.conditions:
        say(f"\nBefore it is sent, look at each: {condition}.")


def _confirmed(question: str) -> bool:
    try:
        return typer.confirm(question)
    except typer.Abort:
        return False
