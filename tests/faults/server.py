"""A vendor that answers byte by byte as a fault demands: plain sockets, one connection for each answer.

A `Play` gets the connection and the request that arrived on it, head and body, and does what the fault is about.
"""

import contextlib
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

Play = Callable[[socket.socket, bytes], None]

_TLS_RECORD = b"\x16\x03"
_LENGTH = re.compile(rb"(?im)^content-length: *([0-9]+)")
_LONGEST_SECONDS = 15.0  # that a play waits for the client to close


class Server:
    """`plays(a, b)` gives a to the first request, then b to all others; `arrived` holds each moment and target."""

    def __init__(self, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.arrived: list[tuple[float, str]] = []
        self.connections = 0
        self._plays: list[Play] = [says(b"HTTP/1.1 500 X\r\n\r\n")]
        self._when: Callable[[str], bool] = lambda target: True
        self._otherwise: Play | None = None
        self._tls = tls
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listening.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://{host}:{self.port}"

    def plays(self, *plays: Play) -> None:
        with self._lock:
            self._plays = list(plays)
            self.arrived.clear()

    def only(self, when: Callable[[str], bool], otherwise: Play) -> None:
        """Play for the targets that `when` names; for the others, something else, which is not counted."""
        self._when, self._otherwise = when, otherwise

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(_LONGEST_SECONDS)
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            stack.callback(connection.close)
            request = _request(connection)
            if b"\r\n\r\n" not in request:  # a client that uses TLS with a server that does not
                self._plays[0](connection, request)
                return
            target = request.split(b" ", 2)[1].decode()
            if self._otherwise and not self._when(target):
                self._otherwise(connection, request)
                return
            with self._lock:
                self.arrived.append((time.monotonic(), target))
                play = self._plays.pop(0) if len(self._plays) > 1 else self._plays[0]
            play(connection, request)


@contextlib.contextmanager
def running(tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[Server]:
    server = Server(tls, host)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(5)


def _request(connection: socket.socket) -> bytes:
    request = b""
    while not request.startswith(_TLS_RECORD):
        head, end, body = request.partition(b"\r\n\r\n")
        announced = _LENGTH.search(head)
        if end and len(body) >= int(announced[1] if announced else 0):
            break
        piece = connection.recv(65536)
        if not piece:
            break
        request += piece
    return request


# ── What a server may do ──────────────────────────────────────────────────────────────────────────────────────────────


def relays(url: str) -> Play:
    """What another server answers, whose connection ends with its answer."""
    parts = urlsplit(url)

    def play(connection: socket.socket, head: bytes) -> None:
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
        lines.insert(1, b"Connection: close")
        with socket.create_connection((parts.hostname or "", parts.port or 80), _LONGEST_SECONDS) as onward:
            onward.sendall(b"\r\n".join(lines))
            while piece := onward.recv(65536):
                connection.sendall(piece)

    return play


def says(content: bytes) -> Play:
    """Exactly these bytes, then the end of the connection."""

    def play(connection: socket.socket, head: bytes) -> None:
        connection.sendall(content)
        _part(connection)

    return play


def breaks_off(content: bytes = b"") -> Play:
    """These bytes, then a reset."""

    def play(connection: socket.socket, head: bytes) -> None:
        connection.sendall(content)
        if content:
            time.sleep(0.01)  # so that the bytes leave before the reset overtakes them
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return play


def stalls(content: bytes = b"") -> Play:
    """These bytes, then nothing until the client leaves."""

    def play(connection: socket.socket, head: bytes) -> None:
        connection.sendall(content)
        connection.recv(1)

    return play


def drips(start: bytes, drop: bytes, every: float = 0.02) -> Play:
    """These bytes, then a drop now and then until the client leaves."""

    def play(connection: socket.socket, head: bytes) -> None:
        connection.sendall(start)
        until = time.monotonic() + _LONGEST_SECONDS
        while time.monotonic() < until:
            connection.sendall(drop)
            time.sleep(every)

    return play


def pours(start: bytes, content: bytes, times: int) -> Play:
    """These bytes, then the content so many times, as fast as the client takes it."""

    def play(connection: socket.socket, head: bytes) -> None:
        connection.sendall(start)
        for _ in range(times):
            connection.sendall(content)
        _part(connection)

    return play


def _part(connection: socket.socket) -> None:
    """End what we send, and wait for the client to end too: a close at once may reset what is under way."""
    if isinstance(connection, ssl.SSLSocket):
        return
    connection.shutdown(socket.SHUT_WR)
    with contextlib.suppress(OSError):
        connection.recv(1)
