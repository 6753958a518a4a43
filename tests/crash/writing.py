"""Corrections that are killed: a vendor that treats each write as scheduled, and a client in a forked child.

The server runs in a thread of this process; each client is a child that opens connections, cache and journal of its
own, and is killed with SIGKILL when it passes its Nth point. Points are those that the code marks with
`sys.audit("auditkit.point", name)`, each request before it is sent (its head and its body separately), and each file of
the journal when it is opened or renamed. Time is the vendor's: it passes when a client waits, and then a delayed
request takes effect.

Not here: which operations there are, what is killed where, and what must hold then (test_apply_crash).
"""

import http.client
import json
import os
import shutil
import signal
import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

from auditkit.sandbox.app import create_app
from auditkit.sandbox.behaviors import Behaviors
from auditkit.sandbox.server import Address, in_thread
from auditkit.sandbox.state import State
from auditkit.vendors.aimsio import AimsioClient
from auditkit.vendors.auth import BasicAuth
from auditkit.vendors.jobnimbus import BearerAuth, JobNimbusClient
from auditkit.vendors.transport import Reader, Writer
from tests.readers import connected

Fate = Literal["answered", "lost", "refused", "answer lost", "gateway error", "late", "twice", "twice, answer lost"]

LATE_SECONDS = {"/aimsio": 14.0, "/jobnimbus": 59.0}  # within the time that a client waits for a request
CHILD_SECONDS = 20
DEADLINE_SECONDS = 8.0
_CLOCK = "/clock"


class Vendor:
    """The sandbox behind a proxy that treats each write as the next of `fates` says; without one it is answered.

    `lost` never arrives, `refused` is answered with 503 and not applied, `answer lost` is applied and the connection
    breaks, `gateway error` is answered with 503 and applied all the same, `late` breaks and is applied later, `twice`
    is what a proxy does that sends again. `writes` says of each write of the client how often it took effect.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self.fates: deque[Fate] = deque()
        self.writes: list[int] = []
        self._now = 0.0
        self._late: list[tuple[float, int, Any, bytes]] = []

    def begin(self, fates: Sequence[Fate]) -> None:
        """Start over, with these fates of the next writes."""
        self.fates = deque(fates)
        self.writes, self._late = [], []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == _CLOCK:
            await self._pass(float(parse_qs(scope["query_string"].decode())["seconds"][0]))
            await _answer(send, 200)
        elif scope["method"] == "GET":
            await self._app(scope, receive, _closing(send))
        elif (body := await _whole(receive)) is not None:
            self.writes.append(0)
            await self._write(len(self.writes) - 1, scope, body, send)

    async def _write(self, number: int, scope: Any, body: bytes, send: Any) -> None:
        match fate := self.fates.popleft() if self.fates else "answered":
            case "lost":
                await _break(send)
            case "refused":
                await _answer(send, 503)
            case "late":
                due = next(after for base, after in LATE_SECONDS.items() if scope["path"].startswith(base))
                self._late.append((self._now + due, number, scope, body))
                await _break(send)
            case _:
                for _ in range(2 if fate.startswith("twice") else 1):
                    messages = await self._applied(number, scope, body)
                if fate == "gateway error":
                    await _answer(send, 503)
                elif fate.endswith("answer lost"):
                    await _break(send)
                else:
                    for message in messages:
                        await send(message)

    async def _pass(self, seconds: float) -> None:
        self._now += seconds
        due = [late for late in self._late if late[0] <= self._now]
        self._late = [late for late in self._late if late not in due]
        for _, *write in due:
            await self._applied(*write)

    async def _applied(self, number: int, scope: Any, body: bytes) -> list[Any]:
        messages: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def keep(message: Any) -> None:
            messages.append(message)

        await self._app(scope, receive, keep)
        self.writes[number] += messages[0]["status"] < 300
        return messages


async def _whole(receive: Any) -> bytes | None:
    """The body of a request; None where its sender was killed before its end."""
    body = b""
    while (message := await receive())["type"] == "http.request":
        body += message["body"]
        if not message.get("more_body", False):
            return body
    return None


async def _answer(send: Any, status: int) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})


def _closing(send: Any) -> Any:
    """Close the connection after each answer: on an open one the system may delay an answer by 40 ms."""

    async def closing(message: Any) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
        await send(message)

    return closing


async def _break(send: Any) -> None:
    """An answer that is cut before its body, so that the fate of the request is unknown."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"100")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


