"""Everything that can happen: a name, what the vendor answers or the settings hold, and what the person does."""

import base64
import contextlib
import gzip
import html
import json
import shutil
import signal
import socket
import sqlite3
import stat
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import auditkit as ak
from auditkit.warehouse.snapshots import Store
from tests.canaries.scanner import PASSPHRASE, PASSWORD, TOKEN, USER, hits
from tests.canaries.stage import DEADLINE_SECONDS, Stage
from tests.canaries.vendor import IMPORT, INVOICES, LISTS, PAIR, Fault, imported
from tests.people import listed
from tests.vendors.server import Reply, Seen, drips, reset, sends
from tests.world import nrb

ALL = f"{USER} {PASSWORD} {TOKEN} {PAIR}"
JSON_ESCAPED = "".join(f"\\u{ord(c):04x}" for c in ALL)
HTML_PAGE = f"<html><body><h1>Sorry, {html.escape(ALL)}</h1>{ALL}</body></html>"
HTML = {"Content-Type": "text/html"}


@dataclass(frozen=True)
class Outcome:
    """`act` runs with everything that a person may do around it. `is_quick`: also in `make test`."""

    name: str
    act: Callable[[Stage], None]
    fault: Fault | None = None
    settings: tuple[tuple[str, object], ...] = ()
    is_quick: bool = False


def everything(stage: Stage) -> None:
    """A read, a sync from Python and one from the shell, a check-up, and a reader whose URL holds the secrets."""
    with stage.caught():
        stage.read()
    with stage.caught():
        stage.read_with_userinfo()
    stage.run("doctor")
    if stage.is_whole:
        with stage.caught():
            stage.sync()
        stage.run("sync")


# ── What a vendor answers ───────────────────────────────────────────────────────────────────────────────────────────


def at(part: str, reply: object, *, method: str = "GET") -> Fault:
    """Answer so to each path that ends with this part; at `details`, to each NRB."""

    def fault(seen: Seen) -> object:
        path = seen.target.partition("?")[0]
        is_there = LISTS + "/" in path if part == "details" else path.endswith(part)
        return reply if is_there and seen.method == method else None

    return fault


def first(reply: object) -> Fault:
    """Answer so to everything."""
    return lambda seen: reply


def detail_with(**changes: object) -> Fault:
    """Each NRB with other values."""

    def fault(seen: Seen) -> object:
        return Reply({**nrb(seen.target.rpartition("/")[2]), **changes}) if LISTS + "/" in seen.target else None

    return fault


def raw(text: bytes) -> Callable[[socket.socket], None]:
    return sends(text)


def body_of(content: bytes, *, length: int | None = None, headers: str = "Content-Type: application/json") -> bytes:
    size = len(content) if length is None else length
    return f"HTTP/1.1 200 OK\r\n{headers}\r\nContent-Length: {size}\r\n\r\n".encode() + content


