"""A third source needs its own class alone: it is stored, counted, proved and found missing like the other two."""

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from auditkit.errors import NotThere
from auditkit.settings import Settings
from auditkit.sync.proof import proof
from auditkit.sync.raw import RawTable, RecordType
from auditkit.sync.run import sync
from auditkit.sync.source import Client, Options, Source
from auditkit.vendors.transport import Counters
from auditkit.warehouse.snapshots import Draft, Store


class NoClient:
    """A client without a vendor behind it."""

    def __init__(self) -> None:
        self.calls = Counters()

    def save_proof(self, proof: str) -> None:
        self.proof = proof

    def saved_proof(self) -> str | None:
        return self.proof

    def close(self) -> None:
        pass


class Bills(Source):
    """Bills of a third vendor, given as a dict."""

    record_type: ClassVar[RecordType] = RecordType(
        vendor="Ledger",
        plural="bills",
        subject="bill",
        table="raw.bill_body",
        key="id",
        fields=frozenset({"number", "total"}),
        total="total",
        sums=(),
        labels=("number", None, "total"),
    )

    def __init__(self, bills: Mapping[str, str], unread: Mapping[str, str] | None = None) -> None:
        self._bills = bills
        self._unread = unread or {}
        self._client = NoClient()

    @classmethod
    def connect(cls, settings: Settings, *, offline: bool) -> Self:
        return cls({})

    @property
    def client(self) -> Client:
        return self._client

    def start(self, raw: RawTable, options: Options) -> None:
        self._raw = raw

    def finish(self) -> None:
        self._raw.add([(key, text) for key, text in self._bills.items() if key not in self._unread], 1)

    @property
    def listed(self) -> Collection[str]:
        return self._bills.keys()

    @property
    def unread(self) -> Mapping[str, str]:
        return self._unread

    def read_by_id(self, identifier: str) -> str:
        raise NotThere(identifier)

    def probes(self) -> Iterator[tuple[str, Callable[[], str]]]:
        yield "Ledger", lambda: f"{len(self._bills)} bills"

    @property
    def facts(self) -> dict[str, Any]:
        nothing = dict.fromkeys(("resumed", "verified_again", "changed_unversioned"), 0)
        return {"lists": 1, "method": "in one piece", "end_of_list": "given", "count_meaning": None, **nothing} | {
            "oldest_verified_at": None
        }


def synced(draft: Draft, folder: Path, source: Source) -> int:
    settings = Settings(aimsio_url=None).model_copy(update={"home": folder})
    return sync(draft, settings, [source])


def test_a_third_source(tmp_path: Path) -> None:
    store = Store(tmp_path)
    bills = {"b1": '{"number": "B-1", "total": "10.50"}', "b2": '{"number": "B-2", "total": "2.00", "color": "red"}'}
    with store.writer(), store.draft(keep_previous=False) as draft:
        draft.query("create schema raw")
        columns = "id varchar, digest varchar, body varchar, first_sync integer, last_sync integer"
        draft.query(f"create table raw.bill_body ({columns})")
        draft.query("create table bill (total decimal(18, 2), created_on date)")
        synced(draft, tmp_path, Bills(bills))
        draft.query("insert into bill values (10.50, '2026-09-01'), (2.00, '2026-09-02')")
        synced(draft, tmp_path, Bills({"b2": bills["b2"]}, unread={"b2": "answered 403"}))
        runs = draft.query("select * from sync_run order by sync_id").records()
        rows = draft.query("select * from sync_source order by sync_id").records()
        gone = draft.query("select subject_id, name, total from raw.tombstone").rows
    assert (runs[0]["status"], runs[0]["notices"]) == (
        "COMPLETE",
        "Ledger sends fields that its page does not name: color",
    )
    assert runs[1]["reason"] == "Ledger: 1 bill could not be read: b2 (answered 403)"
    counts = [(row["listed"], row["changed"], row["vanished"], row["unread"]) for row in rows]
    assert counts == [(2, 2, 0, 0), (1, 0, 1, 1)]
    assert str(rows[1]["control_total"]) == "12.50"
    assert [(key, name, str(total)) for key, name, total in gone] == [("b1", "B-1", "10.50")]
    assert proof(runs[1], rows[1:])[1].startswith("  Ledger     1 bills in 1 read of the list")
