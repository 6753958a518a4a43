"""Both vendors imitated on loopback: `sandbox serve`."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from auditkit.papers.terminal import say
from auditkit.sandbox import demo, server
from auditkit.sandbox.behaviors import Behaviors
from auditkit.sandbox.middleware import Credentials

__all__ = ["app"]

app = typer.Typer(help="Both vendors imitated on loopback.", no_args_is_help=True)


def _behaviors() -> str:
    """The switches with their values, for the help text."""
    lines = (f"  {name} = {values}" for name, values in Behaviors.choices().items())
    return "\n".join(("\b", "Switches, default first:", *lines))  # \\b: click leaves the lines as they are


@app.command(epilog=_behaviors())
def serve(
    port: Annotated[int, typer.Option(help="0 chooses any free port.")] = 8750,
    state: Annotated[Path, typer.Option(help="SQLite file that holds everything; made if missing.")] = Path(
        "data/sandbox.sqlite"
    ),
    behavior: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A switch, see below; repeatable.")
    ] = None,
    habits: Annotated[
        bool, typer.Option("--habits", help="Fill an empty state file with a contractor of ordinary habits.")
    ] = False,
) -> None:
    """Serve both vendors on 127.0.0.1 until interrupted.

    Prints the settings that connect auditkit to them.
    """
    server.serve(
        state,
        port,
        Behaviors.parse(behavior or []),
        Credentials(),
        prepare=partial(demo.prepare, habits=habits),
        ready=lambda address: say(address.exports()),
    )