SECRETS = ALL.encode()
VENDOR: dict[str, Fault] = {
    "success": lambda seen: None,
    "401": first(Reply({}, 401)),
    "403": first(Reply({}, 403)),
    "404": first(Reply({}, 404)),
    "404 of a detail": at("details", Reply({}, 404)),
    "408": first(Reply({}, 408)),
    "429": first(Reply({}, 429)),
    "429 with the secret as Retry-After": first(Reply({}, 429, {"Retry-After": quote(PASSWORD)})),
    "500 with the secret raw": first(Reply(ALL, 500, {"Content-Type": "text/plain"})),
    "500 with it in base64": first(
        Reply(" ".join(base64.b64encode(b"a" * n + SECRETS).decode() for n in range(3)), 500)
    ),
    "500 with it in URL-safe base64": first(Reply(base64.urlsafe_b64encode(SECRETS), 500)),
    "500 with it URL-encoded": first(Reply(quote(ALL, safe=""), 500)),
    "500 with it in hex": first(Reply(SECRETS.hex(), 500)),
    "500 with it in UTF-16": first(Reply(ALL.encode("utf-16"), 500)),
    "500 with it in JSON": first(Reply({"status": 500, "body": f"no: {ALL}"}, 500)),
    "500 with it in JSON escapes": first(Reply(f'{{"status": 500, "body": "no: {JSON_ESCAPED}"}}', 500)),
    "500 with a page of HTML": first(Reply(HTML_PAGE, 500, HTML)),
    "500 with it in gzip": first(Reply(gzip.compress(SECRETS), 500, {"Content-Encoding": "gzip"})),
    "503": first(Reply({}, 503)),
    "418": first(Reply({}, 418)),
    "204": first(Reply(b"", 204)),
    "301": first(Reply({}, 301)),
    "302 to a URL with the secret": first(Reply(HTML_PAGE, 302, HTML)),
    "307 to another host": first(Reply({}, 307, {"Location": f"https://nowhere.invalid/{quote(TOKEN, safe='')}"})),
    "200 with a page of HTML": first(Reply(HTML_PAGE, 200, HTML)),
    "200 with a page of HTML that says it is JSON": first(Reply(HTML_PAGE)),
    "200 with bad JSON": first(Reply(f'{{"value": [{{"guid": "{TOKEN}", {PASSWORD}')),
    "200 with the secret as key, twice": first(Reply(f'{{"{quote(TOKEN)}": 1, "{quote(TOKEN)}": 2}}')),
    "200 with the secret as envelope": first(Reply({TOKEN: [], PASSWORD: []})),
    "200 with the secret as Content-Type": first(Reply({}, 200, {"Content-Type": f"text/{quote(PASSWORD, safe='')}"})),
    "200 with the secret as Content-Encoding": first(Reply({}, 200, {"Content-Encoding": quote(PASSWORD)[:39]})),
    "200 with the secret as Date": at("details", Reply({}, 200, {"Date": PAIR})),
    "200 with damaged gzip": first(Reply(gzip.compress(SECRETS)[:-9] + SECRETS, 200, {"Content-Encoding": "gzip"})),
    "200 with the secret as guid in the list": at(LISTS, Reply([{"guid": PASSWORD, "updatedAt": 1_790_000_000_000}])),
    "200 with the secret as guid of a detail": detail_with(nrbGuid=PASSWORD),
    "200 with the secret in a note": detail_with(nrbNotes=f"the password is {PASSWORD}"),
    "200 with the secret in a note, in base64": detail_with(nrbNotes=PAIR),
    "200 with the secret as money": detail_with(nrbTotalAfterMarkup=PASSWORD),
    "200 with the token in an invoice": at(
        INVOICES, Reply({"count": 1, "results": [{"jnid": "i1", "sales_rep_name": TOKEN, "note": JSON_ESCAPED}]})
    ),
    "200 with the token as count": at(INVOICES, Reply({"count": TOKEN, "results": []})),
    "200 with the token as jnid": at(INVOICES, Reply({"count": 1, "results": [{"jnid": {TOKEN: 1}}]})),
    "a reason phrase with the secret": first(raw(b"HTTP/1.1 401 " + SECRETS + b"\r\nContent-Length: 0\r\n\r\n")),
    "a status line with the secret": first(raw(SECRETS + b"\r\n\r\n")),
    "a header line with the secret": first(raw(b"HTTP/1.1 200 OK\r\n" + SECRETS + b"\r\n\r\n{}")),
    "a chunk size with the secret": first(raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + SECRETS)),
    "a body cut short": first(raw(body_of(SECRETS, length=9999))),
    "a reset": first(reset),
    "a time-out": first(Reply({}, delay=DEADLINE_SECONDS * 2)),
    "a drip": first(drips(body_of(b"", length=999), b" ", DEADLINE_SECONDS * 2)),
}
QUICK_VENDOR = {
    "success",
    "401",
    "302 to a URL with the secret",
    "500 with it in base64",
    "500 with it in JSON escapes",
    "500 with a page of HTML",
    "200 with bad JSON",
    "200 with the secret as Content-Type",
    "200 with the secret in a note",
    "200 with the token in an invoice",
    "a header line with the secret",
    "a reset",
}


