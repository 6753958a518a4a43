"""Each check of doctor: what it found and what to do. A failed check raises nothing and gives exit code 2."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

import auditkit as ak
from auditkit.cli.doctor import _IGNORED, examine
from auditkit.sandbox.dataset import build
from auditkit.sandbox.world import World
from tests.commands import Account, account_of, auditkit, bytes_of
from tests.faults.faults import answer
from tests.relay import relayed
from tests.served import point, serving
from tests.world import invoice, line, nrb

NAMES = ["settings", "keyring", "network", "time zone", "home", "rules", "job map"]
NAMES += ["Aimsio", "Aimsio NRB", "JobNimbus", "JobNimbus invoice", "filter", "clock", "snapshot", "statuses", "dates"]
NAMES += ["journal", "versions"]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account_of(build(seed=3, nrbs=20, faults={}), tmp_path_factory.mktemp("account")) as synced:
        yield synced


@pytest.fixture
def home(account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    return account.home(monkeypatch, tmp_path)


def checks(code: int) -> dict[str, dict[str, Any]]:
    """The checks by name, as a program gets them; asserts the exit code."""
    ran = auditkit("doctor", "--json")
    assert (ran.code, ran.err) == (code, ""), ran
    return {check["check"]: check for check in json.loads(ran.out)}


def test_every_check_passes(home: Path, account: Account) -> None:
    before = bytes_of(home)
    seen = checks(0)
    assert list(seen) == NAMES and all(check["ok"] for check in seen.values())
    assert re.match(r"account-[0-9a-f]{12} at http://127\.0\.0\.1:", seen["settings"]["seen"])
    assert f"; home {home}" in seen["settings"]["seen"]
    assert seen["time zone"]["seen"].startswith("America/Edmonton: it is 20")
    assert seen["filter"]["seen"].startswith("honored")
    assert seen["Aimsio"]["seen"] == "20 NRBs listed"
    assert seen["JobNimbus"]["seen"] == f"{len(account.world.invoices)} invoices counted"
    assert "COMPLETE, verdict clean, as of 2026-09-30" in seen["snapshot"]["seen"]
    assert all(f"{name} " in seen["versions"]["seen"] for name in ("Python", "duckdb", "pandas", "nbval"))
    assert bytes_of(home) == before


def test_every_status_and_how_it_is_treated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of JobNimbus's newest read: what is void, a draft or issued, and in which zone dates are midnights."""
    names = ("Sent", "Voided", "Draft", "Awaiting PO", "Awaiting PO", None)
    invoices = [invoice([line()], f"i{place}", status_name=name) for place, name in enumerate(names)]
    days = (date(2026, 9, day) for day in range(10, 10 + len(invoices)))
    midnights = [int(datetime(*day.timetuple()[:3], 4, tzinfo=UTC).timestamp()) for day in days]
    bodies = [{**body, "date_invoice": at} for body, at in zip(invoices, midnights, strict=True)]
    named = {"vendors": frozenset({"BIT"}), "jobs": frozenset({"JOB-1001"})}
    world = World(1, date(2026, 9, 30), "America/Edmonton", [nrb()], bodies, **named, hosts=(), planted={})
    with account_of(world, tmp_path) as synced:
        synced.home(monkeypatch, tmp_path / "copy")
        seen = checks(0)
        lacking = "issued, as AUDITKIT_VOID_STATUS_NAMES and AUDITKIT_DRAFT_STATUS_NAMES lack it"
        assert seen["statuses"]["seen"] == (
            f"Awaiting PO (2): {lacking}; Draft (1): draft; Sent (1): issued; Voided (1): void;"
            f" (no status) (1): {lacking}"
        )
        assert "date_invoice: midnights of America/New_York (6 of 6), read as days of it" in seen["dates"]["seen"]
        monkeypatch.setenv("AUDITKIT_VOID_STATUS_NAMES", '["awaiting po"]')
        with ak.open() as audit:
            audit.run()
        assert "Awaiting PO (2): void; " in checks(0)["statuses"]["seen"]


def test_the_same_as_text(home: Path) -> None:
    ran = auditkit("doctor")
    assert (ran.code, ran.err) == (0, "")
    assert all(name in ran.out for name in NAMES) and "20 NRBs listed" in ran.out


