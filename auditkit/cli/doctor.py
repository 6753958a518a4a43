"""`doctor`: is everything in place to audit? Each check says what it found and, if it failed, what to do.

Not here: whether a read was complete (`sync`), and whether figures agree (`checks`).
"""

import contextlib
import importlib.metadata
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import typer

from auditkit.audit import Audit
from auditkit.checks.map_files import read_job_map
from auditkit.cli.common import CLEAN, Json, opened
from auditkit.credentials import LOGINS
from auditkit.errors import ApiError, AuditkitError, BadAnswer, Denied, NoSnapshot, TimedOut, Unreachable
from auditkit.journal_verify import verify
from auditkit.papers.terminal import COULD_NOT_LOOK, plain, print_json, say
from auditkit.progress import notice
from auditkit.settings import keyring_note, settings_file, variable_of
from auditkit.sql import read

__all__ = ["Check", "app", "examine", "whereabouts"]

app = typer.Typer()

_ENOUGH_BYTES = 1_000_000_000
_SKEW_SECONDS = 60
_NETWORK = ("proxy", "ca_bundle")
_CREDENTIALS = [name for secret, (_, user) in LOGINS.items() for name in (user, secret) if name]
_IGNORED = (
    *(f"{name}_PROXY" for name in ("HTTPS", "HTTP", "ALL", "NO")),
    *(f"{name}_proxy" for name in ("https", "http", "all", "no")),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"),
)
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
    yield Check("keyring", True, keyring_note() or "is used if it holds a secret; else the environment or secrets.toml")
    yield Check("network", True, _network(audit))
    yield Check("time zone", True, f"{settings.zone.key}: it is {datetime.now(settings.zone):%Y-%m-%d %H:%M} there now")
    yield _home(audit)
    yield _checked("rules", lambda: _rules(audit), "correct the file named above; thresholds are in auditkit.toml")
    yield _checked("job map", lambda: _job_map(audit), "correct the file, or save it again as CSV in UTF-8")
    yield from _vendors(audit)
    yield _checked("snapshot", lambda: _snapshot(audit), "run `auditkit sync`")
    yield from _reading(audit)
    yield _journal(audit)
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
    """Hosts, credentials and the permission to read, call by call; then the clocks."""
    notice("Calling both vendors …")
    try:
        with audit.sources() as sources:
            are_called = False
            for source in sources:
                for name, call in source.probes():
                    check = _called(name, call, source.record_type.vendor)
                    are_called |= check.ok
                    yield check
            if are_called:  # else no server has answered, so no clock was seen
                skew = max((source.client.calls.clock_skew for source in sources), key=abs)
                is_right = abs(skew) <= _SKEW_SECONDS
                yield Check("clock", is_right, f"servers' clocks {skew:+.0f} s", "set this machine's clock")
    except AuditkitError as error:
        yield Check("vendors", False, str(error), "check the settings")


def _network(audit: Audit) -> str:
    """How the vendors are reached, and which variables of other programs are set and ignored."""
    settings = audit.settings
    used = [f"AUDITKIT_{name.upper()} is {value}" for name in _NETWORK if (value := getattr(settings, name))]
    ignored = [name for name in _IGNORED if os.environ.get(name)]
    parts = [", ".join(used) or "no proxy, and the public certificate authorities"]
    if ignored:
        parts.append(f"{', '.join(ignored)} set but ignored; use AUDITKIT_PROXY and AUDITKIT_CA_BUNDLE")
    return "; ".join(parts)


def _snapshot(audit: Audit) -> str:
    about = audit.about
    return f"{audit.snapshot_id}, {about['status']}, verdict {about['verdict']}, as of {about['as_of']}"


def _reading(audit: Audit) -> Iterator[Check]:
    """How the newest snapshot, if there is one, reads statuses and dates: settings may have to say otherwise."""
    with contextlib.suppress(AuditkitError, OSError):
        statuses = audit.snapshot.query(read("queries/statuses")).records()
        zones = audit.snapshot.query(read("queries/date_zones")).records()
        yield Check("statuses", True, "; ".join(map(_status, statuses)) or "there are no invoices")
        yield Check("dates", True, "; ".join(map(_zone, zones)) or "there are no dates")


def _status(row: Mapping[str, Any]) -> str:
    name = row["status_name"] or "(no status)"
    unknown = "" if row["known"] else ", as AUDITKIT_VOID_STATUS_NAMES and AUDITKIT_DRAFT_STATUS_NAMES lack it"
    return f"{name} ({row['invoices']:,}): {row['treated_as']}{unknown}"


def _zone(row: Mapping[str, Any]) -> str:
    if row["zone"] is None:
        return f"{row['field']}: midnights of no zone, read as days of {row['account_zone']}"
    counted = f"{row['midnight_count']:,} of {row['value_count']:,}"
    return f"{row['field']}: midnights of {row['zone']} ({counted}), read as days of it"


def _journal(audit: Audit) -> Check:
    """Whether the journal is whole, and each record whose text cannot be read."""
    path = audit.journal.path
    try:
        found = verify(path)
    except OSError as error:
        return Check("journal", False, f"{path}: cannot be read ({error.strerror})", "restore it from a copy")
    seen = "; ".join((f"{found.count:,} records", *found.problems, *found.notes))
    return Check("journal", found.is_whole, seen, "restore it from a copy that verifies")


def _called(name: str, call: Callable[[], str], vendor: str) -> Check:
    """A call to a vendor; what to do about a failure depends on its cause, not on what was asked."""
    try:
        return Check(name, True, call())
    except ApiError as error:
        return Check(name, False, str(error), _advice(error, vendor))
    except AuditkitError as error:
        return Check(name, False, str(error), "check the settings")


def _advice(error: ApiError, vendor: str) -> str:
    url = f"AUDITKIT_{vendor.upper()}_URL"
    if isinstance(error, Unreachable):
        return {
            "certificate": f"check the host in {url}; if the network inspects TLS, set AUDITKIT_CA_BUNDLE to its"
            " certificate",
            "name": f"check the host in {url}; behind a proxy, set AUDITKIT_PROXY",
            "refused": f"check host and port in {url}; behind a proxy, set AUDITKIT_PROXY",
            "proxy": "check AUDITKIT_PROXY, and ask who runs the proxy whether it allows this host",
        }.get(error.cause, f"check the network and {url}")
    if isinstance(error, TimedOut):
        return "try again; if it stays so, a firewall may drop the connection: ask for access, or set AUDITKIT_PROXY"
    if isinstance(error, Denied):
        if error.status == 401:
            login = " and ".join(variable_of(name) for name in _CREDENTIALS if name.startswith(vendor.lower()))
            return f"check {login}, or run `auditkit init` again"
        return f"the login is right, but lacks a permission: ask who manages {vendor} to let it read this"
    return f"check {url}; if it is right, ask {vendor}" if isinstance(error, BadAnswer) else f"ask {vendor}"


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