# ── Where the network fails ─────────────────────────────────────────────────────────────────────────────────────────


def unused_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def no_name(stage: Stage) -> None:
    stage.set(AIMSIO_URL="https://nowhere.invalid", **dict(ABROAD))
    everything(stage)
    with stage.caught():
        stage.vendor.url, url = f"http://nowhere-{unused_port()}.invalid", stage.vendor.url
        try:
            stage.read_with_userinfo()
        finally:
            stage.vendor.url = url


def no_tls(stage: Stage) -> None:
    stage.set(AIMSIO_URL=stage.vendor.url.replace("http:", "https:"))
    everything(stage)


def refused(stage: Stage) -> None:
    stage.set(AIMSIO_URL=f"http://127.0.0.1:{unused_port()}")
    everything(stage)


# ── What is done with what was read ─────────────────────────────────────────────────────────────────────────────────


def looked_at(stage: Stage) -> None:
    """All that is shown, offline."""
    stage.synced()
    with ak.open() as audit:
        for frame in (
            audit.statement(),
            audit.findings(),
            audit.unbilled(),
            audit.reconcile(),
            audit.sql("from sync_run"),
        ):
            stage.carry("repr", frame.to_string(), frame.to_html(), repr(frame.attrs))
        stage.carry("repr", audit.title, repr(audit.about))
        stage.show(audit, audit.snapshot, audit.journal)
    for command in (["findings"], ["findings", "--json"], ["sql", "from audit_run"]):
        stage.run(*command)
    for command in (["audit"], ["audit", "--json"], ["sync", "--json"]) if stage.is_whole else ():
        stage.run(*command)


def sql_error(stage: Stage) -> None:
    stage.synced()
    with stage.caught(), ak.open() as audit:
        audit.sql("select no_such_column from nrb")
    stage.run("sql", "selec 1")


def reported(stage: Stage) -> None:
    stage.synced()
    shutil.copytree(Path(__file__).parents[2] / "notebooks", stage.cwd / "notebooks")
    assert stage.run("report") == 0


def planned(stage: Stage) -> Path:
    """A plan that ann has saved and bob has approved."""
    stage.synced()
    listed(stage.home, passphrase=PASSPHRASE)
    with ak.open() as audit:
        plan = audit.corrections.propose("nrb-unexported")
        stage.show(plan, *plan.changes)
        stage.carry("repr", repr(plan.preview()))
        path = audit.corrections.save(plan)
    stage.run("plan", "nrb-unexported")
    stage.run("identity", "list")
    stage.set(IDENTITY="bob")
    with ak.open() as audit:
        approved = audit.corrections.approve(path)
        stage.show(approved, *approved.signatures)
    stage.run("approve", str(path), "--yes")
    return path


def applied(stage: Stage, fault: Fault | None = None) -> None:
    """A plan is made, the vendor starts to fail, and the plan is applied, twice."""
    path = planned(stage)
    stage.vendor.fault = fault or stage.vendor.fault
    with stage.caught(), ak.open() as audit:
        outcomes = audit.corrections.apply(ak.Plan.load(path))
        stage.carry("repr", outcomes.to_string())
    stage.run("apply", str(path), "--yes")


def applied_with(fault: Fault) -> Callable[[Stage], None]:
    return lambda stage: applied(stage, fault)


def other_account(stage: Stage) -> None:
    path = planned(stage)
    stage.set(AIMSIO_USERNAME=f"other-{USER}")
    stage.run("apply", str(path), "--yes")
    everything(stage)


def second_writer(stage: Stage) -> None:
    with Store(stage.home).writer():
        everything(stage)


def damaged_snapshot(stage: Stage) -> None:
    stage.synced()
    (stage.home / "audit.duckdb").write_bytes(b"no database")
    stage.run("findings")
    everything(stage)


def damaged_cache(stage: Stage) -> None:
    stage.synced()
    for path in (stage.home / "cache").glob("*.sqlite"):
        path.write_bytes(b"no database" * 1000)
    everything(stage)


