"""Sync: both APIs → raw and typed tables of a draft snapshot, with one record of the run and its control totals.

Aimsio lists stubs, so a read is the list, each detail that is new or changed (up to 10 in flight), and the list again
until two agree. JobNimbus gives whole pages: all of them are read until two passes agree. What a run could not see to
the end makes it INCOMPLETE, with the reason; the label travels with every figure made from it.

Not here: politeness, retries and the cache (`apis/`), typing (`store/`), and what the figures mean (`checks`).
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TypeVar

from auditkit.apis.aimsio import AimsioClient
from auditkit.apis.jobnimbus import DEFAULT_SIZE, JobNimbusClient
from auditkit.config import Settings
from auditkit.errors import NotThere
from auditkit.progress import progress, say
from auditkit.store.schema import rebuild_schema, rebuild_typed
from auditkit.store.snapshots import Draft

Row = TypeVar("Row")

__all__ = ["MAX_LISTS", "MAX_PASSES", "WINDOW", "sync"]

MAX_LISTS = 5
MAX_PASSES = 3
WINDOW = 10_000  # JobNimbus pages no further than from + size = 10,000
_CHUNK = 2_000
_ANNOUNCE_FROM = 50  # details; fewer are read before anyone wonders


@dataclass(frozen=True)
class _Read:
    """What one vendor's read came to. `gone` and `changed` are against the sync before."""

    listed: int
    arrived: int
    changed: int
    gone: int
    rounds: int
    id_hash: str
    incomplete: str | None

    def columns(self, vendor: str, names: tuple[str, ...]) -> dict[str, int | str]:
        """Some of the fields, named for one vendor's columns of `sync_run`."""
        return {f"{vendor}_{name}": getattr(self, name) for name in names}


