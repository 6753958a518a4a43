"""Undecided costs as a person lists and decides them on the command line."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from auditkit.sandbox.world import World
from tests.commands import Account, account_of, assert_refused, auditkit
from tests.world import invoice, line, unbilled

CRANE, PUMP = "6f1c2ab0-1", "77aa10d7-2"
NRBS = [
    unbilled(CRANE, "71.00", nrbOriginReference=None, nrbInvoiceNumber="44719"),
    unbilled(PUMP, "400.00", nrbOriginReference="R-7788"),
]
INVOICES = [
    invoice([line("Crane 44719", "55.00"), line("Crane 44719 \x1b[31m[red]\u202e", "12.00")], "i1"),
    invoice([line("Operator for R-7788", "120.00", item_type="labor"), line("Sundries", "400.00")], "i2"),
]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    names = {"vendors": frozenset({"BIT"}), "jobs": frozenset({"JOB-1001"})}
    world = World(1, date(2026, 9, 30), "America/Edmonton", NRBS, INVOICES, **names, hosts=(), planted={})
    with account_of(world, tmp_path_factory.mktemp("account")) as synced:
        yield synced


@pytest.fixture
def home(account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    return account.home(monkeypatch, tmp_path, IDENTITY="ann")


def listed() -> dict[str, list[str]]:
    """Cost → the handles of its candidates, as a program reads them."""
    found: dict[str, list[str]] = {}
    for row in json.loads(auditkit("links", "--json").out):
        found.setdefault(row["nrb_guid"], []).append(row["line_id"])
    return found


def states() -> dict[str, str]:
    ran = auditkit("sql", "select guid, state from nrb_state", "--json")
    return {row["guid"]: row["state"] for row in json.loads(ran.out)}


def test_the_list_is_in_words_and_says_how_to_decide(home: Path) -> None:
    ran = auditkit("links")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("2 undecided costs · ")
    assert "77aa10 · 400.00 · BIT · invoice AP1-77aa10d7-2 · 2026-09-10 · job JOB-1001\n" in ran.out
    assert ran.out.index("77aa10 · 400.00") < ran.out.index("6f1c2a · 71.00")
    assert "Service: Crane 44719 [31m[red]" not in ran.out and "\x1b" not in ran.out and "\u202e" not in ran.out
    (first,) = [each for each in ran.out.splitlines() if "INV-i2/0" in each]
    said = ("77aa10:", "Service: Operator for R-7788", "120.00", "a labor line of another amount -2")
    assert [words for words in said if words not in first] == []
    assert "auditkit link none COST_ID …" in ran.out
    assert auditkit("--sql", "links").out.rstrip().count("from nrb_status as s") == 1
    assert "No" not in auditkit("links", "--job", "JOB-1001").err
    assert_refused(auditkit("links", "--job", "JOB-1002"), "JOB-1002")


def test_from_undecided_to_decided_and_back(home: Path) -> None:
    handles = listed()
    ran = auditkit("link", "confirm", handles[CRANE][0], PUMP, "INV-i2/1", "--note", "with the foreman")
    assert (ran.code, ran.err) == (0, "")
    assert "2 decisions in the journal" in ran.out and "To audit now: auditkit audit" in ran.out
    assert set(states().values()) == {"undecided"} and "confirm" in auditkit("links").out.partition("To decide")[0]
    assert auditkit("audit").code == 0
    assert states() == {CRANE: "billed_part", PUMP: "billed_full"}
    assert auditkit("links").out.startswith("0 undecided costs · ") and "To decide" not in auditkit("links").out
    decided = auditkit("links", "--decided")
    assert "2 decisions in force" in decided.out and "with the foreman" in decided.out and "INV-i2/1" in decided.out
    assert auditkit("link", "undo", "6f1c2a", "--note", "another crane").code == 0
    assert auditkit("audit").code == 0
    assert states() == {CRANE: "undecided", PUMP: "billed_full"}


def test_none_and_forbid(home: Path) -> None:
    handles = listed()
    assert "2 decisions" in auditkit("link", "none", "6f1c2a", "--note", "asked").out
    assert "1 decision " in auditkit("link", "forbid", handles[PUMP][0], "--note", "asked").out
    assert auditkit("audit").code == 0
    assert set(states().values()) == {"unbilled"}
    assert "INV-i1, all lines" in auditkit("link", "forbid", CRANE, "INV-i1", "--note", "asked").out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("confirm", "6f1c2a"), "6f1c2a: which line? give INVOICE/LINE behind it, or a LINE_ID"),
        (("confirm", "6f1c2a:zzz"), "6f1c2a:zzz: no such candidate"),
        (("confirm", "6f1c2a", "INV-9/0"), "INV-9/0: no such line"),
        (("forbid", "123456", "INV-i1"), "123456: no cost has this id"),
        (("none", "\x1b[31m"), "no cost has this id"),
        (("undo", "6f1c2a"), "6f1c2a: nothing is decided about it"),
    ],
)
def test_a_wrong_handle_is_one_line(home: Path, arguments: tuple[str, ...], words: str) -> None:
    ran = auditkit("link", *arguments, "--note", "why")
    assert ran.code == 2 and ran.err.count("\n") == 1 and words in ran.err and "\x1b" not in ran.err
    assert not (home / "journal.jsonl").exists()


def test_a_note_is_required(home: Path) -> None:
    assert "--note" in auditkit("link", "none", "6f1c2a").err
    assert_refused(auditkit("link", "none", "6f1c2a", "--note", " "), "a note is needed")
    assert not (home / "journal.jsonl").exists()
