"""A version stamp is no proof of content: what is read again although its stamp did not move, and what that finds."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import duckdb
import pytest

import auditkit as ak
from auditkit.progress import notice
from auditkit.sandbox.dataset import build
from auditkit.sandbox.state import State
from auditkit.sandbox.wire import loads_stored
from auditkit.settings import Settings
from auditkit.sync import nrbs, verification
from auditkit.sync.nrbs import AimsioNrbs
from auditkit.sync.raw import Held, RawTable
from auditkit.sync.source import Options
from auditkit.sync.verification import due
from auditkit.vendors.aimsio import AimsioClient, NrbRead, Stub
from auditkit.vendors.suspects import SUSPECTS_FILE, Suspects
from tests.commands import auditkit
from tests.drift.worlds import FakeRawTable
from tests.served import point, serving
from tests.syncs import last_run

WORLD = build(seed=9, nrbs=60, faults={})
GUIDS = sorted(body["nrbGuid"] for body in WORLD.nrbs)
NOW = datetime(2026, 9, 30, 12, tzinfo=UTC)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[State]:
    with serving(WORLD, tmp_path) as address, State(tmp_path / "vendors.sqlite") as held:
        point(monkeypatch, address, tmp_path / "home")
        yield held


def synced(state: State, **options: bool) -> tuple[dict[str, Any], list[str]]:
    """One sync: its record, and the guids that were read."""
    before = len(state.calls())
    with ak.open() as audit:
        audit.sync(**options)
        run = last_run(audit.snapshot)
    read = [
        call.path.rpartition("/")[2] for call in state.calls()[before:] if "/NonRecurringBillableItem/" in call.path
    ]
    return run, sorted(read)


def notes(guid: str) -> str:
    with ak.open() as audit:
        return str(audit.snapshot.query("select notes from nrb where guid = $guid", {"guid": guid}).scalar())


def change_quietly(state: State, guid: str, words: str) -> None:
    """As a markup rule may: other content under the same nrbUpdatedAt."""
    state.put_nrb({**loads_stored(state.nrb_text(guid) or ""), "nrbNotes": words})


def age(home: Path, days: float, guids: list[str] | None = None) -> None:
    """Let the content of NRBs have been read so many days ago."""
    with contextlib.closing(duckdb.connect(str(home / "audit.duckdb"))) as connection:
        connection.execute(
            "update raw.held set verified_at = $at where len($guids) = 0 or list_contains($guids, subject_id)",
            {"at": datetime.now(UTC) - timedelta(days=days), "guids": guids or []},
        )


# ── Which records are due ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("days", "count"),
    [(0.0, 0), (0.001, 0), (0.69, 0), (0.71, 1), (1.0, 1), (3.49, 4), (3.51, 5), (6.99, 9), (7.01, 10), (30.0, 10)],
)
def test_of_records_that_were_read_together_so_many_are_due(days: float, count: int) -> None:
    """Of ten and seven days: each 0.7 days one more, so that they do not all fall due on one day."""
    verified = dict.fromkeys("abcdefghij", NOW - timedelta(days=days))
    assert due(verified, NOW, 7) == list("abcdefghij")[:count]


def test_an_even_rotation_costs_the_same_every_day_and_keeps_the_limit() -> None:
    verified: dict[str, datetime | None] = {f"n{number:03}": NOW for number in range(700)}
    counts, oldest = [], []
    for day in range(1, 31):
        now = NOW + timedelta(days=day)
        chosen = due(verified, now, 7)
        verified |= dict.fromkeys(chosen, now)
        counts.append(len(chosen))
        oldest.append(max(now - at for at in verified.values() if at))
    assert set(counts) == {100}
    assert max(oldest) == timedelta(days=6)


def test_what_was_never_verified_comes_first() -> None:
    assert due({"a": NOW - timedelta(days=8), "b": None, "c": NOW}, NOW, 7) == ["b", "a"]
    assert due({}, NOW, 7) == []


# ── What a sync reads again ─────────────────────────────────────────────────────────────────────────────────────────


def test_every_record_is_read_again_within_seven_days(state: State, tmp_path: Path) -> None:
    run, read = synced(state)
    assert read == GUIDS
    change_quietly(state, GUIDS[5], "quiet")
    run, read = synced(state)
    assert (read, run["nrb_verified_again"], notes(GUIDS[5])) == ([], 0, WORLD_NOTES[GUIDS[5]])  # it cannot be seen yet
    age(tmp_path / "home", 7.5)
    run, read = synced(state)
    assert read == GUIDS
    counts = [
        run[f"nrb_{name}"] for name in ("verified_again", "changed_unversioned", "changed", "fetched", "unchanged")
    ]
    assert (run["status"], counts) == ("COMPLETE", [60, 1, 1, 60, 0])
    assert notes(GUIDS[5]) == "quiet"
    assert datetime.now(UTC) - run["nrb_oldest_verified_at"] < timedelta(hours=1)
    run, read = synced(state)
    assert (read, run["nrb_verified_again"], run["nrb_changed_unversioned"]) == ([], 0, 0)


WORLD_NOTES = {body["nrbGuid"]: str(body["nrbNotes"]) for body in WORLD.nrbs}


def test_the_oldest_come_first_and_the_proof_states_the_age_of_the_oldest(state: State, tmp_path: Path) -> None:
    synced(state)
    age(tmp_path / "home", 6.5, GUIDS[40:])
    run, read = synced(state)
    assert set(read) <= set(GUIDS[40:]) and len(read) == run["nrb_verified_again"] == 15  # 60 × 6.5 / 7 − 40 = 15.7
    oldest = run["nrb_oldest_verified_at"]
    assert timedelta(days=6.4) < datetime.now(UTC) - oldest < timedelta(days=6.6)
    with ak.open() as audit:
        line = audit.proof()[1]
    assert f"15 read again though unchanged; oldest content of {oldest:%Y-%m-%d}; " in line


def test_a_change_without_a_stamp_raises_the_budget(state: State, tmp_path: Path) -> None:
    """10 are due. One of them changed, so the 20 next are read; if one of these changed too, so is the rest."""
    synced(state)
    for changed, expected in (([], 10), ([0], 30), ([1, 20], 60)):
        age(tmp_path / "home", 3.0, GUIDS[10:30])
        age(tmp_path / "home", 10.0, GUIDS[:10])
        for number in changed:
            change_quietly(state, GUIDS[number], f"{expected}")
        run, read = synced(state)
        assert (run["nrb_changed_unversioned"], len(read)) == (len(changed), expected)


def test_the_budget_is_half_an_hour_of_calls(state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nrbs, "BUDGET_SECONDS", 0.01)  # of 2,000 calls a second: 20
    synced(state)
    age(tmp_path / "home", 30.0)
    change_quietly(state, GUIDS[0], "quiet")
    run, read = synced(state)
    assert (len(read), run["nrb_verified_again"], run["nrb_changed_unversioned"]) == (20, 20, 1)
    assert datetime.now(UTC) - run["nrb_oldest_verified_at"] > timedelta(days=29)


def test_a_full_sync_reads_everything_again(state: State) -> None:
    synced(state)
    change_quietly(state, GUIDS[7], "quiet")
    run, read = synced(state, full=True)
    assert read == GUIDS
    assert (run["status"], run["nrb_changed_unversioned"], notes(GUIDS[7])) == ("COMPLETE", 1, "quiet")
    assert auditkit("sync", "--full").code == 0


def test_what_was_read_again_is_what_an_offline_sync_rebuilds(state: State, tmp_path: Path) -> None:
    synced(state)
    change_quietly(state, GUIDS[7], "quiet")
    synced(state, full=True)
    (tmp_path / "home" / "audit.duckdb").unlink()
    run, read = synced(state, offline=True)
    assert (read, run["status"], notes(GUIDS[7])) == ([], "COMPLETE", "quiet")


# ── Read within seconds of a change ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("seconds", "is_racy"), [(-60.0, True), (0.0, True), (2.999, True), (3.0, False), (9.0, False)]
)
def test_a_record_is_racy_for_three_seconds(seconds: float, is_racy: bool) -> None:
    stamp = round(NOW.timestamp() * 1000)
    assert NrbRead("{}", stamp, NOW + timedelta(seconds=seconds), from_cache=False).is_racy is is_racy
    assert not NrbRead("{}", None, NOW, from_cache=False).is_racy


def test_a_record_that_was_read_while_it_changed_is_read_again_next_time(state: State) -> None:
    """Two edits within a second leave one stamp. The vendor's clock decides; here it is a minute behind the stamp."""
    body = loads_stored(state.nrb_text(GUIDS[3]) or "")
    soon = round((datetime.now(UTC) + timedelta(minutes=1)).timestamp()) * 1000
    state.put_nrb({**body, "nrbUpdatedAt": soon, "nrbNotes": "first edit"})
    run, read = synced(state)
    assert (run["status"], len(read), notes(GUIDS[3])) == ("COMPLETE", 60, "first edit")
    state.put_nrb({**body, "nrbUpdatedAt": soon, "nrbNotes": "second edit"})
    run, read = synced(state)
    assert (run["status"], read, notes(GUIDS[3])) == ("COMPLETE", [GUIDS[3]], "second edit")


