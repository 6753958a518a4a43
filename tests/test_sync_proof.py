"""What makes a sync COMPLETE and what does not: lists that shrink, records that vanish, no network."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import auditkit as ak
from auditkit.sandbox.dataset import build
from auditkit.sandbox.state import State
from tests.commands import assert_refused, auditkit
from tests.served import point, serving
from tests.syncs import last_run

WORLD = build(seed=9, nrbs=60, faults={})


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[State]:
    with serving(WORLD, tmp_path) as address, State(tmp_path / "vendors.sqlite") as held:
        point(monkeypatch, address, tmp_path / "home")
        yield held


def synced(**options: bool) -> dict[str, Any]:
    """One sync; its record."""
    with ak.open() as audit:
        audit.sync(**options)
        return last_run(audit.snapshot)


def sql(query: str) -> list[tuple[Any, ...]]:
    with ak.open() as audit:
        return list(audit.snapshot.query(query).rows)


def test_a_list_that_shrinks_needs_confirmation(state: State) -> None:
    """22 of 60 NRBs at once: carried over, none asked for by id, INCOMPLETE until a person confirms it."""
    synced()
    gone = [body["nrbGuid"] for body in WORLD.nrbs[:22]]
    for guid in gone:
        state.delete_nrb(guid)
    before = len(state.calls())
    run = synced()
    assert (run["status"], run["nrb_listed"], run["nrb_vanished"]) == ("INCOMPLETE", 38, 0)
    assert run["reason"].startswith("Aimsio lists 22 NRBs fewer than before: a lost permission looks like this")
    assert len(state.calls()) - before == 6
    assert sql("select count(*) from nrb") == [(60,)]
    ran = auditkit("sync")
    assert ran.code == 2 and "INCOMPLETE: Aimsio lists 22 NRBs fewer" in ran.out  # until a person confirms it
    assert auditkit("sync", "--accept-shrink").code == 0
    assert sql("select count(*) from nrb") == [(38,)]
    with ak.open() as audit:
        run = last_run(audit.snapshot)
    assert (run["status"], run["nrb_vanished"]) == ("COMPLETE", 22)
    assert sql("select count(*) from finding where rule_id = 'record-vanished'") == [(22,)]


def test_a_few_vanished_records_need_no_confirmation(state: State) -> None:
    """20 of 60 is the limit; each is asked for by id."""
    synced()
    for body in WORLD.nrbs[:20]:
        state.delete_nrb(body["nrbGuid"])
    before = len(state.calls())
    run = synced()
    assert (run["status"], run["nrb_vanished"]) == ("COMPLETE", 20)
    assert len(state.calls()) - before == 6 + 20


def test_a_stub_without_time_is_read_and_reported(state: State) -> None:
    with contextlib.closing(sqlite3.connect(state.path)) as database, database:
        database.execute("update nrb set updated_at = null where guid = ?", (WORLD.nrbs[0]["nrbGuid"],))
    run = synced()
    assert (run["status"], run["nrb_fetched"]) == ("INCOMPLETE", 60)
    assert run["reason"] == "Aimsio's list holds 1 row without updatedAt"
    assert sql("select count(*) from nrb") == [(60,)]


def test_fields_that_the_page_does_not_name(state: State) -> None:
    state.put_nrb({**WORLD.nrbs[0], "nrbColour": "red"})
    run = synced()
    assert run["status"] == "COMPLETE"
    assert run["notices"] == "Aimsio sends fields that its page does not name: nrbColour"


def test_offline_rebuilds_everything_without_a_call(state: State) -> None:
    tables = ("nrb", "invoice", "invoice_item", "link", "statement", "finding")
    columns = [f"{kind}_{name}" for kind in ("nrb", "invoice") for name in ("control_total", "id_hash", "listed")]
    columns += ["status", "read_at"]

    def seen() -> list[Any]:
        return [
            sql(
                "select count(*), md5(string_agg(cast(t as varchar), ',' order by cast(t as varchar)))"
                f" from {name} as t"
            )
            for name in tables
        ]

    online = synced()
    expected, calls = seen(), len(state.calls())
    with ak.open() as audit:
        (audit.settings.folder / "audit.duckdb").unlink()
    offline = synced(offline=True)
    assert len(state.calls()) == calls and offline["calls"] == 0
    assert [offline[name] for name in columns] == [online[name] for name in columns]
    assert offline["is_offline"] and "history is absent" in offline["notices"]
    assert seen() == expected


def test_offline_with_nothing_to_rebuild_from(state: State) -> None:
    assert_refused(auditkit("sync", "--offline"), "the cache holds no read of every source")
    assert state.calls() == []


def test_offline_after_a_read_that_broke(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lists in the cache may be of two reads, so there is no proof for them."""
    synced()
    with monkeypatch.context() as broken:
        broken.setattr("auditkit.sync.run.rebuild_typed", None)
        with pytest.raises(TypeError):
            synced()
    run = synced(offline=True)
    assert (run["status"], run["reason"]) == ("INCOMPLETE", "rebuilt from a read that did not end")


def test_the_proof_has_four_lines(state: State) -> None:
    ran = auditkit("sync")
    synced()
    with ak.open() as audit:
        lines = audit.proof()
    assert len(lines) == 4 and ran.code == 0
    assert [line.split()[0] for line in ran.out.strip().splitlines()] == ["COMPLETE:", "Aimsio", "JobNimbus", "Calls"]
    assert "60 NRBs" in lines[1] and "60 unchanged" in lines[1]
