"""Every question in SQL: one file per question, named for its answer, in lower case, with parameters as `$name`.

    link/        which NRB is on which invoice line        (steps, run in the order of their numbers)
    reconcile/   states, the statement, totals by job      (steps)
    rules/       what is wrong: one finding per row
    queries/     what people and pages ask of a snapshot

Not here: the tables themselves and how raw JSON becomes them (`warehouse/`).
"""

from functools import cache
from importlib import resources

__all__ = ["read"]


@cache
def read(name: str) -> str:
    """The text of one file, named by its path below this folder without the ending: `queries/unbilled`."""
    return resources.files("auditkit.sql").joinpath(f"{name}.sql").read_text("utf-8")