# ── What a correction found ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_suspected_record_is_read_by_the_next_sync(state: State, tmp_path: Path) -> None:
    synced(state)
    change_quietly(state, GUIDS[9], "quiet")
    suspects = Suspects(tmp_path / "home")
    suspects.add("nrb", GUIDS[9], datetime.now(UTC))
    suspects.add("nrb", "unknown", datetime.now(UTC))
    suspects.add("invoice", GUIDS[8], datetime.now(UTC))
    run, read = synced(state)
    assert GUIDS[9] in read and (run["nrb_changed_unversioned"], notes(GUIDS[9])) == (1, "quiet")
    assert set(suspects.of("nrb")) == {"unknown"} and set(suspects.of("invoice")) == {GUIDS[8]}
    assert synced(state)[1] == []


def test_the_file_of_suspects_is_private_and_a_damaged_line_is_ignored(tmp_path: Path) -> None:
    suspects = Suspects(tmp_path)
    assert suspects.of("nrb") == {}
    suspects.add("nrb", "a", NOW)
    path = tmp_path / SUSPECTS_FILE
    assert path.stat().st_mode & 0o777 == 0o600
    with path.open("ab") as file:
        file.write(b'\xff{"subject": "nrb"}\n[1]\n{"subject": "nrb", "id": "b", "at": "soon"}\n{"subj')
    assert suspects.of("nrb") == {"a": NOW}
    suspects.clear("nrb", {"a": NOW - timedelta(seconds=1)})
    assert suspects.of("nrb") == {"a": NOW}
    suspects.clear("nrb", {"a": NOW})
    assert suspects.of("nrb") == {}


