"""The cache is a file that others may reach: no account gets another's answers, and nothing in it is ever executed."""

import base64
import contextlib
import json
import os
import pickle
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from auditkit.errors import AuditkitError
from auditkit.settings import Settings
from auditkit.vendors.aimsio import AimsioClient
from auditkit.vendors.cache import DetailCache
from auditkit.vendors.jobnimbus import JobNimbusClient
from auditkit.vendors.responses import Received
from tests.canaries.vendor import LISTS
from tests.vendors.server import Reply, Seen, Vendor, running_vendor
from tests.world import nrb

GUID, VERSION = "n1", "7"
WRONG = json.dumps(nrb(GUID, nrbNotes="wrong", nrbUpdatedAt=7)).encode()


class Telling(Vendor):
    """Answers each caller with the name of who asked and where, and counts."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()

    def reply(self, seen: Seen) -> Reply:
        who = seen.headers["authorization"]
        self.asked[who] += 1
        if LISTS in seen.target:
            return Reply(nrb(GUID, nrbNotes=f"{self.asked.total()}", nrbUpdatedAt=7))
        return Reply({"count": 1, "results": [{"jnid": f"{self.asked.total()}"}]})


@pytest.fixture
def vendor() -> Iterator[Telling]:
    told = Telling()
    with running_vendor(told):
        yield told


@pytest.fixture
def settings(vendor: Telling, tmp_path: Path) -> Callable[..., Settings]:
    def make(**changes: str) -> Settings:
        values = {
            "home": tmp_path / "home",
            "aimsio_url": vendor.url,
            "aimsio_username": "one",
            "aimsio_password": "password-one",
            "jobnimbus_url": vendor.url,
            "jobnimbus_token": "token-one",
            "rate_per_second": 2000,
        }
        return Settings(**{**values, **changes})

    return make


def note(settings: Settings) -> str:
    with contextlib.closing(AimsioClient.from_settings(settings)) as client:
        return str(json.loads(client.nrb(GUID, VERSION))["nrbNotes"])


# ── Accounts ────────────────────────────────────────────────────────────────────────────────────────────────────────

OTHERS = {
    "another user": {"aimsio_username": "two"},
    "another Aimsio": {"aimsio_url": "/live"},
    "another JobNimbus": {"jobnimbus_url": "/live"},
}


@pytest.mark.parametrize("changes", OTHERS.values(), ids=OTHERS)
def test_two_accounts_never_share_an_answer(changes: dict[str, str], settings, vendor: Telling) -> None:
    other = settings(**{k: vendor.url + v if v.startswith("/") else v for k, v in changes.items()})
    assert [note(settings()), note(settings())] == ["1", "1"]
    assert [note(other), note(other), note(settings())] == ["2", "2", "1"]
    assert vendor.asked.total() == 2


def test_a_new_password_is_not_a_new_account(settings, vendor: Telling) -> None:
    assert [note(settings()), note(settings(aimsio_password="password-two"))] == ["1", "1"]


def test_two_tokens_never_share_an_answer(settings, vendor: Telling) -> None:
    """Lists are kept for offline readers: these, too, belong to one token."""

    def page(token: str, *, offline: bool = False) -> str:
        account = settings(jobnimbus_token=token)
        with contextlib.closing(JobNimbusClient.from_settings(account, offline=offline)) as client:
            return client.page(0).rows[0][0]

    assert [page("token-one"), page("token-two"), page("token-one"), page("token-two")] == ["1", "2", "3", "4"]
    assert [page("token-one", offline=True), page("token-two", offline=True)] == ["3", "4"]
    with pytest.raises(AuditkitError):
        page("token-three", offline=True)
    assert vendor.asked == {"bearer token-one": 2, "bearer token-two": 2}


# ── Files that somebody changed ─────────────────────────────────────────────────────────────────────────────────────


class Bomb:
    """Unpickled, it makes a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


def hooks(mark: Path) -> str:
    """JSON that names classes and calls in the ways that decoders of JSON were tricked before."""
    call = {"py/object": "os.mkdir", "py/reduce": [{"py/type": "os.mkdir"}, {"py/tuple": [str(mark)]}]}
    return json.dumps({**call, "__class__": "os.mkdir", "__type__": "os.mkdir", "_content": call, "status_code": call})


