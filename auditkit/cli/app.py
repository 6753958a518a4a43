"""Every command in the order of `auditkit --help`, and what each error that auditkit raises becomes: one line.

Not here: a command, and exit codes (`main.py`).
"""

import sys
from typing import Annotated

import typer

from auditkit.cli import (
    audit,
    corrections,
    doctor,
    findings,
    identity,
    init,
    inspect,
    journal,
    links,
    papers,
    sandbox,
    sql,
)
from auditkit.cli.common import UNKNOWN
from auditkit.errors import AuditkitError, NotThere, OutcomeUnknown
from auditkit.papers.terminal import fail, warn, with_sql
from auditkit.sandbox.error_bodies import SandboxError

__all__ = ["app", "run"]

app = typer.Typer(
    name="auditkit",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for group in (init, doctor, audit, findings, links, inspect, papers, sql, corrections):
    app.add_typer(group.app)


@app.callback()
def _options(
    show_sql: Annotated[bool, typer.Option("--sql", help="Below each table, show the SQL behind it.")] = False,
) -> None:
    """Finds field cost (Aimsio) that never reached a client's invoice (JobNimbus)."""
    with_sql.set(show_sql)


app.add_typer(identity.app, name="identity")
app.add_typer(journal.app, name="journal")
app.add_typer(sandbox.app, name="sandbox")


def run() -> None:
    """Run the command of `sys.argv`. It ends in `SystemExit`, or in an error that nobody foresaw."""
    try:
        app()
    except NotThere as error:  # one missing record is handled where it is read: this is the list of all
        vendor = str(error).partition(":")[0].upper()
        fail(f"{error}; is the base URL right? check AUDITKIT_{vendor}_URL")
    except OutcomeUnknown as error:
        warn(str(error))
        sys.exit(UNKNOWN)
    except (AuditkitError, SandboxError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or 'the disk'}: {error.strerror or error}")
