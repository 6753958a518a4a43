"""A read that can be trusted: what is fetched, what changes during the read, and what a failed run leaves behind."""

import contextlib
import json
import signal
import sqlite3
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import auditkit as ak
from auditkit.sandbox.dataset import build
from auditkit.sandbox.server import Address
from auditkit.sandbox.state import State
from auditkit.sandbox.wire import Body, loads_stored
from auditkit.settings import Settings
from auditkit.sync.invoices import MAX_DISCARDED
from auditkit.sync.nrbs import MAX_LISTS
from auditkit.sync.run import connect, sync
from auditkit.vendors.paging import WINDOW
from auditkit.warehouse.snapshots import Snapshot, Store
from tests.commands import Ran, assert_refused, auditkit, bytes_of, started
from tests.served import point, serving
from tests.syncs import last_run

WORLD = build(seed=9, nrbs=60, faults={})
SINGLE = [body for body in WORLD.nrbs if not body["nrbParentGuid"] and not body["nrbChildren"]]


@dataclass(frozen=True)
class Vendors:
    """Both vendors, from the inside: what they hold, and every call that they received."""

    state: State
    home: Path
    address: Address

    def nrb(self, guid: str) -> Body:
        return loads_stored(self.state.nrb_text(guid) or "")

    def change(self, guid: str, **fields: Any) -> None:
        """As a person does in Aimsio: the fields, and a later time of change."""
        body = self.nrb(guid)
        self.state.put_nrb({**body, "nrbUpdatedAt": body["nrbUpdatedAt"] + 1000, **fields})

    def calls(self) -> Counter[str]:
        """How many calls of each kind were made since the last time this was asked."""
        seen = [_kind(call.method, call.path) for call in self.state.calls()]
        with sqlite3.connect(self.state.path) as database:
            database.execute("delete from request_log")
        database.close()
        return Counter(seen)

    @contextlib.contextmanager
    def meanwhile(self, act: Callable[[State], None]) -> Iterator[None]:
        """Act again and again, from the first call for a record or a page until the block ends."""
        over = threading.Event()

        def keep_acting() -> None:
            with State(self.state.path) as state:
                while not over.wait(0.002):
                    if any(_kind(call.method, call.path) != "list" for call in state.calls()):
                        act(state)

        thread = threading.Thread(target=keep_acting)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def _kind(method: str, path: str) -> str:
    if method != "GET":
        return "write"
    if path.endswith("/NonRecurringBillableItem"):
        return "list"
    return "page" if path.endswith("/invoices") else "detail"


@pytest.fixture
def vendors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Vendors]:
    with (
        serving(WORLD, tmp_path, **getattr(request, "param", {})) as address,
        State(tmp_path / "vendors.sqlite") as state,
    ):
        point(monkeypatch, address, tmp_path / "home")
        yield Vendors(state, tmp_path / "home", address)


def read() -> dict[str, Any]:
    """One sync without an audit; its record. The account is the one of the settings."""
    settings = Settings.load()
    store = Store(settings.folder)
    with connect(settings) as sources, store.writer(), store.draft(keep_previous=True) as draft:
        sync(draft, settings, sources)
    with store.open() as snapshot:
        return last_run(snapshot)


def versions(snapshot: Snapshot, guid: str) -> list[tuple[Any, ...]]:
    return snapshot.query(
        "select json_extract_string(body, '$.nrbNotes'), first_sync, last_sync from raw.nrb_body where guid = $guid"
        " order by first_sync",
        {"guid": guid},
    ).rows


# ── What is fetched ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_second_sync_fetches_nothing_that_did_not_change(vendors: Vendors) -> None:
    first = read()
    assert vendors.calls() == {"list": 2, "detail": 60, "page": 4}  # each pass asks beyond the last row
    assert (first["nrb_fetched"], first["nrb_unchanged"], first["invoice_changed"]) == (60, 0, first["invoice_listed"])
    second = read()
    assert vendors.calls() == {"list": 2, "page": 4}
    assert (second["nrb_fetched"], second["nrb_unchanged"], second["invoice_changed"]) == (0, 60, 0)
    assert (second["status"], second["reason"], second["calls"], second["retries"]) == ("COMPLETE", None, 6, 0)
    same = [f"{kind}_{name}" for kind in ("nrb", "invoice") for name in ("control_total", "id_hash", "listed")]
    assert [first[name] for name in same] == [second[name] for name in same]


