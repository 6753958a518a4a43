"""What people read, file and sign: `report`, `workpaper`, `notebooks`."""

from pathlib import Path
from typing import Annotated

import typer

from auditkit.cli.common import AsOf, opened, write_report
from auditkit.papers.notebook_files import FOLDER, copy_notebooks
from auditkit.papers.terminal import say

__all__ = ["app"]

app = typer.Typer()


@app.command()
def report(
    notebook: Annotated[str, typer.Option(help="A notebook below notebooks/, without ending.")] = "01_month_end",
    as_of: AsOf = None,
    period: Annotated[str | None, typer.Option(help="The month under audit, YYYY-MM.")] = None,
    since: Annotated[int | None, typer.Option(help="Add the roll-forward since a kept read, by number.")] = None,
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
    """Write the workpaper (Excel): tie-outs, exceptions, sign-off.

    Totals are formulas that tie to the statement. For example: auditkit workpaper --output september.xlsx. An existing
    file that differs is not replaced, because it may be signed.
    """
    with opened(as_of=as_of) as audit:
        if as_of:
            audit.run()
        say(f"Workpaper: {audit.workpaper(output)}")


@app.command()
def notebooks(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to; made if it does not exist.")] = Path(
        FOLDER
    ),
) -> None:
    """Copy the six notebooks that auditkit ships into a folder.

    From ./notebooks, auditkit report runs your copies. An existing file is kept as it is.
    """
    for path, is_written in copy_notebooks(folder).items():
        say(f"{'Written' if is_written else 'Kept   '}: {path}")
    say(f"\nNext: jupyter lab {folder}")