def damaged_entries(stage: Stage) -> None:
    stage.synced()
    for path in (stage.home / "cache").glob("*.sqlite"):
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.execute("update responses set value = 'x'")
            database.commit()
    everything(stage)


def interrupted(stage: Stage) -> None:
    """Ctrl-C in a notebook, while the main thread waits for an answer."""
    main = threading.main_thread().ident

    def fault(seen: Seen) -> object:
        if INVOICES in seen.target and main is not None:
            signal.pthread_kill(main, signal.SIGINT)
            time.sleep(0.3)
        return None

    stage.vendor.fault = fault
    with stage.caught():
        stage.read()
    stage.run("sync")


def stopped(by: signal.Signals) -> Callable[[Stage], None]:
    """The program is stopped while it waits for an answer."""

    def act(stage: Stage) -> None:
        waiting = threading.Event()

        def fault(seen: Seen) -> object:
            if INVOICES in seen.target:
                waiting.set()
                time.sleep(2)
            return None

        stage.vendor.fault = fault
        with stage.program("sync") as program:
            assert waiting.wait(30)
            program.send_signal(by)
            stage.carry("error text", *program.communicate(timeout=30))
        assert program.returncode != 0

    return act


def program(stage: Stage) -> None:
    """The installed program, whose own streams are read."""
    for command in (["sync"], ["doctor", "--json"], ["plan", "nrb-unexported"], ["sql", "selec"], ["findings"]):
        with stage.program(*command) as running:
            stage.carry("error text", *running.communicate(timeout=60))


# ── What the settings say ───────────────────────────────────────────────────────────────────────────────────────────

KEPT = ("auditkit.toml", "secrets.toml")
ABROAD = (("ALLOW_HOSTS", '["nowhere.invalid"]'), ("RATE_PER_SECOND", "10"))
WITH_USERINFO = f"https://{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@nowhere.invalid"


def loaded(stage: Stage) -> None:
    """Settings that are refused, in Python and in the shell."""
    with stage.caught():
        stage.read()
    for command in ("sync", "doctor", "findings"):
        stage.run(command)
    stage.run("init", "--yes")
    clear(stage)


def set_up(stage: Stage) -> None:
    """What `init` stores for a person without a keyring: two files that nobody else may read."""
    stage.run("init", "--yes")
    stage.set(AIMSIO_PASSWORD=None, JOBNIMBUS_TOKEN=None)
    files = {path.name: path for path in stage.cwd.glob("*.toml")}
    assert sorted(files) == ["auditkit.toml", "pyproject.toml", "secrets.toml"]
    everything(stage)
    assert [stat.S_IMODE(files[name].stat().st_mode) for name in KEPT] == [0o600, 0o600]
    assert [bool(hits(files[name].read_bytes())) for name in KEPT] == [True, True]
    files["secrets.toml"].chmod(0o644)
    loaded(stage)


def clear(stage: Stage) -> None:
    """Delete the person's own files, which may legitimately hold secrets."""
    for name in KEPT:
        (stage.cwd / name).unlink(missing_ok=True)


def with_file(text: str, *without: str) -> Callable[[Stage], None]:
    """These lines in auditkit.toml, and some settings not in the environment."""

    def act(stage: Stage) -> None:
        (stage.cwd / "auditkit.toml").write_text(text, encoding="utf-8")
        stage.set(**dict.fromkeys(without))
        loaded(stage)

    return act