def test_what_is_new_changed_or_gone(vendors: Vendors) -> None:
    """Three changed, one new and one deleted NRB are four calls; invoices come whole, and are compared."""
    read()
    vendors.calls()
    changed, deleted, model = SINGLE[1:4], SINGLE[4]["nrbGuid"], SINGLE[5]
    for body in changed:
        vendors.change(body["nrbGuid"], nrbNotes="changed")
    vendors.state.put_nrb({**model, "nrbGuid": "new"})
    vendors.state.delete_nrb(deleted)
    invoices = list(WORLD.invoices)
    vendors.state.put_invoice({**invoices[0], "note": "changed"})
    vendors.state.put_invoice({**invoices[1], "jnid": "new", "number": "INV-NEW"})
    vendors.state.delete_invoice(invoices[2]["jnid"])

    run = read()

    # four NRBs, and the two records that are listed no more are asked for by id
    assert vendors.calls() == {"list": 2, "detail": 4 + 2, "page": 4}
    assert (run["nrb_listed"], run["nrb_fetched"], run["nrb_unchanged"], run["nrb_vanished"]) == (60, 4, 56, 1)
    assert (run["invoice_listed"], run["invoice_changed"], run["invoice_vanished"]) == (len(invoices), 2, 1)
    with Store(vendors.home).open() as snapshot:
        guids = {guid for (guid,) in snapshot.query("select guid from nrb").rows}
        assert guids == {body["nrbGuid"] for body in WORLD.nrbs} - {deleted} | {"new"}
        assert snapshot.query("select count(*) from nrb where notes = 'changed'").scalar() == 3
        jnids = {jnid for (jnid,) in snapshot.query("select jnid from invoice").rows}
        assert jnids == {body["jnid"] for body in invoices} - {invoices[2]["jnid"]} | {"new"}


def test_raw_bodies_are_append_only(vendors: Vendors) -> None:
    """Each version has the first and the last sync in which it was current; one that returns is a version again."""
    guid, gone = SINGLE[1]["nrbGuid"], SINGLE[4]["nrbGuid"]
    original, other = vendors.nrb(guid), vendors.nrb(gone)
    read()
    vendors.change(guid, nrbNotes="second")
    vendors.state.delete_nrb(gone)
    read()
    read()
    with Store(vendors.home).open() as snapshot:
        assert versions(snapshot, guid) == [(original["nrbNotes"], 1, 1), ("second", 2, 3)]
        assert versions(snapshot, gone) == [(other["nrbNotes"], 1, 1)]
        wrong = "select count(*) from raw.nrb_body where digest <> sha256(body)"
        assert snapshot.query(wrong).scalar() == 0
    vendors.state.put_nrb(original)
    vendors.state.put_nrb(other)
    vendors.calls()
    run = read()
    assert vendors.calls() == {"list": 2, "page": 4}  # both versions were fetched before, and are in the cache
    assert (run["nrb_fetched"], run["nrb_resumed"], run["nrb_listed"]) == (0, 2, 60)
    with Store(vendors.home).open() as snapshot:
        notes = original["nrbNotes"]
        assert versions(snapshot, guid) == [(notes, 1, 1), ("second", 2, 3), (notes, 4, 4)]
        assert snapshot.query("select count(*) from nrb").scalar() == 60


@pytest.mark.parametrize(("invoices", "pages"), [(999, 2), (1000, 3), (1001, 3), (2003, 4)])
def test_more_invoices_than_a_page_holds(invoices: int, pages: int, vendors: Vendors) -> None:
    copy_invoices(vendors.state, invoices)
    run = read()
    assert vendors.calls()["page"] == 2 * pages  # two passes that agree
    assert (run["status"], run["invoice_listed"], run["invoice_lists"]) == ("COMPLETE", invoices, 2)
    with Store(vendors.home).open() as snapshot:
        assert snapshot.query("select count(distinct jnid) from invoice").scalar() == invoices


@pytest.mark.parametrize("vendors", [{"order": "random-per-request"}], indirect=True, ids=["random order"])
def test_an_order_that_changes_is_read_by_dates(vendors: Vendors) -> None:
    """Two passes whose pages do not fit together, then two over windows of dates that agree."""
    copy_invoices(vendors.state, 1500)
    run = read()
    assert (run["status"], run["reason"], run["invoice_listed"]) == ("COMPLETE", None, 1500)
    assert (run["invoice_lists"], run["invoice_method"]) == (4, "date windows")