def fill_columns(path: Path, value: object) -> None:
    """The value in each column of each table, beside the key of a real entry and as a key of its own."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("update responses set value = ?, expires = ?", (value, value))
        for table in ("responses", "redirects"):
            columns = len(database.execute(f"pragma table_info({table})").fetchall())
            database.execute(f"insert into {table} values ({', '.join('?' * columns)})", [value] * columns)
        database.commit()


def set_value(path: Path, value: object) -> None:
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("update responses set value = ?", (value,))
        database.commit()


def changed_body(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as database:
        entry = json.loads(*database.execute("select value from responses").fetchone())
    set_value(path, json.dumps({**entry, "_content": base64.b64encode(WRONG).decode()}))


def moved_entry(path: Path) -> None:
    """An entry as it was kept, now under another key."""
    with contextlib.closing(DetailCache(path, "another scope")) as cache:
        cache.put("/another", VERSION, Received({"Content-Type": "application/json"}, WRONG, 0.0))
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("update responses set value = (select value from responses order by rowid desc limit 1)")
        database.commit()


def triggers(path: Path, mark: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as database:
        for event in ("insert", "update", "delete"):
            database.execute(
                f"create trigger t_{event} after {event} on responses begin select load_extension('{mark}'); end"
            )
        database.commit()


def a_view(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("alter table responses rename to stolen")
        wrong = base64.b64encode(WRONG).decode()
        value = f"json_set(value, '$._content', '{wrong}')"
        database.execute(f"create view responses as select key, {value} as value, expires from stolen")
        database.commit()


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_link(path: Path) -> None:
    """A link to a file that is not ours: it must not become a database."""
    path.unlink()
    other = path.parents[2] / "precious.txt"
    other.write_text("precious\n" * 200)
    path.symlink_to(other)


def cut(path: Path, length: int) -> None:
    path.write_bytes(path.read_bytes()[:length])


TAMPERED: dict[str, Callable[[Path, Path], None]] = {
    "pickles in every column": lambda path, mark: fill_columns(path, pickle.dumps(Bomb(mark))),
    "JSON with hooks": lambda path, mark: set_value(path, hooks(mark)),
    "hooks in every column": lambda path, mark: fill_columns(path, hooks(mark)),
    "another body": lambda path, mark: changed_body(path),
    "an entry of another key": lambda path, mark: moved_entry(path),
    "a huge row": lambda path, mark: set_value(path, "[" * 20_000_000),
    "a deep row": lambda path, mark: set_value(path, "[" * 100_000 + "]" * 100_000),
    "a number": lambda path, mark: set_value(path, 7),
    "NULL": lambda path, mark: set_value(path, None),
    "triggers": triggers,
    "a view in place of the table": lambda path, mark: a_view(path),
    "cut short": lambda path, mark: cut(path, 5000),
    "cut to its head": lambda path, mark: cut(path, 100),
    "empty": lambda path, mark: cut(path, 0),
    "a folder": lambda path, mark: a_folder(path),
    "a link": lambda path, mark: a_link(path),
}


@pytest.mark.parametrize("tamper", TAMPERED.values(), ids=TAMPERED)
def test_a_changed_file_is_refused_or_ignored_and_never_run(
    tamper: Callable[[Path, Path], None], settings, vendor: Telling, tmp_path: Path
) -> None:
    assert note(settings()) == "1"
    (path,) = (tmp_path / "home" / "cache").glob("aimsio-*.sqlite")
    for beside in path.parent.glob(f"{path.name}-*"):
        beside.unlink()
    mark = tmp_path / "mark"
    tamper(path, mark)
    try:
        answer = note(settings())
    except AuditkitError as error:
        assert str(path) in str(error) and "\n" not in str(error)
    else:
        assert answer in ("1", "2"), "an answer that the vendor never gave"
    assert not mark.exists()
    if (tmp_path / "precious.txt").exists():
        assert (tmp_path / "precious.txt").read_text() == "precious\n" * 200