# ── What is announced ───────────────────────────────────────────────────────────────────────────────────────────────


class ManyNrbs:
    """An Aimsio of 100,000 NRBs that never change."""

    def __init__(self, count: int) -> None:
        self.guids = [f"n{number:06}" for number in range(count)]
        self.read_guids: list[str] = []

    def stubs(self) -> list[Stub]:
        return [Stub(guid, 1_700_000_000_000, None) for guid in self.guids]

    def read(self, guid: str, version: str | None = None, *, refresh: bool = False) -> NrbRead:
        self.read_guids.append(guid)
        return NrbRead("{}", 1_700_000_000_000, datetime.now(UTC), from_cache=False)


@pytest.mark.parametrize(
    ("days", "calls", "words"),
    [
        (
            1.0,
            14_285,
            "Aimsio: 14,285 of 100,000 unchanged NRBs are read again, about 0:23:48: updatedAt is no proof of content,"
            " and none should be older than 7 days",
        ),
        (
            30.0,
            18_000,
            "Aimsio: 18,000 of 100,000 unchanged NRBs are read again, about 0:30:00: updatedAt is no proof of content,"
            " and none should be older than 7 days; 100,000 are due, but a sync spends at most half an hour on them",
        ),
    ],
    ids=["a day after the last sync", "a month after"],
)
def test_a_sync_of_100_000_unchanged_nrbs_states_its_calls_beforehand(
    days: float, calls: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[str, int]] = []
    vendor, raw = ManyNrbs(100_000), FakeRawTable()
    monkeypatch.setattr(nrbs, "notice", lambda line: said.append((line, len(vendor.read_guids))))
    monkeypatch.setenv("AUDITKIT_QUIET", "1")
    seen = datetime.now(UTC) - timedelta(days=days) + timedelta(seconds=3)  # 14,285.2 are due; one more in 5 seconds
    raw.kept = dict.fromkeys(vendor.guids, Held(1_700_000_000_000, seen))
    raw.before = dict.fromkeys(vendor.guids, "{}")
    settings = Settings(aimsio_url=None).model_copy(update={"home": tmp_path})
    source = AimsioNrbs(cast(AimsioClient, vendor), settings)
    source.start(cast(RawTable, raw), Options())
    source.finish()
    assert source.problem is None and len(vendor.read_guids) == calls
    assert said == [(words, 0)]
    assert callable(notice) and verification.BUDGET_SECONDS == 1800
