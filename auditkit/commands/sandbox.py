"""Both vendors imitated on loopback: `sandbox serve`."""

from pathlib import Path
from typing import Annotated

import typer

from auditkit.sandbox import demo, server
from auditkit.sandbox.door import Credentials
from auditkit.sandbox.quirks import Quirks
from auditkit.terminal import say

__all__ = ["app"]

app = typer.Typer(help="Both vendors imitated on loopback.", no_args_is_help=True)


def _quirks() -> str:
    """The switches with their values, for a help text."""
    lines = (f"  {name} = {values}" for name, values in Quirks.choices().items())
    return "\n".join(("\b", "Switches, default first:", *lines))  # \\b: click leaves the lines as they are


@app.command(epilog=_quirks())
def serve(
    port: Annotated[int, typer.Option(help="0 is any free port.")] = 8750,
    state: Annotated[Path, typer.Option(help="SQLite file that holds everything; made and filled if missing.")] = Path(
        "data/sandbox.sqlite"
    ),
    quirk: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A switch, see below; repeatable.")
    ] = None,
) -> None:
    """Serve both vendors on 127.0.0.1 until interrupted.

    Prints the settings that point auditkit at them.
    """
    server.serve(
        state,
        port,
        Quirks.parse(quirk or []),
        Credentials(),
        prepare=demo.prepare,
        ready=lambda address: say(address.exports()),
    )
