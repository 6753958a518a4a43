"""The sandbox as a server on loopback: in this process, in a thread, or as a child process that ends with its parent.

It writes only the state file (and, if served from a shell, an empty `.lock` beside it), logs nothing, and listens on
127.0.0.1 only.

Not here: the command line; that is `__main__.py`.
"""

import contextlib
import errno
import json
import os
import shlex
import socket
import sqlite3
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Self

import uvicorn
from starlette.types import ASGIApp

from auditkit.sandbox.aimsio import AIMSIO_BASE
from auditkit.sandbox.app import create_app
from auditkit.sandbox.behaviors import Behaviors
from auditkit.sandbox.clock import Clock, system_clock
from auditkit.sandbox.error_bodies import NotStarted
from auditkit.sandbox.jobnimbus import JOBNIMBUS_BASE
from auditkit.sandbox.middleware import Credentials
from auditkit.sandbox.state import State, make_private

__all__ = ["Address", "Running", "in_thread", "serve", "start"]

_HOST = "127.0.0.1"
_PORTS = range(2**16)
_PARENT_CHECK_SECONDS = 0.5
_END_SECONDS = 5.0


@dataclass(frozen=True)
class Address:
    """Where a server listens, and the credentials that it accepts."""

    port: int
    credentials: Credentials = field(default_factory=Credentials)

    @property
    def root(self) -> str:
        """The server's own root, for /openapi.json and /limits."""
        return f"http://{_HOST}:{self.port}"

    @property
    def aimsio_url(self) -> str:
        """The base URL to give as Aimsio's."""
        return self.root + AIMSIO_BASE

    @property
    def jobnimbus_url(self) -> str:
        """The base URL to give as JobNimbus's."""
        return self.root + JOBNIMBUS_BASE

    def exports(self) -> str:
        """Shell lines that connect auditkit to this server, one for each setting."""
        values = {
            "AIMSIO_URL": self.aimsio_url,
            "AIMSIO_USERNAME": self.credentials.username,
            "AIMSIO_PASSWORD": self.credentials.password,
            "JOBNIMBUS_URL": self.jobnimbus_url,
            "JOBNIMBUS_TOKEN": self.credentials.token,
        }
        return "".join(f"export AUDITKIT_{name}={shlex.quote(value)}\n" for name, value in values.items())


def serve(
    state_path: Path,
    port: int,
    behaviors: Behaviors,
    credentials: Credentials,
    *,
    clock: Clock = system_clock,
    prepare: Callable[[Path], None] = lambda _: None,
    ready: Callable[[Address], None] = lambda _: None,
    child_of: int | None = None,
) -> None:
    """Serve until interrupted; port 0 is any free one. Raises `NotStarted` if the port or file cannot be used.

    `ready` is called once connections are accepted. Without `child_of`, `prepare` is called first, and a second server
    on the same state file is refused. With `child_of`, the parent's process id, several may share a file, and serving
    also ends when the parent dies or closes standard input.
    """
    with contextlib.ExitStack() as held:
        listener = held.enter_context(_listen(port))
        if child_of is None:
            held.enter_context(_locked(state_path))
            prepare(state_path)
        state = held.enter_context(State(state_path))
        server = _server(create_app(state, behaviors, credentials, clock))
        if child_of is not None:
            _end_with_parent(server, child_of)
        ready(Address(listener.getsockname()[1], credentials))
        server.run(sockets=[listener])


