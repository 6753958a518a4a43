"""Kill a command with SIGKILL: at a point that the code names, or at the Nth call of a kind that changes files.

The code marks its points with `sys.audit("auditkit.point", name)`, which does nothing without a listener.
"""

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.commands import PROGRAM

_LISTENING = """
import os, signal, sys
name, wanted, seen = {name!r}, {number}, 0
def hook(event, arguments):
    global seen
    if event != "auditkit.point":
        return
    if name is None:
        print("point", arguments[0], file=sys.stderr)
    elif arguments[0] == name:
        seen += 1
        if seen == wanted:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
sys.argv = ["auditkit", *{arguments!r}]
from auditkit.cli.main import main
main()
"""
# Calls that change a file system. An open that creates a file is followed by one of these.
CHANGES = ("fdatasync", "fsync", "ftruncate", "link", "mkdir", "pwrite64", "rename", "unlink", "write")


def points(*arguments: str) -> list[str]:
    """The points that a command passes, in order."""
    ran = _listening(None, 0, arguments)
    assert ran.returncode == 0, ran.stderr
    return [line.removeprefix("point ") for line in ran.stderr.splitlines() if line.startswith("point ")]


def kill_at(point: str, number: int, *arguments: str) -> bool:
    """Run a command and kill it when it passes a point for the `number`th time; returns whether it did."""
    return _listening(point, number, arguments).returncode == -9


def _listening(name: str | None, number: int, arguments: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    code = _LISTENING.format(name=name, number=number, arguments=list(arguments))
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)


def file_calls(home: Path, *arguments: str) -> list[tuple[str, int]]:
    """Each call of a command that changes a file of the home: its kind, and its number within its thread."""
    log = home.parent / "calls.log"
    traced = ["strace", "-f", "--seccomp-bpf", "-y", "-qq", "-o", str(log), "-e", f"trace={','.join(CHANGES)}"]
    subprocess.run([*traced, PROGRAM, *arguments], capture_output=True, check=True, timeout=300)
    counts: Counter[tuple[str, str]] = Counter()
    found: dict[tuple[str, int], None] = {}
    for line in log.read_text("utf-8", "replace").splitlines():
        if call := re.match(r"(\d+) +(\w+)\((.*)", line):
            thread, kind, rest = call.groups()
            counts[thread, kind] += 1
            if str(home) in rest:
                found[kind, counts[thread, kind]] = None
    return list(found)


def kill_at_call(kind: str, number: int, *arguments: str) -> bool:
    """Run a command and kill it at the `number`th call of a kind in one of its threads; returns whether it was."""
    traced = ["strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", f"trace={kind}"]
    traced += ["-e", f"inject={kind}:signal=SIGKILL:when={number}"]
    ran = subprocess.run([*traced, PROGRAM, *arguments], capture_output=True, check=False, timeout=300)
    return ran.returncode in (-9, 137)


def can_trace() -> bool:
    """Whether strace is installed and allowed."""
    if not shutil.which("strace"):
        return False
    return subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], check=False).returncode == 0
