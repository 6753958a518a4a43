"""The demo: the default world in a state file, on its last day.

Not here: serving it (`server`) and what a world holds (`dataset`).
"""

import sqlite3
from datetime import UTC, datetime, time
from pathlib import Path

from auditkit.sandbox.dataset import build
from auditkit.sandbox.dataset_books import AS_OF, TIMEZONE
from auditkit.sandbox.error_bodies import SandboxError
from auditkit.sandbox.state import State

__all__ = ["AS_OF", "CLOCK", "TIMEZONE", "prepare"]

CLOCK = datetime.combine(AS_OF, time(18), UTC)


def prepare(path: Path, *, habits: bool = False) -> None:
    """Fill a state file with the default world, with ordinary habits if asked for; one that holds records is unchanged.

    Raises `SandboxError` if it cannot be written.
    """
    try:
        with State(path) as state:
            if state.is_empty():
                world = build(habits=habits)
                state.fill(world.nrbs, world.invoices, world.jobs, world.vendors)
    except sqlite3.Error as error:
        raise SandboxError(f"{path}: {error}") from None