@dataclass
class World:
    """A vendor's account and one home, which is new for each case."""

    state: State
    vendor: Vendor
    address: Address
    folder: Path
    seed: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def journal_path(self) -> Path:
        return self.home / "journal.jsonl"

    def begin(self, fates: Sequence[Fate]) -> None:
        """Start a case: a home with only its `seed`, and the fates of its writes."""
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir()
        for name, data in self.seed.items():
            (self.home / name).write_bytes(data)
        self.vendor.begin(fates)

    def wait(self, seconds: float) -> None:
        """Let the vendor's time pass; clients call this instead of sleeping."""
        connection = http.client.HTTPConnection(urlsplit(self.address.root).netloc, timeout=CHILD_SECONDS)
        connection.request("POST", f"{_CLOCK}?seconds={seconds}")
        assert connection.getresponse().status == 200
        connection.close()

    @contextmanager
    def aimsio(self) -> Iterator[AimsioClient]:
        """A client with connections and a cache of its own."""
        given = self.address.credentials
        auth = BasicAuth(SecretStr(given.username), SecretStr(given.password))
        with self._connected("Aimsio", self.address.aimsio_url, auth) as both:
            yield AimsioClient(*both)

    @contextmanager
    def jobnimbus(self) -> Iterator[JobNimbusClient]:
        """A client with connections and a cache of its own."""
        auth = BearerAuth(SecretStr(self.address.credentials.token))
        with self._connected("JobNimbus", self.address.jobnimbus_url, auth) as both:
            yield JobNimbusClient(*both)

    @contextmanager
    def _connected(self, vendor: str, url: str, auth: Any) -> Iterator[tuple[Reader, Writer]]:
        reader, writer = connected(vendor, url, auth, self.folder, deadline=DEADLINE_SECONDS)
        try:
            yield reader, writer
        finally:
            reader.close()

    def points_of(self, client: Callable[[], None]) -> list[str]:
        """Every point that an undisturbed client passes."""
        log = self.folder / "points.json"
        assert not self._run(client, None, log)
        return list(json.loads(log.read_text()))

    def killed(self, client: Callable[[], None], at: int | None) -> bool:
        """Run a client in a child, kill it at its Nth point (from 1; None: let it end); returns whether it was."""
        return self._run(client, at, None)

    def _run(self, client: Callable[[], None], at: int | None, log: Path | None) -> bool:
        child = forked()
        if not child:
            _live(client, at, str(self.home), log)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in (0, -signal.SIGKILL), f"the client ended with {status}"
        return status != 0


def forked() -> int:
    """A child of this process: 0 in the child, and its process id here."""
    with warnings.catch_warnings():
        # Python 3.12 warns about forking with threads; the child uses none of them.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _live(client: Callable[[], None], at: int | None, home: str, log: Path | None) -> None:
    """Run the child. It never returns into the tests, and ends after a time limit."""
    status = 1
    passed: list[str] = []

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if name := _point(event, arguments, home):
            passed.append(name)
            if len(passed) == at:
                os.kill(os.getpid(), signal.SIGKILL)

    try:
        signal.alarm(CHILD_SECONDS)
        sys.addaudithook(hook)
        client()
        if log:
            log.write_text(json.dumps(passed))
        status = 0
    finally:
        if status:
            sys.excepthook(*sys.exc_info())
        os._exit(status)


def _point(event: str, arguments: tuple[Any, ...], home: str) -> str | None:
    match event:
        case "auditkit.point":
            return str(arguments[0])
        case "http.client.send":
            return f"send {bytes(arguments[1])[:60]!r}"
        case "open" | "os.rename" if str(arguments[0]).startswith(home):
            return f"{event} {Path(str(arguments[0])).name}"
    return None


@contextmanager
def served(folder: Path, nrbs: Sequence[dict[str, Any]], invoices: Sequence[dict[str, Any]] = ()) -> Iterator[World]:
    """An account, served from a thread inside the block."""
    version("auditkit")  # what it imports is imported before any fork, not after each
    with ExitStack() as stack:
        state = stack.enter_context(State(folder / "vendors.sqlite"))
        state.fill(nrbs, invoices)
        vendor = Vendor(create_app(state, Behaviors(rate_per_second=0, parallel=0)))
        address = stack.enter_context(in_thread(vendor))
        yield World(state, vendor, address, folder)
