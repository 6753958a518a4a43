"""Where an outcome runs: a person's folders and environment, and everything that could leak a secret."""

import contextlib
import copy
import dataclasses
import http.client
import io
import json
import logging
import pickle
import pprint
import shutil
import subprocess
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import rich.console
import rich.pretty
import rich.traceback
from IPython.core import ultratb
from pydantic import SecretStr
from requests.auth import AuthBase

import auditkit as ak
from auditkit.corrections import apply as applying
from auditkit.corrections.operations.invoice import InvoiceOperation
from auditkit.corrections.operations.nrb import NrbOperation
from auditkit.vendors import connection, transport
from auditkit.vendors.auth import Credentials
from tests.canaries.scanner import PASSPHRASE, PASSWORD, TOKEN, USER
from tests.canaries.vendor import PAIR, Account
from tests.commands import PROGRAM, auditkit
from tests.readers import connected

DEADLINE_SECONDS = 0.4


class Stage:
    """One outcome's folder: `home`, `cwd`, `tmp` and the person's own. `carried`: carrier → what it would carry.

    `synced`: a home that was synced with this vendor before. `is_whole`: audits too, which takes seconds for each.
    """

    def __init__(
        self, folder: Path, vendor: Account, patch: pytest.MonkeyPatch, synced: Path | None = None, *, is_whole: bool
    ) -> None:
        self.folder, self.vendor, self.patch, self.is_whole = folder, vendor, patch, is_whole
        self._synced = synced
        self.home, self.cwd = folder / "home", folder / "cwd"
        self.carried: dict[str, list[bytes]] = {}
        for name in ("cwd", "tmp", "person"):
            (folder / name).mkdir(parents=True)
        (self.cwd / "pyproject.toml").touch()
        patch.chdir(self.cwd)
        patch.setattr(tempfile, "tempdir", None)
        patch.setenv("TMPDIR", str(folder / "tmp"))
        for name in ("HOME", "IPYTHONDIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
            patch.setenv(name, str(folder / "person"))
        self.set(
            HOME=self.home,
            AIMSIO_URL=vendor.url,
            AIMSIO_USERNAME=USER,
            AIMSIO_PASSWORD=PASSWORD,
            JOBNIMBUS_URL=vendor.url,
            JOBNIMBUS_TOKEN=TOKEN,
            TIMEZONE="America/Edmonton",
            AS_OF="2026-09-30",
            RATE_PER_SECOND="2000",
            IDENTITY="ann",
            PASSPHRASE=PASSPHRASE,
        )

    def set(self, **settings: object) -> None:
        """Settings in the environment; None takes one away."""
        for name, value in settings.items():
            if value is None:
                self.patch.delenv(f"AUDITKIT_{name}")
            else:
                self.patch.setenv(f"AUDITKIT_{name}", str(value))

    def carry(self, carrier: str, *texts: str | bytes) -> None:
        self.carried.setdefault(carrier, []).extend(t.encode() if isinstance(t, str) else t for t in texts)

    def run(self, *arguments: str) -> int:
        """A command in this process; what it printed is carried by `error text`."""
        ran = auditkit(*arguments)
        self.carry("error text", ran.out, ran.err)
        return ran.code

    def program(self, *arguments: str) -> subprocess.Popen[bytes]:
        """The installed program in a process of its own."""
        pipe = subprocess.PIPE
        return subprocess.Popen([PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe)

    def sync(self) -> None:
        """As a notebook does."""
        with ak.open() as audit:
            try:
                audit.sync()
            finally:
                self.show(audit)

    def synced(self) -> None:
        """Have a home with a snapshot in it."""
        if self._synced:
            shutil.copytree(self._synced, self.home)
        else:
            self.sync()

    def read(self) -> None:
        """What a sync reads, without what it makes of it; every object is shown on the way."""
        with ak.open() as audit:
            self.show(audit, audit.settings)
            with audit.sources() as sources:
                aimsio, jobnimbus = (source.client for source in sources)
                self.show(*sources)
                for client in (aimsio, jobnimbus):
                    http = client._reader._http
                    self.show(client, client._reader, client._writer, client._reader._cache, http, http._auth)
                for stub in aimsio.stubs():
                    aimsio.nrb(stub.guid or "", str(stub.updated_at))
                jobnimbus.page(0)

    def read_with_userinfo(self) -> None:
        """A base URL that holds user and password, which settings refuse, and a request header in odd case."""
        host = self.vendor.url.removeprefix("http://")
        base_url = f"http://{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@{host}"
        credentials = Credentials(secrets=(SecretStr(TOKEN),))
        reader, _ = connected(
            "Aimsio", base_url, OddAuth(), self.folder / "odd", deadline=DEADLINE_SECONDS, credentials=credentials
        )
        self.vendor.carried["URL userinfo"] += 1
        with contextlib.closing(reader):
            answer = reader.get("/rest/api/standard/v1/NonRecurringBillableItem", version="1")
            self.show(reader, answer)

    @contextlib.contextmanager
    def caught(self) -> Iterator[None]:
        """Catch what is raised; keep its traceback in each of four renderings, and the error itself."""
        try:
            yield
        except AssertionError:
            raise
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - whatever it is, its traceback must be clean
            self.carry("traceback", *tracebacks(error, is_whole=self.is_whole))
            self.show(error)

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """All logging at DEBUG and all that is printed, also by http.client."""
        printed, logged = io.StringIO(), io.StringIO()
        handler, root = logging.StreamHandler(logged), logging.getLogger()
        level = root.level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        self.patch.setattr(http.client.HTTPConnection, "debuglevel", 1)
        try:
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                yield
        finally:
            root.removeHandler(handler)
            root.setLevel(level)
            self.carry("log", logged.getvalue(), printed.getvalue())

    def show(self, *objects: object) -> None:
        """Every form that a person or a program makes of an object."""
        for thing in objects:
            self.carry("repr", *reprs(thing))
            self.carry("pickle", *pickles(thing))


class OddAuth(AuthBase):
    """Signs under a header name that only a case-insensitive comparison recognizes."""

    def __call__(self, request):
        request.headers["aUtHoRiZaTiOn"] = f"bAsIc {PAIR}"
        return request


def reprs(thing: object) -> Iterator[str]:
    console = rich.console.Console(file=io.StringIO(), width=200, record=True)
    console.print(thing)
    rich.inspect(thing, console=console, private=True, docs=False)
    yield from (repr(thing), str(thing), f"{thing}", ascii(thing), pprint.pformat(thing), console.export_text())
    yield repr(getattr(thing, "__dict__", None))
    for name in ("_repr_html_", "_repr_mimebundle_", "model_dump", "model_dump_json", "args"):
        found = getattr(thing, name, None)
        yield repr(found() if callable(found) else found)


def pickles(thing: object) -> Iterator[bytes]:
    """The pickled object; nothing if it refuses to be pickled."""
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with contextlib.suppress(TypeError, AttributeError, pickle.PicklingError):
            yield pickle.dumps(thing, protocol)
    for copied in (copy.copy, copy.deepcopy, dataclasses.asdict, dataclasses.astuple, vars):
        with contextlib.suppress(TypeError, AttributeError):
            yield repr(copied(thing)).encode()
    for default in (str, repr, lambda each: {name: str(value) for name, value in vars(each).items()}):
        with contextlib.suppress(TypeError):
            yield json.dumps(thing, default=default).encode()


def tracebacks(error: BaseException, *, is_whole: bool) -> Iterator[str]:
    """Python's own, with and without locals, IPython's verbose one, and rich's with locals; from our first frame on.

    rich colors whole files, which takes long, to show the same locals.
    """
    behind = error.__traceback__
    while behind and "/tests/" in behind.tb_frame.f_code.co_filename and behind.tb_next:
        behind = behind.tb_next
    yield "".join(traceback.format_exception(type(error), error, behind))
    yield "".join(traceback.TracebackException(type(error), error, behind, capture_locals=True).format())
    yield ultratb.VerboseTB(theme_name="nocolor", include_vars=True).text(type(error), error, behind)
    if not is_whole:
        return
    console = rich.console.Console(file=io.StringIO(), width=200, record=True)
    shown = rich.traceback.Traceback.from_exception(
        type(error), error, behind, show_locals=True, locals_max_length=None, locals_max_string=None
    )
    console.print(shown)
    yield console.export_text()


def shorten_waits(patch: pytest.MonkeyPatch) -> None:
    """Two attempts without a pause, short deadlines, and no waiting time after a write."""
    patch.setattr(transport, "_LONGEST_WAIT_SECONDS", 0.001)
    patch.setattr(transport, "ATTEMPTS", 2)
    for operation in (NrbOperation, InvoiceOperation):
        patch.setattr(operation, "quiet", 0.0)
    patch.setattr(applying, "VERIFY_PAUSE_SECONDS", 0.0)
    patch.setattr(connection, "DEADLINE_SECONDS", DEADLINE_SECONDS)