QUOTED = json.dumps(PASSWORD, ensure_ascii=False)
SETTINGS: dict[str, tuple[tuple[str, object], ...]] = {
    "user and password in the URL": (("AIMSIO_URL", WITH_USERINFO), *ABROAD),
    "user and password in the URL, not encoded": (("AIMSIO_URL", f"https://{USER}:{PASSWORD}@portal.aimsio.com"),),
    "the token in the URL's query": (("JOBNIMBUS_URL", f"https://app.jobnimbus.com/?token={quote(TOKEN, safe='')}"),),
    "the token in place of the URL": (("JOBNIMBUS_URL", TOKEN),),
    "a typo in a setting": (("JOBNIMBUS_TOKN", TOKEN),),
    "the password in place of a zone": (("TIMEZONE", PASSWORD),),
    "the password in place of a number": (("PARALLEL", PASSWORD),),
    "the password in place of a day": (("AS_OF", PASSWORD),),
    "the password in place of money": (("TOLERANCE", PASSWORD),),
    "the password in place of a list": (("ALLOW_HOSTS", PASSWORD),),
    "the password in place of rules": (("RULES", QUOTED),),
    "credentials in part": (("JOBNIMBUS_URL", None),),
    "a token that no header can carry": (("JOBNIMBUS_TOKEN", f"{TOKEN} {PASSWORD}"),),
    "a home that cannot be": (("HOME", "/dev/null/home"),),
}
FILES: dict[str, Callable[[Stage], None]] = {
    "a password in the file": with_file(f"aimsio_password = {QUOTED}\n", "AIMSIO_PASSWORD"),
    "a user in the file": with_file(f'aimsio_username = "{USER}"\nparallel = -1\n', "AIMSIO_USERNAME"),
    "a typo in the file": with_file(f"aimsio_pasword = {QUOTED}\n", "AIMSIO_PASSWORD"),
    "a table in the file": with_file(f"[aimsio]\npassword = {QUOTED}\n"),
    "a list in the file": with_file(f"jobnimbus_token = [{QUOTED}]\n", "JOBNIMBUS_TOKEN"),
    "a URL with userinfo in the file": with_file(f"aimsio_url = {json.dumps(WITH_USERINFO)}\n", "AIMSIO_URL"),
    "a file that is no TOML": with_file(f"aimsio_password = {PASSWORD}\n"),
    "a file whose key is the secret": with_file(f"{QUOTED} = = 1\n"),
}

REFUSED_IMPORT = imported(not_imported=1, notices=[{"message": f"no: {quote(PASSWORD, safe='')} {PAIR}"}])
OUTCOMES: list[Outcome] = [
    *(Outcome(name, everything, fault, is_quick=name in QUICK_VENDOR) for name, fault in VENDOR.items()),
    Outcome("no such host", no_name),
    Outcome("no TLS", no_tls, is_quick=True),
    Outcome("connection refused", refused),
    Outcome("everything is shown", looked_at, is_quick=True),
    Outcome("an error in SQL", sql_error),
    Outcome("a report", reported),
    Outcome("a plan is applied", applied, is_quick=True),
    Outcome("a plan is refused", applied_with(at(IMPORT, Reply(REFUSED_IMPORT), method="POST"))),
    Outcome(
        "a plan is refused, without the secret",
        applied_with(at(IMPORT, Reply(imported(not_imported=1)), method="POST")),
    ),
    Outcome("a plan meets 401", applied_with(first(Reply({}, 401)))),
    Outcome("a plan meets 500", applied_with(at(IMPORT, Reply({}, 500), method="POST")), is_quick=True),
    Outcome("a plan's outcome is unknown", applied_with(at(IMPORT, reset, method="POST"))),
    Outcome("a plan of another account", other_account),
    Outcome("a second writer", second_writer),
    Outcome("a damaged snapshot", damaged_snapshot),
    Outcome("a damaged cache", damaged_cache, is_quick=True),
    Outcome("damaged entries of the cache", damaged_entries),
    Outcome("Ctrl-C in Python", interrupted, is_quick=True),
    Outcome("Ctrl-C at the program", stopped(signal.SIGINT)),
    Outcome("kill -9", stopped(signal.SIGKILL)),
    Outcome("the program", program),
    Outcome("settings kept by init", set_up, is_quick=True),
    *(Outcome(name, loaded, settings=settings, is_quick=True) for name, settings in SETTINGS.items()),
    *(Outcome(name, act, is_quick=True) for name, act in FILES.items()),
]
