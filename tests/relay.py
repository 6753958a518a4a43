"""A server in front of the sandbox that changes some of its answers, to make one record or one list go wrong."""

import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from auditkit.sandbox.server import Address
from tests.faults.faults import answer
from tests.faults.server import relays, running, says

Change = Callable[[bytes], bytes]  # a body → another


@dataclass
class Relay:
    """Passes every request on, but for those whose path ends with a name in `answers` or `changes`.

    `answers` holds whole HTTP answers, `changes` what is made of the body of the sandbox's own.
    """

    address: Address
    answers: dict[str, bytes] = field(default_factory=dict)
    changes: dict[str, Change] = field(default_factory=dict)

    def heal(self) -> None:
        """From now on pass everything on."""
        self.answers.clear()
        self.changes.clear()


@contextlib.contextmanager
def relayed(sandbox: Address) -> Iterator[Relay]:
    """A relay to a running sandbox, at an address of its own, for as long as the block lasts."""
    with running() as server:
        relay = Relay(replace(sandbox, port=server.port))
        onward = relays(sandbox.root)

        def play(connection: socket.socket, request: bytes) -> None:
            path = request.split(b" ", 2)[1].decode().partition("?")[0]
            for name, whole in relay.answers.items():
                if path.endswith(name):
                    says(whole)(connection, request)
                    return
            for name, change in relay.changes.items():
                if path.endswith(name):
                    says(answer(change(_body(sandbox, request))))(connection, request)
                    return
            onward(connection, request)

        server.plays(play)
        yield relay


def _body(sandbox: Address, request: bytes) -> bytes:
    lines = [line for line in request.split(b"\r\n") if not line.lower().startswith((b"connection:", b"accept-enc"))]
    lines.insert(1, b"Connection: close")
    with socket.create_connection(("127.0.0.1", sandbox.port), 15) as onward:
        onward.sendall(b"\r\n".join(lines))
        received = b""
        while chunk := onward.recv(65536):
            received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head.lower():
        body = _unchunked(body)
    return body


def _unchunked(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        whole += rest[:length]
        body = rest[length + 2 :]
        if not length:
            break
    return whole