CAMPAIGN = pytest.mark.campaign
RANDOM_UNFILTERED = {"order": "random-per-request", "filter": "ignored"}


@pytest.mark.parametrize("vendors", [RANDOM_UNFILTERED], indirect=True, ids=["random order, filter ignored"])
def test_pages_that_do_not_fit_together(vendors: Vendors) -> None:
    copy_invoices(vendors.state, 1500)
    run = read()
    assert run["status"] == "INCOMPLETE"
    assert run["reason"] == "JobNimbus ignores the filter that would divide its list (it counts 1,500 invoices)"


FEW_ROWS = {"page_rows": 3}


@pytest.mark.parametrize(
    ("vendors", "count", "problem"),
    [
        ({**FEW_ROWS, "count": "page"}, "the rows of each page", None),
        ({**FEW_ROWS, "count": "remaining"}, "the rows from each page on", None),
        ({**FEW_ROWS, "count": "capped"}, "capped at 5", None),
        ({**FEW_ROWS, "count": "none"}, "none is sent", None),
        ({**FEW_ROWS, "order": "random-per-request"}, "the total", None),
        ({**FEW_ROWS, "beyond_end": "repeat"}, "", "JobNimbus repeats invoices past the end of its list"),
        ({"beyond_end": "error"}, "", "JobNimbus refuses the page past its last invoice (answered 400)"),
    ],
    indirect=["vendors"],
    ids=["count: page", "count: remaining", "count: capped", "no count", "random order", "last page repeated", "error"],
)
def test_a_server_that_sends_three_rows_a_page(count: str, problem: str | None, vendors: Vendors) -> None:
    """It is read whole, 12 of 12, whatever its count counts; if the end cannot be proved, the read is INCOMPLETE."""
    copy_invoices(vendors.state, 12)
    run = read()
    if problem:
        assert run["status"] == "INCOMPLETE" and run["reason"].startswith(problem)
        return
    assert (run["status"], run["reason"], run["invoice_listed"]) == ("COMPLETE", None, 12)
    assert run["invoice_count_meaning"] == count
    assert run["invoice_end_of_list"].startswith("an empty page after ")


@pytest.mark.parametrize("vendors", [{"count": "page"}], indirect=True, ids=["count: page"])
def test_a_count_of_the_rows_of_each_page_is_no_reason_to_be_incomplete(vendors: Vendors) -> None:
    copy_invoices(vendors.state, 1201)
    run = read()
    assert (run["status"], run["reason"], run["invoice_listed"]) == ("COMPLETE", None, 1201)


@pytest.mark.slow
@pytest.mark.parametrize(
    "vendors",
    [pytest.param({}, id="count: account"), pytest.param({"count": "filter"}, id="count: filter", marks=CAMPAIGN)],
    indirect=True,
)
def test_more_invoices_than_pages_reach(vendors: Vendors) -> None:
    copy_invoices(vendors.state, WINDOW + 1)
    run = read()
    assert (run["status"], run["reason"], run["invoice_listed"]) == ("COMPLETE", None, WINDOW + 1)
    assert (run["invoice_lists"], run["invoice_method"]) == (3, "date windows")


@CAMPAIGN
@pytest.mark.parametrize("vendors", [{"filter": "ignored"}], indirect=True, ids=["filter ignored"])
def test_more_invoices_than_pages_reach_and_no_filter(vendors: Vendors) -> None:
    """What could be read is kept, and labeled."""
    copy_invoices(vendors.state, WINDOW + 1)
    run = read()
    assert (run["status"], run["invoice_listed"]) == ("INCOMPLETE", WINDOW)
    assert run["reason"] == "JobNimbus ignores the filter that would divide its list (it counts 10,001 invoices)"


def copy_invoices(state: State, number: int) -> None:
    """As many invoices in all, of one line each."""
    model = {**WORLD.invoices[0], "items": WORLD.invoices[0]["items"][:1]}
    with state.transaction():
        for body in WORLD.invoices:
            state.delete_invoice(body["jnid"])
        for copy in range(number):
            created = model["date_created"] + 3600 * copy
            state.put_invoice({**model, "jnid": f"copy{copy}", "number": f"INV-{copy}", "date_created": created})


# ── What changes during the read ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """60 records take more than a second, so that something can happen during the read."""
    monkeypatch.setenv("AUDITKIT_RATE_PER_SECOND", "50")
    monkeypatch.setenv("AUDITKIT_PARALLEL", "2")


