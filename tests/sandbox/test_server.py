"""The sandbox as a child process: it starts fast, has its switches, and never outlives its parent."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
import requests

from auditkit.sandbox.behaviors import Behaviors
from auditkit.sandbox.dataset import build
from auditkit.sandbox.error_bodies import NotStarted
from auditkit.sandbox.middleware import Credentials
from auditkit.sandbox.server import start
from auditkit.sandbox.state import State, Term

from . import bodies
from .conftest import LIST, SAVE


@pytest.fixture
def state_path(tmp_path):
    path = tmp_path / "state.sqlite"
    with State(path) as state:
        state.fill(bodies.nrbs(), bodies.invoices())
    return path


@pytest.fixture
def ended_by_pytest():
    """Stops what a test registers here, even if the test fails."""
    with ExitStack() as stack:
        yield stack


def is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(test, seconds=5.0):
    end = time.monotonic() + seconds
    while not test() and time.monotonic() < end:
        time.sleep(0.02)
    return test()


def test_a_child_serves_with_its_switches_credentials_and_clock(state_path, monkeypatch):
    monkeypatch.delenv("http_proxy", raising=False)
    now = datetime(2026, 9, 30, 12, tzinfo=UTC)
    behaviors = Behaviors(list_shape="value", rate_per_second=0)
    with start(state_path, behaviors, Credentials("ann", "-p w", "t"), fixed_clock=now) as running:
        address = running.address
        saved = {"nrbList": [{"nrbGuid": bodies.NRB, "nrbNotes": "x"}]}
        result = requests.post(address.aimsio_url + SAVE, json=saved, auth=("ann", "-p w"), timeout=5).json()
        assert result["updatedAt"] == now.timestamp() * 1000
        rows = requests.get(address.aimsio_url + LIST, auth=("ann", "-p w"), timeout=5).json()["value"]
        assert len(rows) == 3
    assert not is_open(address.port)
    assert running.process.returncode == 0
    with State(state_path) as state:
        assert [call.status for call in state.calls()] == [200, 200]


def test_nothing_is_written_but_the_state_file(state_path):
    with start(state_path) as running:
        requests.get(running.address.root + "/openapi.json", timeout=5)
    assert [path.name for path in state_path.parent.iterdir()] == [state_path.name]


def test_a_file_is_served_from_a_shell_once_and_by_any_number_of_children(state_path):
    with start(state_path), start(state_path):
        pass
    first, second = (run_from_shell("--state", str(state_path), "--port", "0") for _ in range(2))
    try:
        assert wait_until(lambda: first.poll() is not None or second.poll() is not None, 30)
        refused, serving = (second, first) if first.poll() is None else (first, second)
        assert refused.communicate()[1].strip().endswith("stop that one, or name another file")
        assert (refused.returncode, serving.poll()) == (2, None)
        with start(state_path):
            pass
    finally:
        for process in (first, second):
            process.kill()
            process.communicate()


def test_a_port_in_use_is_named(state_path):
    with start(state_path) as running, pytest.raises(NotStarted, match=f"port {running.address.port} is in use"):
        start(state_path, port=running.address.port)


def test_closing_twice_does_nothing(state_path):
    running = start(state_path)
    running.close()
    running.close()


@pytest.mark.skipif(os.name != "posix", reason="kill -9 needs POSIX")
def test_a_child_ends_when_its_parent_is_killed(state_path):
    parent = (
        "import os, sys, time; from pathlib import Path; from auditkit.sandbox.server import start\n"
        f"running = start(Path({str(state_path)!r}))\n"
        # A sibling that inherits the pipe keeps the child's standard input open beyond the parent's death.
        "sibling = os.fork()\n"
        "if sibling == 0: time.sleep(20); os._exit(0)\n"
        "print(running.address.port, sibling, flush=True); time.sleep(20)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True)
    port, sibling = map(int, process.stdout.readline().split())
    try:
        assert is_open(port)
        process.kill()
        process.wait()
        assert wait_until(lambda: not is_open(port))
    finally:
        os.kill(sibling, signal.SIGKILL)
        process.stdout.close()


def test_a_child_that_cannot_start_reports_why(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not a database " * 100)
    with pytest.raises(NotStarted, match=r"notes\.txt: not a state file"):
        start(path)


def run_from_shell(*options):
    return subprocess.Popen(
        [sys.executable, "-m", "auditkit.sandbox", *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_from_a_shell_it_fills_an_empty_file_prints_settings_and_ends_on_ctrl_c(tmp_path, ended_by_pytest):
    process = run_from_shell("--state", str(tmp_path / "new.sqlite"), "--port", "0", "--behavior", "stub_key=id")
    ended_by_pytest.callback(process.kill)
    lines = [process.stdout.readline() for _ in range(5)]
    assert [re.sub(r":\d+/", ":PORT/", line).strip() for line in lines] == [
        "export AUDITKIT_AIMSIO_URL=http://127.0.0.1:PORT/aimsio",
        "export AUDITKIT_AIMSIO_USERNAME=demo",
        "export AUDITKIT_AIMSIO_PASSWORD=demo-password",
        "export AUDITKIT_JOBNIMBUS_URL=http://127.0.0.1:PORT/jobnimbus",
        "export AUDITKIT_JOBNIMBUS_TOKEN=demo-token",
    ]
    base = lines[0].partition("=")[2].strip()
    rows = requests.get(base + LIST, auth=("demo", "demo-password"), timeout=5).json()
    assert (len(rows), "id" in rows[0]) == (1000, True)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (out, err) == ("", "")


def test_from_a_shell_habits_fill_an_empty_file_with_ordinary_books(tmp_path, ended_by_pytest):
    path = tmp_path / "new.sqlite"
    process = run_from_shell("--state", str(path), "--port", "0", "--habits")
    ended_by_pytest.callback(process.kill)
    assert process.stdout.readline().startswith("export AUDITKIT_AIMSIO_URL=")
    with State(path) as state:
        count = state.invoice_count(bounds=[], with_deleted=True)
        named_open = state.invoice_count(bounds=[Term("status_name", "Open")], with_deleted=True)
    assert (count, named_open > 0) == (len(build(habits=True).invoices), True)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--behavior", "list_shap=value"], "did you mean list_shape?"),
        (["--fixed-clock", "2026-09-30"], "argument --fixed-clock: '2026-09-30' needs an offset"),
        (["--fixed-clock", "soon"], "argument --fixed-clock: 'soon' is not an instant"),
        (["--help"], "list_shape = array | value"),
        (["--port", "99999"], "port 99999: expected 0 to 65535"),
        (["--state", "no/where.sqlite/state.sqlite"], "create the folder first"),
    ],
)
def test_from_a_shell_a_mistake_is_one_line(state_path, options, words):
    process = run_from_shell("--state", str(state_path), "--port", "0", *options)
    out, err = process.communicate(timeout=30)
    assert words in out + err
    assert "Traceback" not in err
    assert "usage: " in out + err or err.count("\n") == 1
    assert process.returncode == (0 if "--help" in options else 2)