def test_a_home_without_a_snapshot_passes(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point(monkeypatch, account.address, tmp_path / "home")
    seen = checks(0)
    assert "statuses" not in seen and "dates" not in seen
    assert seen["snapshot"]["seen"].startswith("none yet") and "auditkit sync" in seen["snapshot"]["seen"]


@pytest.mark.parametrize(
    ("variable", "name", "advice"),
    [
        ("AIMSIO_PASSWORD", "Aimsio", "AUDITKIT_AIMSIO_"),
        ("JOBNIMBUS_TOKEN", "JobNimbus", "AUDITKIT_JOBNIMBUS_"),
    ],
)
def test_wrong_credentials(variable: str, name: str, advice: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure at one vendor does not hide the other."""
    monkeypatch.setenv(f"AUDITKIT_{variable}", "mistyped-secret")
    seen = checks(2)
    assert [check for check in seen if not seen[check]["ok"]] == [name]
    assert "answered 401" in seen[name]["seen"] and advice in seen[name]["advice"]
    assert "mistyped-secret" not in json.dumps(seen)


def test_a_login_without_a_permission(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list is answered, single NRBs are not: the advice is about the permission, not about the password."""
    with relayed(account.address) as relay:
        point(monkeypatch, relay.address, tmp_path / "home")
        relay.answers[f"/{account.world.nrbs[0]['nrbGuid']}"] = answer(b"", 403)
        seen = checks(2)
    assert [check for check in seen if not seen[check]["ok"]] == ["Aimsio NRB"]
    assert seen["Aimsio NRB"]["advice"].startswith("the login is right, but lacks a permission: ask who manages Aimsio")


@pytest.mark.parametrize(
    ("url", "found", "advice"),
    [
        ("http://127.0.0.1:9", "nothing answers at this host and port", "check host and port in AUDITKIT_AIMSIO_URL"),
        ("https://127.0.0.1:{port}", "no trusted TLS connection", "check the host in AUDITKIT_AIMSIO_URL; if the net"),
    ],
    ids=["refused", "no TLS"],
)
def test_a_server_that_cannot_be_reached(
    url: str, found: str, advice: str, home: Path, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auditkit.vendors.transport._LONGEST_WAIT_SECONDS", 0.001)
    monkeypatch.setenv("AUDITKIT_AIMSIO_URL", url.format(port=account.address.port))
    monkeypatch.setenv("AUDITKIT_HOME", str(home.parent / "fresh"))
    seen = checks(2)["Aimsio"]
    assert found in seen["seen"] and seen["advice"].startswith(advice)


def test_variables_of_other_programs_are_named_and_ignored(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _IGNORED:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret@127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    seen = checks(0)["network"]["seen"]
    assert seen == (
        "no proxy, and the public certificate authorities; HTTPS_PROXY, http_proxy, SSL_CERT_FILE set but ignored; use"
        " AUDITKIT_PROXY and AUDITKIT_CA_BUNDLE"
    )


def test_a_keyring_that_cannot_load_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditkit.settings.keyring_problem", lambda: "ModuleNotFoundError no_such_backend")
    with monkeypatch.context() as patch:
        patch.delenv("AUDITKIT_JOBNIMBUS_TOKEN")
        ran = auditkit("doctor", "--json")
    assert ran.code == 2 and "the system's keyring cannot be used (ModuleNotFoundError no_such_backend)" in ran.err
    assert checks(0)["keyring"]["seen"].startswith("is used if it holds a secret")


@pytest.mark.parametrize(
    ("name", "text", "check", "words"),
    [
        ("rules/mine.sql", "select 1\n", "rules", "mine.sql:1:"),
        ("rules/nrb-unbilled.sql", "select 1\n", "rules", "is there already"),
        ("job_map.csv", "a,b\n", "job map", "job_map.csv:1: expected the columns"),
        ("../auditkit.toml", "[rules.nrb-unbiled]\nmin_amount = 1\n", "rules", "no rule is called nrb-unbiled"),
        ("../auditkit.toml", "[rules.nrb-unbilled]\nmin_amout = 1\n", "rules", "has no parameter 'min_amout'"),
        ("../auditkit.toml", "[rules.nrb-unbilled]\nmin_amount = 'x'\n", "rules", "expected decimal, found 'x'"),
    ],
)
def test_an_invalid_file_of_the_user(name: str, text: str, check: str, words: str, home: Path) -> None:
    (home / name).parent.mkdir(exist_ok=True)
    (home / name).write_text(text)
    seen = checks(2)
    assert [name for name in seen if not seen[name]["ok"]] == [check]
    assert words in seen[check]["seen"] and "correct the file" in seen[check]["advice"]


def test_valid_files_of_the_user(home: Path) -> None:
    ours = resources.files("auditkit").joinpath("sql", "rules")
    count = len(list(ours.iterdir()))
    assert checks(0)["rules"]["seen"] == f"{count} can be run, 0 of them your own"
    shipped = ours.joinpath("nrb-unbilled.sql").read_text("utf-8")
    (home / "rules").mkdir()
    (home / "rules" / "mine.sql").write_text(shipped.replace("-- id: nrb-unbilled", "-- id: mine"))
    (home / "job_map.csv").write_text("aimsio_job_number,jobnimbus_job_number\nA,1\n")
    seen = checks(0)
    assert seen["rules"]["seen"] == f"{count + 1} can be run, 1 of them your own"
    assert seen["job map"]["seen"] == "1 pairs of job numbers"


def test_home_and_settings_file_are_named(home: Path, tmp_path: Path) -> None:
    assert checks(0)["settings"]["seen"].endswith(f"home {home}; no auditkit.toml at or above {tmp_path}")
    (tmp_path / "auditkit.toml").touch()
    assert checks(0)["settings"]["seen"].endswith(f"home {home}; settings of {tmp_path / 'auditkit.toml'}")


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


def test_a_filter_that_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(build(seed=3, nrbs=20, faults={}), tmp_path, filter="ignored") as address:
        point(monkeypatch, address, tmp_path / "home")
        assert checks(0)["filter"]["seen"] == "ignored; it would be needed from 10,000 invoices on"


def test_clocks_that_differ(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditkit.cli.doctor._SKEW_SECONDS", -1)
    clock = checks(2)["clock"]
    assert "servers' clocks" in clock["seen"] and clock["advice"] == "set this machine's clock"
