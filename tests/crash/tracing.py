"""A client in a forked child under strace: its system calls, and how it ends when one of them fails.

strace attaches to the child before the client begins, so that a case does not need a new Python. A call is identified
by its kind and its number among those of its kind; it counts when it is on a file in the world's folder or on a socket
to the vendors. The child waits through its parent, so that the clock of the tests uses none of these sockets.

Not here: what is injected where, and what must hold then (test_apply_calls).
"""

import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from auditkit.errors import AuditkitError
from tests.crash.writing import CHILD_SECONDS, World, forked

FILES = (
    *("openat", "mkdir", "write", "pwrite64", "fsync", "fdatasync", "ftruncate", "rename", "unlink"),
    "flock",
)
KILL = "SIGKILL"
SOCKETS = ("socket", "connect", "sendto", "recvfrom")
_LET_ANYBODY_TRACE = (0x59616D61, ctypes.c_ulong(-1))  # PR_SET_PTRACER, where only an ancestor may trace


@dataclass(frozen=True)
class Call:
    """One system call: `number` from 1 among those of its kind, `line` as strace shows it."""

    kind: str
    number: int
    line: str

    def injecting(self, what: str) -> tuple[str, ...]:
        """The options of strace that inject this into the call: `KILL`, or the name of an error."""
        how = f"signal={KILL}" if what == KILL else f"error={what}"
        return f"--trace={self.kind}", f"--inject={self.kind}:{how}:when={self.number}"


@dataclass(frozen=True)
class Ended:
    """How a client ended: its status (negative: the signal), the error of ours that it raised, and its message.

    `log` is what strace saw.
    """

    status: int
    error: str
    words: str
    log: str

    @property
    def was_struck(self) -> bool:
        """Whether something was injected."""
        return self.status == -signal.SIGKILL or "(INJECTED)" in self.log


def can_attach() -> bool:
    """Whether strace is installed and may attach to a child of ours."""
    if not shutil.which("strace"):
        return False
    reading, writing = os.pipe()
    child = forked()
    if not child:
        _may_be_traced()
        os.close(writing)
        os.read(reading, 1)
        os._exit(0)
    os.close(reading)
    with _attached(child, ("-o", os.devnull)) as is_attached:
        os.close(writing)
        os.waitpid(child, 0)
    return is_attached


def calls(world: World, client: Callable[[], None]) -> list[Call]:
    """The calls of an undisturbed client, in order: those on its files and on the vendors' sockets."""
    ended = traced(world, client, "-yy", f"--trace={','.join(FILES + SOCKETS)}")
    assert (ended.status, ended.error) == (0, ""), ended
    counts: Counter[str] = Counter()
    found = []
    for line in ended.log.splitlines():
        if call := re.match(r"(\w+)\(", line):
            kind = call[1]
            counts[kind] += 1
            if str(world.folder) in line or re.match(r"\w+\((AF_INET|\d+<TCP:)", line):
                found.append(Call(kind, counts[kind], line))
    return found


def traced(world: World, client: Callable[[], None], *options: str) -> Ended:
    """Run a client in a child, under strace with these options."""
    log = world.folder.with_name(f"{world.folder.name}.calls")
    (child_reads, we_write), (we_read, child_writes) = os.pipe(), os.pipe()
    child = forked()
    if not child:
        os.close(we_read)
        os.close(we_write)
        _live(world, client, os.fdopen(child_reads), os.fdopen(child_writes, "w"))
    os.close(child_reads)
    os.close(child_writes)
    error = said = ""
    with (
        os.fdopen(we_read) as words,
        os.fdopen(we_write, "w") as orders,
        _attached(child, ("-o", str(log), *options)) as is_attached,
    ):
        assert is_attached, "strace could not attach"
        _tell(orders, "go")
        for line in words:
            verb, _, rest = line.rstrip("\n").partition(" ")
            if verb == "wait":
                world.wait(float(rest))
                _tell(orders, "go")
            else:
                error, said = json.loads(rest)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return Ended(status, error, said, log.read_text("utf-8", "replace"))


def _live(world: World, client: Callable[[], None], orders: IO[str], words: IO[str]) -> None:
    """Run the child. It never returns into the tests, and ends after a time limit."""
    status = 1

    def wait(seconds: float) -> None:
        _tell(words, f"wait {seconds}")
        orders.readline()

    try:
        signal.alarm(CHILD_SECONDS)
        _may_be_traced()
        world.wait = wait  # type: ignore[method-assign]
        orders.readline()
        try:
            client()
        except AuditkitError as error:
            _tell(words, f"raised {json.dumps([type(error).__name__, str(error)])}")
        status = 0
    finally:
        if status:
            sys.excepthook(*sys.exc_info())
        os._exit(status)


def _may_be_traced() -> None:
    ctypes.CDLL(None).prctl(*_LET_ANYBODY_TRACE)


def _tell(whom: IO[str], line: str) -> None:
    whom.write(f"{line}\n")
    whom.flush()


@contextmanager
def _attached(child: int, options: tuple[str, ...]) -> Iterator[bool]:
    """strace on a child for as long as the child lives; yields whether it could attach."""
    tracing = ["strace", *options, "-p", str(child)]
    with subprocess.Popen(tracing, stderr=subprocess.PIPE, text=True) as tracer:
        assert tracer.stderr
        yield "attached" in tracer.stderr.readline()
        tracer.stderr.read()
