"""The command line, as a person types it: in this process if that is enough, else as the installed program."""

import contextlib
import hashlib
import io
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest

import auditkit as ak
from auditkit.cli.main import main
from auditkit.sandbox import server
from auditkit.sandbox.state import State
from auditkit.sandbox.world import World
from tests.served import point, serving

PROGRAM = Path(sys.executable).with_name("auditkit")


@dataclass(frozen=True)
class Ran:
    """How a command ended: its exit code and what it wrote."""

    code: int
    out: str
    err: str


def auditkit(*arguments: str) -> Ran:
    """Run one command in this process. An error that nobody foresaw fails the test, with its traceback."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["auditkit", *arguments]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as ending:
            if crash := re.search(r"with the traceback in (.+)\n", err.getvalue()):
                raise AssertionError(Path(crash[1]).read_text("utf-8")) from None
            return Ran(int(ending.code or 0), out.getvalue(), err.getvalue())
    raise AssertionError("a command always ends with an exit code")


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """For starting a process: tests started in the background ignore Ctrl-C, and the process would inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def started(*arguments: str) -> subprocess.Popen[str]:
    """The installed program in a process of its own."""
    pipe = subprocess.PIPE
    with interruptible():
        return subprocess.Popen([PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True)


def assert_refused(ran: Ran, *words: str) -> None:
    """Exit code 2 and exactly one line on standard error, which holds each of the words."""
    assert ran.code == 2, ran
    assert ran.err.startswith("auditkit: ") and ran.err.endswith("\n") and ran.err.count("\n") == 1, ran.err
    assert "Traceback" not in ran.err + ran.out and "�" not in ran.err
    for word in words:
        assert word in ran.err


def bytes_of(home: Path) -> dict[str, str]:
    """Path → digest of every published file of a home, without what writers and readers leave beside them."""
    kept = [
        home / "audit.duckdb",
        *home.glob("snapshots/*"),
        home / "journal.jsonl",
        home / "journal.anchor",
        *home.glob("reports/*.html"),
    ]
    return {
        str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest() for path in kept if path.is_file()
    }


@dataclass(frozen=True)
class Account:
    """An account on a sandbox, and a home that was synced once with it: copy it, never change it."""

    address: server.Address
    synced: Path
    state: State
    world: World

    def home(self, monkeypatch: pytest.MonkeyPatch, folder: Path, **settings: str) -> Path:
        """A copy of the synced home in a folder, with the settings of its account."""
        shutil.copytree(self.synced, folder / "home")
        point(monkeypatch, self.address, folder / "home", **settings)
        return folder / "home"


@contextlib.contextmanager
def account_of(world: World, folder: Path, **behaviors: object) -> Iterator[Account]:
    """Serve a world, and sync it into a first home."""
    with serving(world, folder, **behaviors) as address, State(folder / "vendors.sqlite") as state:
        with pytest.MonkeyPatch.context() as monkeypatch:
            point(monkeypatch, address, folder / "synced")
            with ak.open() as audit:
                audit.sync()
        yield Account(address, folder / "synced", state, world)


@contextlib.contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A file system of that size in memory; skips if this user may not mount one."""
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(mounting, capture_output=True, check=False).returncode:
        pytest.skip("a file system cannot be mounted by this user here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
