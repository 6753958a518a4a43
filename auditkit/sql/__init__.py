"""Every question in SQL: one file per question, named for its answer, in lower case, with parameters as `$name`.

    link/        which NRB is on which invoice line        (steps, run in the order of their numbers)
    reconcile/   states, the statement, totals by job      (steps)
    exposure/    what each exception costs, once           (steps)
    periods/     the books as of the end of a month
    sync/        what a read stores
    lifecycle/   findings from read to read
    rules/       what is wrong: one finding per row
    queries/     what people and pages ask of a snapshot; a few are templates with {names} to fill in

Not here: the tables themselves and how raw JSON becomes them (`warehouse/`).
"""

from functools import cache
from importlib import resources
from itertools import dropwhile

__all__ = ["filled", "read"]


@cache
def read(name: str) -> str:
    """One file, named by its path below this folder without the ending: `queries/unbilled`.

    Without the comment at its head, so that what people see and copy is the statement alone.
    """
    text = resources.files("auditkit.sql").joinpath(f"{name}.sql").read_text("utf-8")
    return "".join(dropwhile(lambda line: line.startswith("--"), text.splitlines(keepends=True)))


def filled(name: str, **parts: str) -> str:
    """The text of a template with its {names} filled in: identifiers that were checked and quoted, or other files."""
    return read(name).format(**parts)
