"""Each check of the doctor: what it saw, and what to do; a failed one raises nothing and ends with exit code 2."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import auditkit as ak
from auditkit.doctor import examine
from auditkit.sandbox.dataset import build
from tests.commands import Account, account_of, auditkit, bytes_of
from tests.vendors import point

NAMES = ["settings", "home", "Aimsio", "JobNimbus", "snapshot", "versions"]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account_of(build(seed=3, nrbs=20, faults={}), tmp_path_factory.mktemp("account")) as synced:
        yield synced


@pytest.fixture
def home(account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    return account.home(monkeypatch, tmp_path)


def checks(code: int) -> dict[str, dict[str, Any]]:
    """The doctor's checks by name, as a program gets them, after the exit code was as expected."""
    ran = auditkit("doctor", "--json")
    assert (ran.code, ran.err) == (code, ""), ran
    return {check["check"]: check for check in json.loads(ran.out)}


def test_all_is_well(home: Path, account: Account) -> None:
    before = bytes_of(home)
    seen = checks(0)
    assert list(seen) == NAMES and all(check["ok"] for check in seen.values())
    assert seen["settings"]["seen"].startswith("demo at http://127.0.0.1:")
    assert f"time zone America/Edmonton; home {home}" in seen["settings"]["seen"]
    assert seen["Aimsio"]["seen"] == "20 NRBs listed"
    assert seen["JobNimbus"]["seen"] == f"{len(account.world.invoices)} invoices counted"
    assert "COMPLETE, verdict clean, as of 2026-09-30" in seen["snapshot"]["seen"]
    assert all(f"{name} " in seen["versions"]["seen"] for name in ("Python", "duckdb", "pandas", "nbval"))
    assert bytes_of(home) == before


def test_it_says_the_same_to_people(home: Path) -> None:
    ran = auditkit("doctor")
    assert (ran.code, ran.err) == (0, "")
    assert all(name in ran.out for name in NAMES) and "20 NRBs listed" in ran.out


def test_a_home_without_a_snapshot_is_well(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point(monkeypatch, account.address, tmp_path / "home")
    seen = checks(0)
    assert seen["snapshot"]["seen"].startswith("none yet") and "auditkit sync" in seen["snapshot"]["seen"]


@pytest.mark.parametrize(
    ("variable", "name", "advice"),
    [
        ("AIMSIO_PASSWORD", "Aimsio", "AUDITKIT_AIMSIO_"),
        ("JOBNIMBUS_TOKEN", "JobNimbus", "AUDITKIT_JOBNIMBUS_"),
    ],
)
def test_wrong_credentials(variable: str, name: str, advice: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One vendor's trouble does not hide what the other says."""
    monkeypatch.setenv(f"AUDITKIT_{variable}", "mistyped-secret")
    seen = checks(2)
    assert [check for check in seen if not seen[check]["ok"]] == [name]
    assert "answered 401" in seen[name]["seen"] and advice in seen[name]["advice"]
    assert "mistyped-secret" not in json.dumps(seen)


def test_a_snapshot_that_cannot_be_opened(home: Path) -> None:
    (home / "audit.duckdb").write_bytes(b"no database" * 1000)
    check = checks(2)["snapshot"]
    assert str(home / "audit.duckdb") in check["seen"] and check["advice"] == "run `auditkit sync`"


def test_a_home_that_is_a_file(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("AUDITKIT_HOME", str(tmp_path / "file"))
    seen = checks(2)
    assert not seen["vendors"]["ok"] and str(tmp_path / "file") in seen["vendors"]["seen"]


def test_no_secret_is_shown(home: Path, account: Account) -> None:
    with ak.open() as audit:
        shown = repr([*examine(audit), audit, audit.settings])
    assert account.address.credentials.password not in shown and account.address.credentials.token not in shown
