"""Where an approval counts: what makes two machines, folders and homes different."""

import socket
import uuid
from pathlib import Path

import pytest

from auditkit.corrections import location
from auditkit.corrections.location import Location
from auditkit.journal import Journal


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    made = Journal(tmp_path / "journal.jsonl")
    made.append("note", {})
    return made


def test_a_location_is_the_same_whenever_it_is_asked_for(journal: Journal, tmp_path: Path) -> None:
    here = Location.of(journal)
    journal.append("note", {})
    link = tmp_path.with_name("link")
    link.symlink_to(tmp_path)
    assert Location.of(journal) == Location.of(Journal(link / "journal.jsonl")) == here
    assert here.difference(here.text) == ""
    assert [len(part) for part in here.text.split(" ")] == [12, 12, 12]


def test_a_journal_without_records_is_no_home_yet(tmp_path: Path) -> None:
    assert Location.of(Journal(tmp_path / "journal.jsonl")).home == ""


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"home": "x"}, "in another home"),
        ({"machine": "x", "folder": "y"}, "on another machine, in another folder"),
    ],
)
def test_what_differs_is_said(journal: Journal, other: dict[str, str], words: str) -> None:
    here = Location.of(journal)
    there = Location(**{**vars(here), **other})
    assert here.difference(there.text) == words


@pytest.mark.parametrize("text", [None, "", "a", "a b c d"])
def test_a_text_that_is_no_location(journal: Journal, text: str | None) -> None:
    assert Location.of(journal).difference(text) == "at an unknown place"


def machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, id_: str | None, name: str, card: int = location._MADE_UP
) -> str:
    path = tmp_path / "machine-id"
    path.unlink(missing_ok=True)
    if id_ is not None:
        path.write_text(id_)
    monkeypatch.setattr(location, "_MACHINE_IDS", (tmp_path / "none", path))
    monkeypatch.setattr(socket, "gethostname", lambda: name)
    monkeypatch.setattr(uuid, "getnode", lambda: card)
    return location._machine()


def test_two_machines_differ_by_id_or_name_and_without_an_id_by_network_card(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def known(**what: object) -> str:
        return machine(monkeypatch, tmp_path, **what)  # type: ignore[arg-type]

    assert known(id_="1\n", name="office", card=7) == known(id_="1", name="office", card=8)
    assert known(id_="1", name="office") != known(id_="2", name="office")
    assert known(id_="1", name="office") != known(id_="1", name="container")
    assert known(id_=None, name="office.local", card=7) == known(id_=None, name="dhcp-12", card=7)
    assert known(id_=None, name="office") != known(id_=None, name="other")
