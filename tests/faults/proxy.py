"""A proxy between a client and both vendors, which does to each request what a test asks for.

Requests are named by their place in a correction: a list or a record is read before the first write or after it, and
a write is sent. What no act is about is passed on, and answered with the vendor's own answer.

Not here: the faults themselves (faults), and how single bytes are sent (server).
"""

import http.client
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from socket import socket
from typing import Literal
from urllib.parse import urlsplit

from auditkit.sandbox.server import Address
from tests.faults.endpoints import Endpoint
from tests.faults.faults import Scene, answer
from tests.faults.server import Play, says

Place = Literal["list before", "read before", "send", "list after", "read after"]

ALWAYS = 1_000_000
_LISTS = ("/NonRecurringBillableItem", "/invoices")
_PASSED_ON = ("authorization", "content-type", "accept")


def nothing() -> None:
    pass


@dataclass
class Act:
    """What becomes of the next `times` requests at one place.

    Each is passed on `passes` times, and the last answer is what `answer` plays with; without one, it is the answer.
    One that `lands_late` is passed on only once the client has waited. `before` and `after` are somebody else's doing,
    just before and just after the vendor gets it.
    """

    place: Place
    answer: Callable[[Scene], Play] | None = None
    passes: int = 1
    times: int = ALWAYS
    lands_late: bool = False
    before: Callable[[], object] = nothing
    after: Callable[[], object] = nothing


@dataclass(frozen=True)
class _Request:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @classmethod
    def of(cls, request: bytes) -> "_Request":
        head, _, body = request.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        pairs = (line.split(": ", 1) for line in lines)
        return cls(method, target, {name: value for name, value in pairs if name.lower() in _PASSED_ON}, body)

    @property
    def is_list(self) -> bool:
        return urlsplit(self.target).path.endswith(_LISTS)


@dataclass
class Proxy:
    """The play of a server (`Server.plays`) before the sandbox. What arrived is counted, whatever became of it."""

    sandbox: Address
    canary: str
    requests: int = 0
    writes: int = 0
    acts: list[Act] = field(default_factory=list)
    late: list[_Request] = field(default_factory=list)

    def begin(self, acts: Sequence[Act]) -> None:
        """Forget what was, and do this."""
        self.requests, self.writes, self.acts, self.late = 0, 0, list(acts), []

    def heal(self) -> None:
        """From now on everything is passed on."""
        self.acts = []

    def land(self) -> None:
        """What was held back reaches the vendor now."""
        late, self.late = self.late, []
        for request in late:
            self._vendors(request)

    def __call__(self, connection: socket, request: bytes) -> None:
        asked = _Request.of(request)
        act = self._next(self._place(asked))
        self.requests += 1
        self.writes += asked.method != "GET"
        act.before()
        if act.lands_late:
            self.late.append(asked)
        status, body = 200, _claimed(asked)
        for _ in range(0 if act.lands_late else act.passes):
            status, body = self._vendors(asked)
        act.after()
        scene = Scene(Endpoint("between", "", body.decode(), lambda *_: None, {}), self.canary)
        play = act.answer(scene) if act.answer else says(answer(body, status))
        play(connection, request)

    def _place(self, asked: _Request) -> Place:
        if asked.method != "GET":
            return "send"
        if asked.is_list:
            return "list after" if self.writes else "list before"
        return "read after" if self.writes else "read before"

    def _next(self, place: Place) -> Act:
        for act in self.acts:
            if act.place == place and act.times:
                act.times -= 1
                return act
        return Act(place)

    def _vendors(self, asked: _Request) -> tuple[int, bytes]:
        base = self.sandbox.aimsio_url if asked.target.startswith("/rest/") else self.sandbox.jobnimbus_url
        to = urlsplit(base)
        connection = http.client.HTTPConnection(to.netloc, timeout=15)
        try:
            connection.request(asked.method, to.path + asked.target, asked.body or None, asked.headers)
            found = connection.getresponse()
            return found.status, found.read()
        finally:
            connection.close()


def _claimed(asked: _Request) -> bytes:
    """The answer of a vendor that did nothing and claims to have done it."""
    if asked.method == "GET":
        return b"{}"
    creates = not asked.target.startswith("/rest/") or "nrbGuid" not in json.loads(asked.body)["nrbList"][0]
    return counts(**({"Created": 1} if creates else {"Edited": 1}))


def counts(*, notices: object = (), **said: object) -> bytes:
    """Aimsio's answer to an import; JobNimbus may answer anything."""
    all_named = ("Created", "Edited", "EditedWithErrors", "NotImportedDueToErrors", "Imported")
    numbers = {**dict.fromkeys(all_named, 0), "Imported": 1, **said}
    named = {f"numberOfEntities{name}": value for name, value in numbers.items() if value is not ...}
    return json.dumps({**named, "notices": notices}).encode()
