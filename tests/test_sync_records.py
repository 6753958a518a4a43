"""One bad record is one bad record: the rest is published INCOMPLETE, and the record is named with its reason."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import auditkit as ak
from auditkit.errors import Denied, Refused
from auditkit.sandbox.dataset import build
from auditkit.sandbox.state import State
from auditkit.sandbox.wire import Body, loads_stored
from auditkit.vendors import rate_limit, transport
from tests.faults.faults import answer
from tests.relay import Relay, relayed
from tests.served import point, serving
from tests.syncs import last_run

WORLD = build(seed=9, nrbs=10, faults={})
SINGLE = [body["nrbGuid"] for body in WORLD.nrbs if not body["nrbParentGuid"] and not body["nrbChildren"]]
BAD, OTHER = SINGLE[0], SINGLE[1]
LIST, PAGE = "/NonRecurringBillableItem", "/invoices"


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with serving(WORLD, tmp_path) as address, State(tmp_path / "vendors.sqlite") as held:
        copy_invoices(held, 12)
        held.address = address  # type: ignore[attr-defined]
        yield held


@pytest.fixture
def relay(state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    monkeypatch.setattr(transport, "_LONGEST_WAIT_SECONDS", 0.001)
    monkeypatch.setattr(rate_limit, "SLOW_SECONDS", 0.0)
    with relayed(state.address) as found:  # type: ignore[attr-defined]
        point(monkeypatch, found.address, tmp_path / "home")
        yield found


def copy_invoices(state: State, number: int) -> None:
    model = WORLD.invoices[0]
    for body in WORLD.invoices:
        state.delete_invoice(body["jnid"])
    for copy in range(number):
        state.put_invoice({**model, "jnid": f"copy{copy}", "number": f"INV-{copy}"})


def synced(**options: bool) -> dict[str, Any]:
    with ak.open() as audit:
        audit.sync(**options)
        return last_run(audit.snapshot)


def sql(query: str) -> list[tuple[Any, ...]]:
    with ak.open() as audit:
        return list(audit.snapshot.query(query).rows)


def change(state: State, guid: str, **fields: Any) -> None:
    body = loads_stored(state.nrb_text(guid) or "")
    state.put_nrb({**body, "nrbUpdatedAt": body["nrbUpdatedAt"] + 1000, **fields})


def text_of(guid: str, **changes: Any) -> bytes:
    body: Body = next(dict(each) for each in WORLD.nrbs if each["nrbGuid"] == guid)
    return json.dumps({**body, **changes}, default=str).encode()


WRONG = {
    "403": (answer(b'{"message": "not this job"}', 403), "answered 403"),
    "500": (answer(b"", 500), "answered 500"),
    "text": (answer(b"<html>", Content_Type="text/html"), "expected application/json"),
    "utf-8": (answer(text_of(BAD).replace(b'"nrbNotes": ', b'"x": "\xff", "nrbNotes": ')), "expected UTF-8"),
    "nan": (answer(text_of(BAD, nrbRate=float("nan"))), "found NaN"),
    "key twice": (answer(text_of(BAD)[:-1] + b', "nrbRate": 1}'), "expected each key once"),
    "another record": (answer(text_of(OTHER)), "expected an NRB with this nrbGuid"),
    "404": (answer(b"", 404), "is listed, but answered 404 by id"),
}


@pytest.mark.parametrize("name", WRONG)
def test_one_bad_nrb_of_ten(name: str, relay: Relay) -> None:
    whole, reason = WRONG[name]
    relay.answers[f"/{BAD}"] = whole
    run = synced()
    assert (run["status"], run["nrb_listed"], run["nrb_unread"], run["nrb_fetched"]) == ("INCOMPLETE", 10, 1, 9)
    assert run["reason"].startswith(f"Aimsio: 1 NRB could not be read: {BAD} (") and reason in run["reason"]
    assert sql("select count(*) from nrb") == [(9,)]
    ((kind, subject, field, found, digest),) = sql("select * exclude (sync_id) from quarantine")
    assert (kind, subject, field, digest) == ("nrb", BAD, "(record)", None)
    assert reason in found and found.endswith("; it is in no table")
    rows = sql("select subject_id, reason from finding where rule_id = 'record-quarantined'")
    assert rows == [(BAD, found)]
    with ak.open() as audit:
        assert audit.about["verdict"] == "incomplete"
        assert BAD in audit.proof()[0]

    relay.heal()
    run = synced()
    assert (run["status"], run["nrb_fetched"], run["nrb_unread"]) == ("COMPLETE", 1, 0)
    assert sql("select count(*) from nrb") == [(10,)]
    assert sql("select count(*) from quarantine") == [(0,)]


def test_the_last_good_version_is_kept_and_shown_as_such(relay: Relay, state: State) -> None:
    assert synced()["status"] == "COMPLETE"
    before = sql(f"select notes from nrb where guid = '{BAD}'")
    change(state, BAD, nrbNotes="unseen")
    relay.answers[f"/{BAD}"] = answer(b"", 403)
    for _ in range(2):
        run = synced()
        assert (run["status"], run["nrb_unread"]) == ("INCOMPLETE", 1)
        assert sql(f"select notes from nrb where guid = '{BAD}'") == before
        ((reason, digest),) = sql("select reason, digest from quarantine")
        assert reason.endswith("; shown as it was read in sync 1") and digest is not None
    relay.heal()
    assert synced()["status"] == "COMPLETE"
    assert sql(f"select notes from nrb where guid = '{BAD}'") == [("unseen",)]


def test_an_older_answer_does_not_replace_a_newer_version(relay: Relay, state: State) -> None:
    """A replica that lags behind both its list and what was read before."""
    synced()
    old = state.nrb_text(BAD) or ""
    change(state, BAD, nrbNotes="second")
    synced()
    change(state, BAD, nrbNotes="third")
    relay.answers[f"/{BAD}"] = answer(old.encode())
    run = synced()
    assert run["status"] == "INCOMPLETE" and f"{BAD} (was answered in an older version" in run["reason"]
    assert sql(f"select notes from nrb where guid = '{BAD}'") == [("second",)]


@pytest.mark.parametrize(
    ("bad", "whole", "error", "words"),
    [
        ([BAD], answer(b"", 401), Denied, "answered 401"),
        (SINGLE[:2], answer(b"", 403), Denied, "2 of 10 NRBs could not be read, too many to continue; the last: "),
        (SINGLE[:2], answer(b"", 500), Refused, "2 of 10 NRBs could not be read, too many to continue; the last: "),
    ],
    ids=["401", "a fifth with 403", "a fifth with 500"],
)
def test_what_stops_everything_stops_the_sync(
    bad: list[str], whole: bytes, error: type[Exception], words: str, relay: Relay, tmp_path: Path
) -> None:
    for guid in bad:
        relay.answers[f"/{guid}"] = whole
    with pytest.raises(error, match=re.escape(words)):
        synced()
    assert not (tmp_path / "home" / "audit.duckdb").exists()


def with_rows(change: Callable[[list[Any]], None]) -> Callable[[bytes], bytes]:
    """A page whose rows were changed, if it has any."""

    def changed(body: bytes) -> bytes:
        page = json.loads(body)
        if page["results"]:
            change(page["results"])
        return json.dumps(page).encode()

    return changed


def test_one_bad_row_of_a_page(relay: Relay) -> None:
    """12 invoices, one of them with NaN: 11 are published, and the last good version of the other once there is one."""

    def spoil(rows: list[Any]) -> None:
        for row in rows:
            if row["jnid"] == "copy3":
                row["total"] = float("nan")

    relay.changes[PAGE] = with_rows(spoil)
    run = synced()
    assert (run["status"], run["invoice_listed"], run["invoice_unread"]) == ("INCOMPLETE", 12, 1)
    assert "JobNimbus: 1 invoice could not be read: copy3 (row 3: expected a number, found NaN" in run["reason"]
    assert sql("select count(*), count(*) filter (jnid = 'copy3') from invoice") == [(11, 0)]
    relay.heal()
    assert synced()["status"] == "COMPLETE"
    relay.changes[PAGE] = with_rows(spoil)
    assert synced()["status"] == "INCOMPLETE"
    assert sql("select count(*), count(*) filter (jnid = 'copy3') from invoice") == [(12, 1)]
    ((reason,),) = sql("select reason from quarantine where subject_id = 'copy3'")
    assert reason.endswith("; shown as it was read in sync 2")


def test_a_row_without_an_id_is_named_by_its_digest(relay: Relay) -> None:
    relay.changes[PAGE] = with_rows(lambda rows: [row.pop("jnid") for row in rows if row["jnid"] == "copy3"] and None)
    run = synced()
    assert (run["status"], run["invoice_listed"]) == ("INCOMPLETE", 12)
    assert re.search(
        r"could not be read: \(row [0-9a-f]{12}\) \(row 3: jnid: expected a text, found None\)", run["reason"]
    )
    assert sql("select count(*) from invoice") == [(11,)]


# ── Rows that lack a documented key ─────────────────────────────────────────────────────────────────────────────────


def without_items(rows: list[Any]) -> None:
    for row in rows:
        row.pop("items", None)


def test_a_list_row_without_items_is_read_by_id(relay: Relay, state: State) -> None:
    synced()
    expected = sql("select jnid, count(*), sum(amount) from invoice_item group by jnid order by jnid")
    assert len(expected) == 12
    relay.changes[PAGE] = with_rows(without_items)
    before = len(state.calls())
    run = synced()
    assert (run["status"], run["reason"], run["invoice_listed"]) == ("COMPLETE", None, 12)
    read = [call.path for call in state.calls()[before:] if "/copy" in call.path]
    assert len(read) == len(set(read)) == 12
    assert sql("select jnid, count(*), sum(amount) from invoice_item group by jnid order by jnid") == expected


def test_an_invoice_without_items_anywhere_is_not_an_invoice_without_lines(relay: Relay, state: State) -> None:
    relay.changes[PAGE] = with_rows(without_items)
    body = loads_stored(state.invoice_text("copy3") or "")
    relay.answers["/copy3"] = answer(json.dumps({n: v for n, v in body.items() if n != "items"}, default=str).encode())
    run = synced()
    assert run["status"] == "INCOMPLETE" and "copy3 (expected items, found none)" in run["reason"]
    assert sql("select count(*) from invoice") == [(11,)]


# ── What is listed no more ──────────────────────────────────────────────────────────────────────────────────────────


def unlisted(guid: str) -> Callable[[bytes], bytes]:
    return lambda body: json.dumps([row for row in json.loads(body) if row["guid"] != guid]).encode()


@pytest.mark.parametrize(
    ("by_id", "reason"),
    [
        (None, f"Aimsio does not list 1 NRB that it answers by id: {BAD}"),
        (answer(b"", 403), f"Aimsio: 1 NRB could not be read: {BAD} (answered 403"),
    ],
    ids=["answered by id", "403 by id"],
)
def test_a_record_that_is_not_listed_and_not_gone(by_id: bytes | None, reason: str, relay: Relay) -> None:
    """It is carried over as it was, and the sync is not complete."""
    synced()
    relay.changes[LIST] = unlisted(BAD)
    if by_id:
        relay.answers[f"/{BAD}"] = by_id
    run = synced()
    assert (run["status"], run["nrb_listed"], run["nrb_vanished"]) == ("INCOMPLETE", 9, 0)
    assert run["reason"].startswith(reason)
    assert sql("select count(*) from nrb") == [(10,)] and sql("select count(*) from raw.tombstone") == [(0,)]


def test_an_untrusted_list_makes_nothing_vanish(relay: Relay, state: State) -> None:
    """A row without a guid could be any record: nobody is asked for, and nothing vanishes."""
    synced()

    def unnamed(body: bytes) -> bytes:
        return json.dumps(
            [{**row, "guid": None if row["guid"] == BAD else row["guid"]} for row in json.loads(body)]
        ).encode()

    relay.changes[LIST] = unnamed
    before = len(state.calls())
    run = synced()
    assert (run["status"], run["reason"]) == ("INCOMPLETE", "Aimsio's list holds 1 row without a guid")
    assert not [call for call in state.calls()[before:] if call.path.endswith(BAD)]
    assert sql("select count(*) from nrb") == [(10,)]
