"""A vendor that answers as a test asks, byte by byte if need be, and records what arrived on the wire."""

import http.server
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

Raw = Callable[[socket.socket], None]


@dataclass(frozen=True)
class Reply:
    """An answer; `body` may be bytes, text, or a value to send as JSON."""

    body: object = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0

    def encoded(self) -> bytes:
        body = self.body if isinstance(self.body, (bytes, str)) else json.dumps(self.body)
        content = body.encode() if isinstance(body, str) else body
        headers = {"Content-Type": "application/json", "Content-Length": str(len(content)), **self.headers}
        lines = [f"HTTP/1.1 {self.status} X", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode() + content


@dataclass(frozen=True)
class Seen:
    """A request as it arrived."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    at: float
    connection: object


class Vendor:
    """`answers(a, b)` answers a, then b, then b forever; an answer is a `Reply` or writes to the socket itself."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.most_in_flight = 0
        self._in_flight = 0
        self._replies: list[Reply | Raw] = [Reply()]
        self._lock = threading.Lock()
        self.url = ""

    def answers(self, *replies: Reply | Raw) -> "Vendor":
        self._replies = list(replies)
        return self

    def targets(self) -> list[str]:
        return [seen.target for seen in self.seen]

    def reply(self, seen: Seen) -> Reply | Raw:
        """The answer to a request; called for one request at a time."""
        return self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]

    def serve(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        with self._lock:
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
            body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in handler.headers.items()}
            self.seen.append(
                Seen(handler.command, handler.path, headers, body, time.monotonic(), handler.client_address)
            )
            reply = self.reply(self.seen[-1])
        try:
            if isinstance(reply, Reply):
                time.sleep(reply.delay)
                handler.wfile.write(reply.encoded())
            else:
                handler.close_connection = True
                reply(handler.connection)
        except OSError:
            handler.close_connection = True  # the client closed the connection, as some tests intend
        finally:
            with self._lock:
                self._in_flight -= 1


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address) -> None:
        """Ignore errors: a client that hangs up is part of the tests."""


@contextmanager
def running_vendor(vendor: Vendor | None = None) -> Iterator[Vendor]:
    vendor = vendor or Vendor()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            """Quiet."""

        def do_GET(self) -> None:
            vendor.serve(self)

        do_POST = do_PUT = do_GET  # noqa: N815 - http.server looks for these names

    server = _Server(("127.0.0.1", 0), Handler)
    vendor.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield vendor
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def reset(connection: socket.socket) -> None:
    """Break the connection without an answer."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    connection.close()


def sends(content: bytes) -> Raw:
    """Write exactly these bytes, then close."""

    def write(connection: socket.socket) -> None:
        connection.sendall(content)
        connection.shutdown(socket.SHUT_RDWR)

    return write


def drips(start: bytes, drop: bytes, seconds: float) -> Raw:
    """Write a start, then a byte every 50 ms, like a server that never ends."""

    def write(connection: socket.socket) -> None:
        connection.sendall(start)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            connection.sendall(drop)
            time.sleep(0.05)

    return write
