"""The gate of a home's journal: nothing enters of another account, of nobody, or in text that a reader would refuse."""

import ast
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import auditkit as ak
from auditkit import journal as journal_module
from auditkit.errors import OtherAccount, SettingsError, ValueRefused
from auditkit.sandbox.dataset import build
from tests.commands import Account, account_of, assert_refused, auditkit

ROOT = Path(__file__).parents[1]
LONE_BYTE = "caf\udce9"  # as Python reads "café" in Latin-1 from a command line or the environment


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    world = build(seed=15, nrbs=40, faults={"nrb-unexported": 2})
    with account_of(world, tmp_path_factory.mktemp("account")) as synced:
        yield synced


@pytest.fixture
def home(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return account.home(monkeypatch, tmp_path, IDENTITY="ann")


def as_demo(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Nothing is set but the home, so that the settings are those of the demo."""
    for name in ("AIMSIO_URL", "AIMSIO_USERNAME", "AIMSIO_PASSWORD", "JOBNIMBUS_URL", "JOBNIMBUS_TOKEN", "IDENTITY"):
        monkeypatch.delenv(f"AUDITKIT_{name}")
    monkeypatch.setenv("AUDITKIT_HOME", str(home))


def pair(audit: ak.Audit) -> tuple[str, str]:
    found = audit.sql("select nrb_guid, jnid, position from link limit 1").iloc[0]
    return str(found["nrb_guid"]), f"{found['jnid']}/{found['position']}"


def fingerprint(audit: ak.Audit) -> str:
    return str(audit.findings("nrb-unexported")["fingerprint"].iloc[0])


DECISIONS: dict[str, Callable[[ak.Audit], object]] = {
    "accept": lambda audit: audit.accept(fingerprint(audit), "seen"),
    "confirm": lambda audit: audit.links.confirm(pair(audit), note="seen"),
    "forbid": lambda audit: audit.links.forbid(pair(audit), note="seen"),
}


# The account


@pytest.mark.parametrize("decision", DECISIONS)
def test_a_decision_of_the_demo_does_not_enter_the_journal_of_an_account(
    decision: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_demo(monkeypatch, home)
    with ak.open() as audit, pytest.raises(OtherAccount, match="but the settings say DEMO DATA"):
        DECISIONS[decision](audit)
    assert not (home / "journal.jsonl").exists()


def test_a_decision_of_an_account_is_not_taken_back_by_the_demo(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ak.open() as audit:
        accepted, linked = fingerprint(audit), pair(audit)
        audit.accept(accepted, "seen")
        audit.links.confirm(linked, note="seen")
    before = (home / "journal.jsonl").read_bytes()
    as_demo(monkeypatch, home)
    with ak.open() as audit, pytest.raises(OtherAccount):
        audit.unaccept(accepted, "why not")
    with ak.open() as audit, pytest.raises(OtherAccount):
        audit.links.undo(linked, note="why not")
    assert (home / "journal.jsonl").read_bytes() == before


def test_a_journal_alone_says_whose_home_it_is(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after the snapshot was deleted: the decisions of one account must not count for another."""
    with ak.open() as audit:
        audit.accept(fingerprint(audit), "seen")
    (home / "audit.duckdb").unlink()
    before = (home / "journal.jsonl").read_bytes()
    as_demo(monkeypatch, home)
    assert_refused(auditkit("sync"), "but the settings say DEMO DATA; choose another AUDITKIT_HOME")
    assert not (home / "audit.duckdb").exists()
    assert (home / "journal.jsonl").read_bytes() == before


def test_every_record_names_its_account_and_person(home: Path) -> None:
    with ak.open() as audit:
        audit.accept(fingerprint(audit), "seen")
        audit.links.forbid(pair(audit), note="seen")
        key = audit.settings.account_key
        bodies = [record.body for record in audit.journal.records()]
        assert audit.journal.account == key
    assert [(body["environment"], body["account"], body["who"]) for body in bodies] == [(*key, "ann")] * 2


def test_a_snapshot_that_cannot_be_opened_does_not_hide_whose_journal_it_is(home: Path) -> None:
    with ak.open() as audit:
        audit.accept(fingerprint(audit), "seen")
        (home / "audit.duckdb").write_bytes(b"damaged")
        assert audit.journal.append("note", {"who": "ann"}).seq == 2
    (home / "journal.jsonl").unlink()
    (home / "journal.anchor").unlink()
    with ak.open() as audit, pytest.raises(ak.AuditkitError, match="cannot be opened as a snapshot"):
        audit.journal.append("note", {"who": "ann"})


# The person


def test_a_decision_of_nobody_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUDITKIT_IDENTITY")
    with ak.open() as audit, pytest.raises(SettingsError, match="not known; set AUDITKIT_IDENTITY"):
        audit.links.forbid(pair(audit), note="seen")
    assert not (home / "journal.jsonl").exists()


# The text


@pytest.mark.parametrize(
    ("note", "who", "words"),
    [
        (LONE_BYTE, "ann", "note: is not Unicode"),
        ("seen", LONE_BYTE, "who: is not Unicode"),
        ("seen\x1b[2J", "ann", "note: holds a control character"),
        ("seen", "ann\x07", "who: holds a control character"),
    ],
    ids=["byte in the note", "byte in the name", "escape in the note", "bell in the name"],
)
def test_text_that_a_reader_would_refuse_never_enters(
    note: str, who: str, words: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDITKIT_IDENTITY", who)
    with ak.open() as audit:
        for decide in (
            lambda: audit.accept(fingerprint(audit), note),
            lambda: audit.links.forbid(pair(audit), note=note),
        ):
            with pytest.raises(ValueRefused, match=words):
                decide()
    assert not (home / "journal.jsonl").exists()
    assert auditkit("audit").code == 0


def test_a_note_of_several_lines_becomes_one(home: Path) -> None:
    with ak.open() as audit:
        audit.accept(fingerprint(audit), "  seen\n\ton paper ")
        (record,) = audit.journal.records("accept")
    assert record.body["note"] == "seen on paper"


def test_a_home_that_holds_such_text_already_goes_on(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an earlier version wrote it: the record is shown in part, and everything else works."""
    with monkeypatch.context() as patch, ak.open() as audit:
        patch.setattr(journal_module, "_refuse_unreadable", lambda body: None)
        accepted = fingerprint(audit)
        audit.journal.append(
            "accept", {**audit.findings("nrb-unexported").iloc[0][["rule_id", "subject_id"]], "fingerprint": accepted,
                       "reason": "r", "key": "{}", "evidence": "{}", "amount_at_risk": None, "until": None,
                       "snapshot_id": "s", "note": LONE_BYTE, "who": "ann"}
        )  # fmt: skip
    assert auditkit("audit").code == 0
    assert auditkit("sync").code == 0
    with ak.open() as audit:
        (record,) = audit.journal.records()
        assert (record.body["note"], record.damaged) == ("caf\N{REPLACEMENT CHARACTER}", ("note",))
        shown = audit.sql("select body ->> 'note' as note from journal")
        assert list(shown["note"]) == ["caf\N{REPLACEMENT CHARACTER}"]
        other = audit.findings("nrb-unexported")["fingerprint"].iloc[-1]
        assert len(audit.accept(str(other), "seen")) == 1
    verified = auditkit("journal", "verify")
    assert verified.code == 0 and "line 1: holds text that is not Unicode" in verified.err
    checks = {row["check"]: row for row in json.loads(auditkit("doctor", "--json").out)}
    assert checks["journal"]["ok"] and "2 records; line 1: holds text that is not Unicode" in checks["journal"]["seen"]


def test_doctor_says_that_a_journal_is_damaged(home: Path) -> None:
    with ak.open() as audit:
        audit.accept(fingerprint(audit), "seen")
    path = home / "journal.jsonl"
    path.write_bytes(path.read_bytes().replace(b"seen", b"sEEn"))
    checks = {row["check"]: row for row in json.loads(auditkit("doctor", "--json").out)}
    assert not checks["journal"]["ok"] and "line 1: does not follow" in checks["journal"]["seen"]


# One gate


def test_only_the_home_opens_a_journal() -> None:
    """Every other way would go round the gate."""
    makers = [
        path.name
        for path in (ROOT / "auditkit").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Journal"
    ]
    assert makers == ["home.py"]
