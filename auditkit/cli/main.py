"""The commands: each is one call on `Audit`, printed as tables for people or, with `--json`, for programs.

Exit codes: 0 clean, or findings that nobody asked to fail on; 1 findings at or above `--fail-on`; 2 could not look
(incomplete, unreachable, bad input); 3 a write's outcome is unknown. An error is one line on standard error.
"""

import sys
from typing import Annotated

import typer

from auditkit.cli import corrections, explore, findings, identity, init, journal, reconcile, sandbox, sql
from auditkit.cli.common import UNKNOWN
from auditkit.errors import AuditkitError, NotThere, OutcomeUnknown
from auditkit.papers.terminal import fail, warn, with_sql
from auditkit.sandbox.error_bodies import SandboxError

__all__ = ["app", "main"]

app = typer.Typer(
    name="auditkit",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for group in (init.app, reconcile.app, findings.app, explore.app, sql.app, corrections.app):
    app.add_typer(group)


@app.callback()
def _options(
    show_sql: Annotated[bool, typer.Option("--sql", help="Show below each table the SQL that gave it.")] = False,
) -> None:
    """Finds field cost (Aimsio NRBs) that never reached a client's invoice (JobNimbus)."""
    with_sql.set(show_sql)


app.add_typer(identity.app, name="identity")
app.add_typer(journal.app, name="journal")
app.add_typer(sandbox.app, name="sandbox")


def main() -> None:
    """Run a command. Errors that auditkit raises on purpose are one line and exit code 2, never a traceback."""
    try:
        app()
    except NotThere as error:  # an object that is gone is dealt with where it is asked for: this is the list of all
        vendor = str(error).partition(":")[0].upper()
        fail(f"{error}; is the base URL right? check AUDITKIT_{vendor}_URL")
    except OutcomeUnknown as error:
        warn(str(error))
        sys.exit(UNKNOWN)
    except (AuditkitError, SandboxError) as error:
        fail(str(error))
    except BrokenPipeError:
        sys.stderr.close()
    except OSError as error:
        fail(f"{error.filename or 'the disk'}: {error.strerror or error}")
