"""Doctor: is everything in place to look? Each check says what it saw and, where it failed, what to do.

Not here: whether a read was complete (`sync`), and whether figures agree (`checks`).
"""

import importlib.metadata
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from auditkit.audit import Audit
from auditkit.errors import AuditkitError, NoSnapshot

__all__ = ["Check", "examine"]

_ENOUGH_BYTES = 1_000_000_000
_LIBRARIES = ("duckdb", "pandas", "plotly", "requests-cache", "jupyterlab", "nbval")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: whether it is well, what was seen, and what to do if it is not."""

    check: str
    ok: bool
    seen: str
    advice: str = ""


def examine(audit: Audit) -> Iterator[Check]:
    """Look at settings, files, both vendors, the snapshot and the versions; no error is raised, each is a check."""
    settings = audit.settings
    where = "the demo's sandbox" if settings.is_demo else f"{settings.account} at {settings.environment}"
    yield Check("settings", True, f"{where}; time zone {settings.zone.key}; home {settings.folder}")
    yield _home(audit)
    yield from _vendors(audit)
    yield _asked("snapshot", lambda: _snapshot(audit), "run `auditkit sync`")
    yield Check("versions", True, f"Python {sys.version.split()[0]}; {', '.join(map(_version, _LIBRARIES))}")


def _home(audit: Audit) -> Check:
    folder = audit.settings.folder
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    if not os.access(existing, os.W_OK):
        return Check("home", False, f"{existing} cannot be written", "choose another AUDITKIT_HOME")
    return Check(
        "home",
        free > _ENOUGH_BYTES,
        f"{free / 1e9:,.1f} GB free at {existing}",
        "free some disk, or move AUDITKIT_HOME",
    )


def _vendors(audit: Audit) -> Iterator[Check]:
    try:
        with audit.vendors() as (aimsio, jobnimbus):
            yield _asked("Aimsio", lambda: f"{len(aimsio.stubs()):,} NRBs listed", "check AUDITKIT_AIMSIO_*")
            yield _asked(
                "JobNimbus",
                lambda: f"{jobnimbus.page(0, 1).count or 0:,} invoices counted",
                "check AUDITKIT_JOBNIMBUS_*",
            )
    except AuditkitError as error:
        yield Check("vendors", False, str(error), "check the settings")


def _snapshot(audit: Audit) -> str:
    about = audit.about
    return f"{audit.snapshot_id}, {about['status']}, verdict {about['verdict']}, as of {about['as_of']}"


def _asked(name: str, look: Callable[[], str], advice: str) -> Check:
    try:
        return Check(name, True, look())
    except NoSnapshot as error:
        return Check(name, True, f"none yet ({error.args[0]})")
    except AuditkitError as error:
        return Check(name, False, str(error), advice)


def _version(library: str) -> str:
    try:
        return f"{library} {importlib.metadata.version(library)}"
    except importlib.metadata.PackageNotFoundError:
        return f"{library} not installed"
