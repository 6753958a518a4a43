"""`doctor`: is everything in place to audit? Each check says what it found and, if it failed, what to do.

Not here: whether a read was complete (`sync`), and whether figures agree (`checks`).
"""

import importlib.metadata
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import typer

from auditkit.audit import Audit
from auditkit.checks.run import read_job_map
from auditkit.cli.common import CLEAN, Json, opened
from auditkit.errors import AuditkitError, BadAnswer, NoSnapshot
from auditkit.papers.terminal import COULD_NOT_LOOK, plain, print_json, say
from auditkit.progress import notice
from auditkit.settings import settings_file
from auditkit.vendors.aimsio import AimsioClient, Stub
from auditkit.vendors.jobnimbus import JobNimbusClient, Page
from auditkit.vendors.paging import LAST_SECOND, WINDOW, between

__all__ = ["Check", "app", "examine", "whereabouts"]

app = typer.Typer()

_ENOUGH_BYTES = 1_000_000_000
_SKEW_SECONDS = 60
_LIBRARIES = ("duckdb", "pandas", "plotly", "requests-cache", "jupyterlab", "nbval")


@dataclass(frozen=True)
class Check:
    """One check: its name, whether it passed, what was found, and what to do if it failed."""

    check: str
    ok: bool
    seen: str
    advice: str = ""


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check settings, files, rules, vendors and versions.

    For each check that fails, it says what to do.
    """
    with opened() as audit:
        checks = [_printed(check, as_json=as_json) for check in examine(audit)]
    if as_json:
        print_json([vars(check) for check in checks])
    raise typer.Exit(CLEAN if all(check.ok for check in checks) else COULD_NOT_LOOK)


def _printed(check: Check, *, as_json: bool) -> Check:
    """A check, printed as soon as it has ended: the next may wait for a network."""
    if not as_json:
        say(plain(f"{'ok    ' if check.ok else 'FAILED'}  {check.check:<10} {check.seen}"))
        if not check.ok:
            say(f"        what to do: {check.advice}")
    return check


def examine(audit: Audit) -> Iterator[Check]:
    """Check settings, files, both vendors, the snapshot and versions. No error is raised: each is a failed check."""
    settings = audit.settings
    where = "no account, so the demo" if settings.is_demo else f"{settings.account} at {settings.environment}"
    yield Check("settings", True, f"{where}; {whereabouts(audit)}")
    yield Check("time zone", True, f"{settings.zone.key}: it is {datetime.now(settings.zone):%Y-%m-%d %H:%M} there now")
    yield _home(audit)
    yield _checked("rules", lambda: _rules(audit), "correct the file named above; thresholds are in auditkit.toml")
    yield _checked("job map", lambda: _job_map(audit), "correct the file, or save it again as CSV in UTF-8")
    yield from _vendors(audit)
    yield _checked("snapshot", lambda: _snapshot(audit), "run `auditkit sync`")
    yield Check("versions", True, f"Python {sys.version.split()[0]}; {', '.join(map(_version, _LIBRARIES))}")


def whereabouts(audit: Audit) -> str:
    """Which home and which auditkit.toml are used: both depend on the current folder."""
    found, here = settings_file(Path.cwd()), Path.cwd()
    return (
        f"home {audit.settings.folder}; {f'settings of {found}' if found else f'no auditkit.toml at or above {here}'}"
    )


def _rules(audit: Audit) -> str:
    own = {path.stem for path in (audit.settings.folder / "rules").glob("*.sql")}
    rules = audit.rules()
    return f"{len(rules)} can be run, {sum(rule.name in own for rule in rules)} of them your own"


def _job_map(audit: Audit) -> str:
    path = audit.settings.folder / "job_map.csv"
    return f"{len(read_job_map(path)):,} pairs of job numbers" if path.exists() else "none, so numbers must be equal"


def _home(audit: Audit) -> Check:
    folder = audit.settings.folder
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        why = "cannot be written" if existing.is_dir() else "is not a folder"
        return Check("home", False, f"{existing} {why}", "choose another AUDITKIT_HOME")
    return Check(
        "home",
        free > _ENOUGH_BYTES,
        f"{free / 1e9:,.1f} GB free at {existing}",
        "free some disk space, or move AUDITKIT_HOME",
    )


def _vendors(audit: Audit) -> Iterator[Check]:
    """Hosts, credentials and the permission to read, endpoint by endpoint; then the clocks and the filter."""
    notice("Calling both vendors …")
    try:
        with audit.vendors() as (aimsio, jobnimbus):
            stubs: list[Stub] = []
            pages: list[Page] = []
            yield _checked(
                "Aimsio", lambda: _listed(aimsio, stubs), _advice("AUDITKIT_AIMSIO_URL, _USERNAME, _PASSWORD")
            )
            yield _checked("Aimsio NRB", lambda: _one_nrb(aimsio, stubs), "allow this user to read single NRBs, too")
            yield _checked("JobNimbus", lambda: _paged(jobnimbus, pages), _advice("AUDITKIT_JOBNIMBUS_URL and _TOKEN"))
            yield _checked(
                "JobNimbus invoice",
                lambda: _one_invoice(jobnimbus, pages),
                "allow this token to read single invoices, too",
            )
            yield _checked("filter", lambda: _filter(jobnimbus, pages), "keep JobNimbus below 10,000 invoices")
            if not stubs and not pages:
                return  # no server has answered, so there is no clock to compare
            skew = max((aimsio.calls.clock_skew, jobnimbus.calls.clock_skew), key=abs)
            yield Check(
                "clock", abs(skew) <= _SKEW_SECONDS, f"servers' clocks {skew:+.0f} s", "set this machine's clock"
            )
    except AuditkitError as error:
        yield Check("vendors", False, str(error), "check the settings")


def _advice(variables: str) -> str:
    return f"check {variables} in the environment, or run `auditkit init` again"


def _listed(aimsio: AimsioClient, stubs: list[Stub]) -> str:
    stubs += aimsio.stubs()
    return f"{len(stubs):,} NRBs listed"


def _one_nrb(aimsio: AimsioClient, stubs: list[Stub]) -> str:
    guid = next((stub.guid for stub in stubs if stub.guid), None)
    return f"one of {len(aimsio.nrb(guid)):,} characters" if guid else "not checked: none is listed"


def _paged(jobnimbus: JobNimbusClient, pages: list[Page]) -> str:
    pages.append(jobnimbus.page(0, 1))
    return f"{pages[0].count or 0:,} invoices counted"


def _one_invoice(jobnimbus: JobNimbusClient, pages: list[Page]) -> str:
    jnid = next((jnid for page in pages for jnid, _ in page.rows), None)
    return f"one of {len(jobnimbus.invoice(jnid)):,} characters" if jnid else "not checked: none is listed"


def _filter(jobnimbus: JobNimbusClient, pages: list[Page]) -> str:
    """Whether a filter that excludes everything does so. Only a list longer than paging can read needs it."""
    if not pages:
        return "not checked, because JobNimbus did not answer"
    count = pages[0].count or 0
    if not jobnimbus.page(0, 1, between(LAST_SECOND, None)).rows:
        return "honored, so lists of any length can be read"
    if count < WINDOW:
        return f"ignored; it is needed from {WINDOW:,} invoices on"
    raise BadAnswer(f"ignored, and {count:,} invoices are more than paging can read")


def _snapshot(audit: Audit) -> str:
    about = audit.about
    return f"{audit.snapshot_id}, {about['status']}, verdict {about['verdict']}, as of {about['as_of']}"


def _checked(name: str, find: Callable[[], str], advice: str) -> Check:
    try:
        return Check(name, True, find())
    except NoSnapshot as error:
        return Check(name, True, f"none yet ({error.args[0]})")
    except (AuditkitError, OSError) as error:
        return Check(name, False, str(error), advice)


def _version(library: str) -> str:
    try:
        return f"{library} {importlib.metadata.version(library)}"
    except importlib.metadata.PackageNotFoundError:
        return f"{library} not installed"