def sync(
    draft: Draft,
    settings: Settings,
    aimsio: AimsioClient,
    jobnimbus: JobNimbusClient,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> int:
    """Read both vendors into a draft and type what came. Returns the number of the run.

    Raises an `ApiError` when a vendor could not be read: nothing is published then, and what was fetched stays in the
    cache, so that the next run goes on from there.
    """
    rebuild_schema(draft)
    started_at = clock()
    sync_id = int(draft.query("select coalesce(max(sync_id), 0) + 1 from sync_run").scalar())
    nrbs = _read_nrbs(draft, aimsio, settings, sync_id)
    invoices = _read_invoices(draft, jobnimbus, sync_id)
    rebuild_typed(draft, sync_id=sync_id, zone=settings.zone.key)
    reasons = [read.incomplete for read in (nrbs, invoices) if read.incomplete]
    calls = (aimsio.calls, jobnimbus.calls)
    draft.query(
        _RECORD,
        {
            "sync_id": sync_id,
            "started_at": started_at,
            "finished_at": clock(),
            "environment": settings.environment,
            "account": settings.account,
            "status": "INCOMPLETE" if reasons else "COMPLETE",
            "reason": "; ".join(reasons) or None,
            **{f"nrb_{name}": getattr(nrbs, name) for name in ("listed", "arrived", "gone", "rounds", "id_hash")},
            **{
                f"invoice_{name}": getattr(invoices, name)
                for name in ("listed", "changed", "gone", "rounds", "id_hash")
            },
            "calls": sum(each.made for each in calls),
            "retries": sum(each.retried for each in calls),
            "throttled": sum(each.throttled for each in calls),
        },
    )
    return sync_id


_RECORD = """
insert into sync_run by name
select cast($sync_id as integer) as sync_id, $started_at as started_at, $finished_at as finished_at,
    $environment as environment, $account as account, $status as status, $reason as reason,
    $nrb_listed as nrb_listed, $nrb_arrived as nrb_fetched, $nrb_listed - $nrb_arrived as nrb_unchanged,
    (select count(*) from quarantine where subject_type = 'nrb') as nrb_quarantined, $nrb_gone as nrb_gone,
    (select coalesce(sum(total_after_markup), 0) from nrb where is_leaf) as nrb_total,
    $nrb_rounds as nrb_lists, $nrb_id_hash as nrb_id_hash,
    $invoice_listed as invoice_listed, $invoice_changed as invoice_changed,
    (select count(*) from quarantine where subject_type = 'invoice') as invoice_quarantined,
    $invoice_gone as invoice_gone,
    (select coalesce(sum(total), 0) from invoice) as invoice_total,
    $invoice_rounds as invoice_passes, $invoice_id_hash as invoice_id_hash,
    $calls as calls, $retries as retries, $throttled as throttled
"""


def _read_nrbs(draft: Draft, aimsio: AimsioClient, settings: Settings, sync_id: int) -> _Read:
    """List, get what is new or changed, list again: until two lists agree."""
    known: dict[str, int] = dict(draft.query("select guid, updated_at from raw.nrb_stub").rows)
    draft.query("create or replace temp table arrived (id varchar, body varchar, turn integer)")
    listed, incomplete = _listed(aimsio)
    rounds, agree = 1, False
    while not agree and rounds < MAX_LISTS:
        wanted = {guid: version for guid, version in listed.items() if known.get(guid) != version}
        _announce(len(wanted), settings)
        with progress("Aimsio", len(wanted), "NRB") as advance:
            for chunk in _chunks(_details(aimsio, wanted, settings.parallel)):
                there = [(guid, body) for guid, body in chunk if body is not None]
                known.update((guid, wanted[guid]) for guid, _ in there)
                _arrive(draft, there, rounds)
                advance(len(chunk))
        before = listed
        listed, incomplete = _listed(aimsio)
        rounds, agree = rounds + 1, listed == before
    if not agree:
        incomplete = incomplete or f"Aimsio's list changed during each of {MAX_LISTS} reads"
    if not listed and draft.query("select count(*) from raw.nrb_body").scalar():
        incomplete = "Aimsio lists no NRBs, but did before: a lost permission looks like this"
    for guid, updated_at in draft.query(_UPDATED_AT).rows:
        if updated_at is not None and updated_at < listed.get(guid, 0):
            known.pop(guid)  # a replica that lags behind: the next sync asks again
    stubs = {guid: version for guid, version in listed.items() if known.get(guid) == version}
    if len(stubs) < len(listed):
        missing = len(listed) - len(stubs)
        incomplete = incomplete or f"Aimsio gave {missing} NRBs not at all, or older than it lists them"
    draft.query("delete from raw.nrb_stub")
    for rows in _chunks(stubs.items()):
        draft.insert(
            "raw.nrb_stub", {"guid": [guid for guid, _ in rows], "updated_at": [version for _, version in rows]}
        )
    return _Read(len(listed), *_keep(draft, "nrb_body", "guid", listed, sync_id), rounds, _hash(listed), incomplete)


_UPDATED_AT = """
select id, try_cast(json_extract_string(arg_max(body, turn), '$.nrbUpdatedAt') as bigint) as updated_at
from arrived where json_valid(body) group by id
"""


def _listed(aimsio: AimsioClient) -> tuple[dict[str, int], str | None]:
    """guid → version of every stub. Two stubs with one guid make the run incomplete; the later version is read."""
    stubs = aimsio.stubs()
    listed = {stub.guid: stub.updated_at for stub in sorted(stubs, key=lambda stub: (stub.guid, stub.updated_at))}
    twice = len(stubs) - len(listed)
    return listed, f"Aimsio's list holds {twice} guids twice" if twice else None


def _details(aimsio: AimsioClient, wanted: dict[str, int], parallel: int) -> Iterator[tuple[str, str | None]]:
    """(guid, body) of each wanted NRB as it arrives, `parallel` in flight; no body where it has vanished since."""

    def get(guid: str) -> tuple[str, str | None]:
        try:
            return guid, aimsio.nrb(guid, str(wanted[guid]))
        except NotThere:
            return guid, None

    queue = iter(wanted)
    with ThreadPoolExecutor(parallel) as pool:
        flying: set[Future[tuple[str, str | None]]] = {pool.submit(get, guid) for guid in islice(queue, 2 * parallel)}
        try:
            while flying:
                landed, flying = wait(flying, return_when=FIRST_COMPLETED)
                for future in landed:
                    yield future.result()
                flying |= {pool.submit(get, guid) for guid in islice(queue, len(landed))}
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _announce(details: int, settings: Settings) -> None:
    if details >= _ANNOUNCE_FROM:
        length = timedelta(seconds=round(details / settings.rate_per_second))
        say(f"Aimsio: {details:,} NRBs to read at {settings.rate_per_second:g} calls a second, about {length}")


def _read_invoices(draft: Draft, jobnimbus: JobNimbusClient, sync_id: int) -> _Read:
    """All pages, until two passes give the same invoices."""
    before: dict[str, str] | None = None
    rounds = 0
    while True:
        rounds += 1
        draft.query("create or replace temp table arrived (id varchar, body varchar, turn integer)")
        digests, incomplete = _read_pages(draft, jobnimbus)
        if incomplete is None and digests == before:
            break
        if rounds == MAX_PASSES:
            incomplete = incomplete or f"JobNimbus's invoices changed during each of {MAX_PASSES} passes"
            break
        before = digests if incomplete is None else None
    if not digests and draft.query("select count(*) from raw.invoice_body").scalar():
        incomplete = "JobNimbus lists no invoices, but did before: a lost permission looks like this"
    kept = _keep(draft, "invoice_body", "jnid", digests, sync_id)
    return _Read(len(digests), *kept, rounds, _hash(digests), incomplete)


def _read_pages(draft: Draft, jobnimbus: JobNimbusClient) -> tuple[dict[str, str], str | None]:
    """One pass: jnid → digest, and why it cannot be trusted. It stops on a short page; `count` is a cross-check."""
    digests: dict[str, str] = {}
    read, counts = 0, set[int | None]()
    with progress("JobNimbus", None, "invoice") as advance:
        while read < WINDOW:
            page = jobnimbus.page(read, DEFAULT_SIZE)
            counts.add(page.count)
            digests.update((jnid, hashlib.sha256(text.encode()).hexdigest()) for jnid, text in page.rows)
            _arrive(draft, page.rows, 1)
            read += len(page.rows)
            advance(len(page.rows))
            if not page.rows or (len(page.rows) < DEFAULT_SIZE and read >= (page.count or 0)):
                break
        else:
            return digests, f"JobNimbus holds {WINDOW:,} invoices or more, and pages no further"
    if len(digests) < read:
        return digests, f"JobNimbus sent {read - len(digests)} invoices twice in one pass"
    if len(counts) > 1 or any(count is not None and count > read for count in counts):
        return digests, f"JobNimbus counts {' and '.join(map(str, counts))} invoices, but sent {read}"
    return digests, None


def _arrive(draft: Draft, rows: list[tuple[str, str]], rounds: int) -> None:
    if rows:
        ids, bodies = zip(*rows, strict=True)
        draft.insert("arrived", {"id": list(ids), "body": list(bodies), "turn": [rounds] * len(rows)})


def _keep(draft: Draft, table: str, key: str, listed: Iterable[str], sync_id: int) -> tuple[int, int, int]:
    """Carry what is listed into this sync: bodies that did not change, and those that arrived.

    Returns how many arrived, how many of these are new or differ from before, and how many are listed no more.
    """
    draft.query("create or replace temp table listed (id varchar)")
    for ids in _chunks(listed):
        draft.insert("listed", {"id": ids})
    draft.run(_KEEP.format(table=f"raw.{table}", key=key), {"sync_id": sync_id})
    ((arrived, changed, gone),) = draft.query(_KEPT.format(table=f"raw.{table}", key=key), {"sync_id": sync_id}).rows
    return arrived, changed, gone


_KEEP = """
create or replace temp table newest as
select id, arg_max(body, turn) as body, sha256(arg_max(body, turn)) as digest
from arrived where id in (select id from listed) group by id;

update {table} set last_sync = $sync_id
where last_sync = $sync_id - 1 and {key} in (select id from listed) and {key} not in (select id from newest);

update {table} set last_sync = $sync_id
from newest where newest.id = {key} and newest.digest = {table}.digest;

insert into {table} by name
select id as {key}, digest, body, $sync_id as first_sync, $sync_id as last_sync from newest
where not exists (select 1 from {table} as t where t.{key} = newest.id and t.digest = newest.digest)
order by id;
"""
_KEPT = """
select (select count(*) from newest) as arrived,
    (select count(*) from {table} where first_sync = $sync_id) as changed,
    (select count(*) from {table} where last_sync = $sync_id - 1 and {key} not in (select id from listed)) as gone
"""


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk


def _hash(ids: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()
