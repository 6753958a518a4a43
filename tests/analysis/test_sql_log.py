"""The SQL log: what was asked, when its digest is taken, and a script that asks it again."""

import datetime
import gc
import hashlib
import subprocess
import sys
import uuid
import weakref
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

import auditkit as ak
from auditkit.analysis.csv_text import csv_text
from auditkit.errors import QueryFailed, StoreError
from auditkit.sandbox.dataset import build
from tests.commands import Account, account_of

EDMONTON = ZoneInfo("America/Edmonton")


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account_of(build(seed=16, nrbs=60, faults={"nrb-unbilled": 2}), tmp_path_factory.mktemp("account")) as synced:
        yield synced


@pytest.fixture
def audit(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ak.Audit]:
    account.home(monkeypatch, tmp_path, IDENTITY="controller@example.com")
    with ak.open() as opened:
        yield opened


def test_each_question_is_logged(audit: ak.Audit) -> None:
    assert audit.sql.log.empty
    frame = audit.sql("select guid, total from nrb_status where total > ? order by guid", Decimal("1.00"))
    audit.unbilled()
    (first, second) = audit.sql.log.to_dict("records")
    assert (first["number"], first["snapshot"], first["rows"]) == (1, audit.snapshot_id, len(frame))
    assert first["digest"] == hashlib.sha256(csv_text(frame).encode()).hexdigest()
    assert first["values"] == [Decimal("1.00")] and second["rows"] == 2


def test_a_failed_question_is_not_logged(audit: ak.Audit) -> None:
    with pytest.raises(QueryFailed):
        audit.sql("select nothing")
    assert audit.sql.log.empty


def test_the_script_asks_again(audit: ak.Audit, tmp_path: Path) -> None:
    day = datetime.date(2026, 1, 1)
    audit.sql(
        "select count(*) as n from nrb_status where accounting_date > $day and total <> $x", day=day, x=Decimal("0")
    )
    audit.sql.ask("select * from mine", frames={"mine": pd.DataFrame({"a": [Decimal("1.10")]})})
    audit.sql("select 'x' || chr(10) || '\"\"\"' as \"it's\"")
    audit.sql("select ? as a, ? as b", float("nan"), datetime.datetime(2026, 1, 1, 12, tzinfo=EDMONTON))
    path = audit.sql.export_log(tmp_path / "asked.py")
    ran = subprocess.run([sys.executable, path], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines() == [audit.title, "1: same, 1 rows", "3: same, 1 rows", "4: same, 1 rows"]
    assert "# needs the DataFrame mine: (2, " in path.read_text()
    path.write_text(path.read_text().replace(audit.sql.log["digest"][0], "0" * 64))
    ran = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True)
    assert f"1: differs: it was asked of snapshot {audit.snapshot_id}, this is {audit.snapshot_id}" in ran.stdout


def test_a_value_that_no_script_can_write(audit: ak.Audit, tmp_path: Path) -> None:
    audit.sql("select $x as x", x=uuid.UUID(int=1))
    text = audit.sql.export_log(tmp_path / "asked.py").read_text("utf-8")
    assert "    # needs a value of the type UUID: (1, " in text
    compile(text, "asked.py", "exec")


def test_another_file_is_not_replaced(audit: ak.Audit, tmp_path: Path) -> None:
    audit.sql("select 1 as x")
    path = tmp_path / "notes.py"
    path.write_text("mine")
    with pytest.raises(StoreError, match=r"notes.py: exists and is not an SQL log; choose another name"):
        audit.sql.export_log(path)
    assert path.read_text() == "mine"
    again = tmp_path / "asked.py"
    assert audit.sql.export_log(again) == audit.sql.export_log(again) and again.stat().st_mode & 0o777 == 0o600


def test_a_path_that_cannot_be_written(audit: ak.Audit, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        audit.sql.export_log(tmp_path)


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each digest was taken of."""
    counts: list[int] = []

    def counting(frame: pd.DataFrame) -> str:
        counts.append(len(frame))
        return csv_text(frame)

    monkeypatch.setattr("auditkit.analysis.sql_log.csv_text", counting)
    return counts


def test_the_digest_of_a_large_answer_is_taken_when_the_log_is_read(audit: ak.Audit, hashed: list[int]) -> None:
    audit.sql("select * from range(1000)")
    frame = audit.sql("select unnest(range(1001)) as n order by n desc")
    assert hashed == [1000]
    digests = list(audit.sql.log["digest"])
    assert hashed == [1000, 1001] and digests[1] == hashlib.sha256(csv_text(frame).encode()).hexdigest()
    assert list(audit.sql.log["digest"]) == digests and hashed == [1000, 1001], "once"


def test_no_large_answer_is_kept(audit: ak.Audit) -> None:
    frame = audit.sql("select unnest(range(100000)) as n")
    gone = weakref.ref(frame)
    del frame
    gc.collect()
    assert gone() is None and audit.sql.log["digest"][0]


def test_an_answer_with_frames_cannot_be_asked_again(audit: ak.Audit, hashed: list[int]) -> None:
    audit.sql.ask("select * from mine", frames={"mine": pd.DataFrame({"a": range(2000)})})
    assert hashed == [2000]


def test_a_large_answer_of_a_replaced_snapshot_has_no_digest(audit: ak.Audit, tmp_path: Path) -> None:
    audit.sql("select unnest(range(2000)) as n")
    audit.accept(audit.findings()["fingerprint"][0], "so that the snapshot is another")
    path = audit.sql.export_log(tmp_path / "asked.py")
    assert audit.sql.log["digest"][0] is None and audit.sql.log["digest"][1]
    ran = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True)
    assert "1: 2,000 rows, not compared: the log has no digest of the answer" in ran.stdout
