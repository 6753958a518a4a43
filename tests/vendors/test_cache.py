import base64
import json
import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from auditkit.errors import StoreError
from auditkit.vendors.cache import DetailCache
from auditkit.vendors.responses import Received

from .conftest import PASSWORD, USERNAME
from .server import Reply

DATE = "Sat, 21 Nov 2026 04:00:00 GMT"
RECEIVED = Received({"Content-Type": "application/json", "Date": DATE}, b'{"a": 1.50}', elapsed=0.1)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "cache" / "details.sqlite"


def test_an_entry_is_returned_exactly(path):
    DetailCache(path, "scope").put("/x?a=1", "7", RECEIVED)
    kept = DetailCache(path, "scope").get("/x?a=1", "7")
    assert kept.body == RECEIVED.body
    assert dict(kept.headers) == dict(RECEIVED.headers)


@pytest.mark.parametrize(("scope", "address", "version"), [("other", "/x", "1"), ("s", "/y", "1"), ("s", "/x", "2")])
def test_another_key_finds_nothing(path, scope, address, version):
    DetailCache(path, "s").put("/x", "1", RECEIVED)
    assert DetailCache(path, scope).get(address, version) is None


def test_the_parts_of_a_key_are_separate(path):
    DetailCache(path, 'a", "b').put("c", "1", RECEIVED)
    assert DetailCache(path, "a").get('b", "c', "1") is None


def test_files_are_readable_by_their_owner_alone(path):
    path.parent.mkdir(mode=0o755)
    path.touch(mode=0o644)
    DetailCache(path, "s").put("/x", "1", RECEIVED)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


def test_every_setting_is_in_effect(path):
    """requests-cache ignores a setting that it does not know, so look at the effect of each."""
    cache = DetailCache(path, "s")
    cache.put("/x", "1", RECEIVED)
    with cache._entries.responses.connection() as connection:
        assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
        assert connection.execute("pragma synchronous").fetchone() == (1,)
        assert connection.execute("pragma busy_timeout").fetchone() == (10_000,)
        [(value, expires)] = connection.execute("select value, expires from responses").fetchall()
    assert expires is None
    entry = json.loads(value)
    assert base64.b64decode(entry["_content"]) == RECEIVED.body
    assert set(entry) == {"_content", "created_at", "headers", "request", "status_code", "url"}
    assert set(entry["request"]) <= {"method", "url", "body"}


def test_no_secret_is_on_disk(vendor, make_reader, tmp_path):
    """No file under the home holds a secret, as text or in base64, that anything in an exchange contained."""
    secrets = [PASSWORD, "session-SECRET", "echo-SECRET", base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()]
    headers = {
        "Set-Cookie": "id=session-SECRET",
        "X-Echo": "echo-SECRET",
        "Server": "echo-SECRET",
        "ETag": "echo-SECRET",
    }
    vendor.answers(Reply({"a": 1}, headers=headers))
    reader = make_reader()
    reader.get("/x", version="1")
    assert reader.get("/x", version="1").from_cache
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) > 2
    for file in files:
        content = file.read_bytes()
        runs = re.findall(rb"[A-Za-z0-9+/]{16,}=*", content)
        plain = b"\n".join([content, *(base64.b64decode(run + b"==") for run in runs)])
        assert [secret for secret in secrets if secret.encode() in plain] == [], file


@pytest.mark.parametrize(
    "value", [b"\x80\x04", "no json", "[]", "{}", '{"status_code": "x", "headers": 1}', '{"status_code": 500}']
)
def test_a_damaged_entry_counts_as_absent(vendor, make_reader, path, value):
    vendor.answers(Reply({"n": 1}), Reply({"n": 2}))
    reader = make_reader(cache=path)
    reader.get("/x", version="1")
    with sqlite3.connect(path) as connection:
        connection.execute("update responses set value = ?", (value,))
    connection.close()
    assert reader.get("/x", version="1").text == '{"n": 2}'
    assert reader.get("/x", version="1").from_cache is True


def test_a_file_that_is_not_a_cache_is_named_in_the_error(path):
    path.parent.mkdir()
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreError, match=r"details\.sqlite: cannot be used as a cache"):
        DetailCache(path, "s")
    (path.parent / "folder").mkdir()
    with pytest.raises(StoreError, match="folder: cannot be used"):
        DetailCache(path.parent / "folder", "s")


def test_a_file_that_became_read_only_fails_at_once(path):
    cache = DetailCache(path, "s")
    with cache._entries.responses.connection() as connection:
        connection.execute("pragma query_only = on")  # as on a disk that was mounted again as read-only
    with pytest.raises(StoreError, match=r"details\.sqlite: cannot be used as a cache \(attempt to write a readonly"):
        cache.put("/x", "1", RECEIVED)


def test_a_file_that_is_busy_is_waited_for(path, monkeypatch):
    monkeypatch.setattr("auditkit.vendors.cache._BUSY_MILLISECONDS", 1)
    cache = DetailCache(path, "s")
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("begin immediate")
    ending = threading.Timer(0.2, other.execute, ("commit",))
    ending.start()
    cache.put("/x", "1", RECEIVED)
    ending.join()
    other.close()
    assert cache.get("/x", "1").body == RECEIVED.body


KILLED = """
import os, signal, sys
from pathlib import Path
from auditkit.vendors.cache import DetailCache
from auditkit.vendors.responses import Received
cache = DetailCache(Path(sys.argv[1]), "s")
for number in range(20):
    cache.put(f"/{number}", "1", Received({"Content-Type": "application/json"}, b"{}", 0.0))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_loses_no_finished_entry(path):
    killed = subprocess.run([sys.executable, "-c", KILLED, os.fspath(path)], check=False, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    cache = DetailCache(path, "s")
    assert [number for number in range(20) if cache.get(f"/{number}", "1") is None] == []