@pytest.mark.usefixtures("slowly")
def test_a_change_during_the_read_is_read(vendors: Vendors) -> None:
    guids = sorted(body["nrbGuid"] for body in WORLD.nrbs)
    body = vendors.nrb(guids[0])
    later = {**body, "nrbNotes": "meanwhile", "nrbUpdatedAt": body["nrbUpdatedAt"] + 1000}
    with vendors.meanwhile(lambda state: state.put_nrb(later)):
        run = read()
    assert (run["status"], run["nrb_listed"]) == ("COMPLETE", 60)
    assert run["nrb_lists"] == vendors.calls()["list"] == 3
    with Store(vendors.home).open() as snapshot:
        assert snapshot.query("select guid from nrb where notes = 'meanwhile'").rows == [(guids[0],)]


@pytest.mark.usefixtures("slowly")
def test_what_is_deleted_during_the_read_is_gone(vendors: Vendors) -> None:
    """The first list has it, a read by id answers 404, and the next list decides."""
    last = max(body["nrbGuid"] for body in WORLD.nrbs)
    with vendors.meanwhile(lambda state: state.delete_nrb(last)):
        run = read()
    assert (run["status"], run["nrb_listed"], run["nrb_fetched"]) == ("COMPLETE", 59, 59)
    assert {call.status for call in vendors.state.calls() if call.path.endswith(last)} == {404}


@pytest.mark.slow
@pytest.mark.usefixtures("slowly")
def test_a_list_that_keeps_changing_is_incomplete_on_every_page(vendors: Vendors) -> None:
    """The label is on every page, and the verdict is not "clean"."""
    guid = SINGLE[1]["nrbGuid"]

    def change(state: State) -> None:
        body = loads_stored(state.nrb_text(guid) or "")
        state.put_nrb({**body, "nrbUpdatedAt": body["nrbUpdatedAt"] + 1000})

    with ak.open() as audit, vendors.meanwhile(change):
        audit.sync()
        reason = "Aimsio's list changed during each of 5 reads"
        assert f"read INCOMPLETE ({reason})" in audit.title and audit.title.endswith("verdict: incomplete")
        assert set(audit.completeness()["status"]) == {"INCOMPLETE"}
        assert vendors.calls()["list"] == MAX_LISTS
    ran = auditkit("findings")
    assert ran.code == 2 and "INCOMPLETE" in ran.out


@pytest.mark.usefixtures("slowly")
def test_invoices_that_keep_changing(vendors: Vendors) -> None:
    number = iter(range(1_000_000))
    with vendors.meanwhile(lambda state: state.put_invoice({**WORLD.invoices[0], "note": f"{next(number)}"})):
        run = read()
    assert (run["status"], run["invoice_lists"]) == ("INCOMPLETE", MAX_DISCARDED + 1)
    assert run["reason"] == "JobNimbus's invoices changed during each of 4 passes"


def test_a_record_older_than_its_list_is_not_taken_for_the_newest(vendors: Vendors) -> None:
    """A replica that lags: the list has a change that a read by id does not show yet."""
    read()
    guid = SINGLE[1]["nrbGuid"]
    with sqlite3.connect(vendors.state.path) as database:
        database.execute("update nrb set updated_at = updated_at + 1000 where guid = ?", (guid,))
    database.close()
    assert read()["status"] == "INCOMPLETE"
    vendors.change(guid, nrbNotes="the change")  # with the time that the list had all along
    assert read()["status"] == "COMPLETE"
    with Store(vendors.home).open() as snapshot:
        assert snapshot.query("select guid from nrb where notes = 'the change'").rows == [(guid,)]


@pytest.mark.parametrize("kind", ["nrb", "invoice"])
def test_an_account_that_is_suddenly_empty(kind: str, vendors: Vendors) -> None:
    """A lost permission looks like a mass deletion."""
    read()
    with sqlite3.connect(vendors.state.path) as database:
        database.execute(f"delete from {kind}")
    database.close()
    assert read()["status"] == "INCOMPLETE"