@contextlib.contextmanager
def in_thread(app: ASGIApp, credentials: Credentials | None = None) -> Iterator[Address]:
    """Serve an application from a thread of this process, on a free port, until the context ends."""
    with _listen(0) as listener:
        server = _server(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield Address(listener.getsockname()[1], credentials or Credentials())
        finally:
            server.should_exit = True
            thread.join(_END_SECONDS)


@dataclass(frozen=True)
class Running:
    """A server in a child process; a context manager that ends it."""

    address: Address
    process: subprocess.Popen[str]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the server and wait for its end; a second call does nothing."""
        if self.process.stdin:
            self.process.stdin.close()
        try:
            self.process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


def start(
    state_path: Path,
    behaviors: Behaviors | None = None,
    credentials: Credentials | None = None,
    *,
    port: int = 0,
    fixed_clock: datetime | None = None,
) -> Running:
    """Start a child process that serves a state file, and wait until it answers. Raises `NotStarted` if it does not.

    The child ends when it is closed, and also if this process dies in any way.
    """
    credentials = credentials or Credentials()
    command = [sys.executable, "-m", "auditkit.sandbox", "--state", str(state_path), "--port", str(port)]
    command += [f"--behavior={setting}" for setting in (behaviors or Behaviors()).settings()]
    command += [f"--{name}={value}" for name, value in asdict(credentials).items()]
    command += [f"--fixed-clock={fixed_clock.isoformat()}"] if fixed_clock else []
    command += [f"--child-of={os.getpid()}"]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, encoding="utf-8")  # noqa: S603 — our own module
    assert process.stdout and process.stderr  # noqa: S101 — pipes, as asked for
    last_lines = _keep_last(process.stderr)
    line = process.stdout.readline()
    if not line:
        process.wait()
        raise NotStarted(f"the sandbox ended with status {process.returncode}: {' '.join(last_lines())}")
    return Running(Address(json.loads(line)["port"], credentials), process)


def _keep_last(stream: IO[str]) -> Callable[[], list[str]]:
    """Read a child's stderr in a thread, so that it never blocks. Call the result for its last lines, after its end."""
    lines = deque[str](maxlen=20)

    def drain() -> None:
        with stream:
            lines.extend(line.strip() for line in stream)

    thread = threading.Thread(target=drain, daemon=True)
    thread.start()

    def last_lines() -> list[str]:
        thread.join(_END_SECONDS)
        return list(lines)

    return last_lines


def _listen(port: int) -> socket.socket:
    if port not in _PORTS:
        raise NotStarted(f"port {port}: expected {_PORTS.start} to {_PORTS.stop - 1}; 0 chooses any free one")
    # With this protocol asyncio sets TCP_NODELAY; otherwise each answer on a kept connection waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name == "posix":  # elsewhere the option would let two servers share a port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_HOST, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
        raise NotStarted(f"port {port} {why}; choose another, or 0 for any free one") from None
    return listener


@contextlib.contextmanager
def _locked(state_path: Path) -> Iterator[None]:
    """Lock a state file against a second server, which would have a rate limit and switches of its own.

    Its folder is created if the parent folder exists. The lock is SQLite's, on a file of its own: it works on every
    system, ends with its process in any case, and leaves the state file readable for others.
    """
    folder = state_path.absolute().parent
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise NotStarted(
            f"{state_path}: {folder} cannot be created ({error.strerror}); create the folder first"
        ) from None
    with contextlib.ExitStack() as held:
        try:
            make_private(Path(f"{state_path}.lock"))
            lock = sqlite3.connect(f"{state_path}.lock", isolation_level=None, timeout=0)
            held.enter_context(contextlib.closing(lock)).execute("begin exclusive")
        except sqlite3.Error as error:
            is_held = error.sqlite_errorcode == sqlite3.SQLITE_BUSY
            why = "another server uses it; stop that one" if is_held else f"cannot be locked ({error})"
            raise NotStarted(f"{state_path}: {why}, or name another file") from None
        yield


def _server(app: ASGIApp) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,
            loop="auto",
            http="auto",
            interface="asgi3",
            proxy_headers=False,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
        )
    )


def _end_with_parent(server: uvicorn.Server, parent: int) -> None:
    """Stop when the parent dies: standard input ends or, if another child keeps it open, the parent's id changes."""

    def watch_input() -> None:
        while sys.stdin.buffer.read(4096):
            pass
        server.should_exit = True

    def watch_parent() -> None:
        pause = threading.Event()
        while os.getppid() == parent:
            pause.wait(_PARENT_CHECK_SECONDS)
        server.should_exit = True

    threading.Thread(target=watch_input, daemon=True).start()
    if os.name == "posix":  # elsewhere a parent's id does not change when it dies
        threading.Thread(target=watch_parent, daemon=True).start()