# ── Runs that break ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_a_killed_first_sync_leaves_no_snapshot_and_the_next_continues(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It states beforehand how long it will take: 1,000 NRBs at 10 a second."""
    with serving(build(seed=1, nrbs=1000, faults={}), tmp_path) as address, State(tmp_path / "vendors.sqlite") as state:
        point(monkeypatch, address, tmp_path / "home", RATE_PER_SECOND="10", QUIET="0")
        with started("sync") as program:
            assert program.stderr
            assert program.stderr.readline() == ("Aimsio: 1,000 NRBs to read at 10 calls a second, about 0:01:40\n")
            wait_for(lambda: len(details(state, 200)) >= 15)
            program.send_signal(signal.SIGKILL)
            program.communicate()
        answered = details(state, 200)
        assert 15 <= len(answered) < 100
        assert not (tmp_path / "home" / "audit.duckdb").exists()
        assert_refused(auditkit("findings"), "nothing has been synced yet")

        monkeypatch.setenv("AUDITKIT_RATE_PER_SECOND", "2000")
        monkeypatch.setenv("AUDITKIT_QUIET", "1")
        before = len(state.calls())
        assert read()["status"] == "COMPLETE"
        again = [call.path for call in state.calls()[before:] if call.path in set(answered)]
        assert len(again) <= 10  # at most what was in flight when it was killed
        assert len(state.calls()) - before <= 1000 - len(answered) + 10 + 6
    assert not list((tmp_path / "home").glob(".building*"))


@pytest.mark.slow
def test_a_killed_later_sync_leaves_the_old_snapshot(vendors: Vendors, monkeypatch: pytest.MonkeyPatch) -> None:
    read()
    before = bytes_of(vendors.home)
    for body in WORLD.nrbs:
        vendors.change(body["nrbGuid"])
    vendors.calls()
    monkeypatch.setenv("AUDITKIT_RATE_PER_SECOND", "10")
    with started("sync") as program:
        wait_for(lambda: len(details(vendors.state, 200)) >= 20)
        program.send_signal(signal.SIGKILL)
        program.communicate()
    answered = len(details(vendors.state, 200))
    assert list(vendors.home.glob(".building*")) and bytes_of(vendors.home) == before
    monkeypatch.setenv("AUDITKIT_RATE_PER_SECOND", "2000")
    run = read()
    assert run["nrb_resumed"] >= answered - 10  # what had arrived before the kill costs no second call
    assert run["nrb_fetched"] + run["nrb_resumed"] == 60
    assert not list(vendors.home.glob(".building*"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "one_line",
    [False, pytest.param(True)],
    ids=["unharmed", "one line, exit code 2"],
)
def test_ctrl_c(one_line: bool, vendors: Vendors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDITKIT_RATE_PER_SECOND", "10")
    with started("sync") as program:
        wait_for(lambda: len(details(vendors.state, 200)) >= 3)
        program.send_signal(signal.SIGINT)
        out, err = program.communicate(timeout=20)
    if one_line:
        assert_refused(Ran(program.returncode, out, err), "stopped", "what was fetched stays in the cache")
        return
    assert program.returncode != 0 and "Traceback" not in err
    assert not list(vendors.home.glob("*.duckdb")) and not list(vendors.home.glob(".building*"))
    answered = len(details(vendors.state, 200))
    vendors.calls()
    monkeypatch.setenv("AUDITKIT_RATE_PER_SECOND", "2000")
    assert read()["status"] == "COMPLETE"
    assert vendors.calls()["detail"] == 60 - answered


def details(state: State, status: int) -> list[str]:
    """The paths of the details that were answered so."""
    return [call.path for call in state.calls() if _kind(call.method, call.path) == "detail" and call.status == status]


def wait_for(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "the condition did not become true"
        time.sleep(0.05)


# ── At the vendors' own pace ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_the_vendors_limits_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """10 calls a second and 10 in flight, counted by the server."""
    world = build(seed=2, nrbs=25, faults={})
    with serving(world, tmp_path, rate_per_second=10, parallel=10) as address:
        point(monkeypatch, address, tmp_path / "home", RATE_PER_SECOND="10")
        run = read()
        with urllib.request.urlopen(f"{address.root}/limits") as answer:
            seen = json.load(answer)
    assert (run["status"], run["nrb_fetched"], run["retries"], run["throttled"]) == ("COMPLETE", 25, 0, 0)
    assert seen["aimsio"]["calls"] == 27
    for vendor in seen.values():
        assert vendor["refused"] == 0 and vendor["most_in_a_second"] <= 10 and vendor["most_in_flight"] <= 10


def test_an_empty_list_stays_suspicious(vendors: Vendors) -> None:
    """The run after the one that noticed it must not be COMPLETE either."""
    read()
    with sqlite3.connect(vendors.state.path) as database:
        database.execute("delete from nrb")
    database.close()
    assert [read()["status"], read()["status"]] == ["INCOMPLETE", "INCOMPLETE"]
