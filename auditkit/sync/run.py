"""One sync: every source → raw and typed tables of a draft snapshot, with a record of the run and of each source.

A read without errors is not yet a read that can be trusted. It ends COMPLETE, with a proof (two lists that agree, every
record in the version listed, every missing one answered 404), or INCOMPLETE, with the reason. Either way the data is
kept, and the label is shown with every figure made from it.

Not here: how a source is read (`nrbs`, `invoices`), where bodies are kept (`raw`), rate limit, retries and the cache
(`vendors/`), typing (`warehouse/`).
"""

import contextlib
import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from auditkit import sql
from auditkit.errors import ApiError, NoSnapshot, NotThere
from auditkit.settings import Settings
from auditkit.sync.fetching import Failures, fetch, unread_problem
from auditkit.sync.invoices import JobNimbusInvoices
from auditkit.sync.nrbs import AimsioNrbs
from auditkit.sync.raw import RawTable, RecordType, Stored
from auditkit.sync.source import Options, Source
from auditkit.warehouse.schema import rebuild_schema, rebuild_typed
from auditkit.warehouse.snapshots import Draft

__all__ = ["DEFAULT", "SOURCES", "Options", "connect", "record_source", "sync"]

DEFAULT = Options()
SOURCES: tuple[type[Source], ...] = (AimsioNrbs, JobNimbusInvoices)


@dataclass(frozen=True)
class _Read:
    """What was read of one source: what was stored, its unread records, and why the read is incomplete."""

    stored: Stored
    unread: int
    problems: list[str]


@contextlib.contextmanager
def connect(settings: Settings, *, offline: bool = False) -> Iterator[list[Source]]:
    """Every source of the settings' account, for as long as the block lasts. Raises `SettingsError`."""
    with contextlib.ExitStack() as stack:
        sources = []
        for kind in SOURCES:
            sources.append(kind.connect(settings, offline=offline))
            stack.callback(sources[-1].client.close)
        yield sources


def sync(
    draft: Draft,
    settings: Settings,
    sources: Sequence[Source],
    options: Options = DEFAULT,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> int:
    """Read every source into a draft and type what arrived. Returns the number of the run.

    Raises an `ApiError` if a vendor could not be read: then nothing is published, and what was fetched stays in the
    cache, so that the next run continues from there.
    """
    started_at = clock()
    proof = _saved_proof(sources) if options.offline else {}
    rebuild_schema(draft)
    sync_id = int(draft.query("select coalesce(max(sync_id), 0) + 1 from sync_run").scalar())
    if not options.offline:
        _save_proof(sources, None)
    reads, notices = _read(draft, settings, sources, sync_id, options)
    reasons = [problem for read in reads for problem in read.problems]
    rebuild_typed(draft, sync_id=sync_id, zone=settings.zone.key)
    notices += draft.query(sql.read("queries/reading_notices")).column()
    sys.audit("auditkit.point", "typed")
    if proof and proof["status"] != "COMPLETE":
        reasons.append(proof["reason"])
    if proof:
        notices.insert(0, f"rebuilt offline from the read of {proof['read_at']}; history is absent")
    run = {
        "sync_id": sync_id,
        "started_at": started_at,
        "finished_at": clock(),
        "environment": settings.environment,
        "account": settings.account,
        "status": "INCOMPLETE" if reasons else "COMPLETE",
        "reason": "; ".join(reasons) or None,
        "is_offline": options.offline,
        "read_at": datetime.fromisoformat(proof["read_at"]) if proof.get("read_at") else started_at,
        "notices": "; ".join(notices) or None,
    }
    draft.query(sql.read("sync/record_run"), run)
    for source, read in zip(sources, reads, strict=True):
        record_source(draft, source.record_type, {"sync_id": sync_id, **_columns(source, read)})
    if not options.offline:
        _save_proof(sources, {name: str(run[name]) for name in ("status", "reason", "read_at")})
    sys.audit("auditkit.point", "recorded")
    return sync_id


def record_source(draft: Draft, record_type: RecordType, columns: Mapping[str, Any]) -> None:
    """One row of `sync_source`: what was counted, by column, and the control totals of what was typed."""
    statement = sql.read("sync/record_source").format(control_totals=record_type.control_totals)
    draft.query(statement, {**columns, "subject_type": record_type.subject})


def _read(
    draft: Draft, settings: Settings, sources: Sequence[Source], sync_id: int, options: Options
) -> tuple[list[_Read], list[str]]:
    """Read every source and keep what arrived; what was read of each, and notices about what is no problem.

    All lists come first, so that a wrong credential shows before thousands of records were read.
    """
    tables = [RawTable(draft, source.record_type, sync_id) for source in sources]
    for source, raw in zip(sources, tables, strict=True):
        source.start(raw, options)
    sys.audit("auditkit.point", "listed")
    for source in sources:
        source.finish()
        sys.audit("auditkit.point", f"{source.record_type.subject}s-read")
    reads, notices = [], []
    for source, raw in zip(sources, tables, strict=True):
        reads.append(_store(source, raw, settings, options))
        source.remember()
        if unknown := raw.unknown_fields():
            vendor = source.record_type.vendor
            notices.append(f"{vendor} sends fields that its page does not name: {', '.join(unknown)[:200]}")
    sys.audit("auditkit.point", "kept")
    return reads, notices


def _store(source: Source, raw: RawTable, settings: Settings, options: Options) -> _Read:
    """Keep what arrived, and settle what became of the records that are no longer listed.

    Each of these is asked for by id: a 404 means that it is gone. If the list cannot be trusted, or is suspiciously
    short, none is asked for, and each is carried over as it was.
    """
    problems = [source.problem] if source.problem else []
    if not options.accept_shrink and (shrunk := raw.shrink_problem(len(source.listed))):
        problems.append(shrunk)
    gone, there, failures = [], [], Failures(source.record_type)
    missing = [] if problems else raw.missing(source.listed)
    for identifier, answer in fetch(missing, source.read_by_id, settings.parallel):
        if isinstance(answer, NotThere):
            gone.append(identifier)
        elif isinstance(answer, ApiError):
            failures.add(identifier, answer, len(source.listed) + len(missing))
        else:
            there.append(identifier)
    if there:
        vendor, count = source.record_type.vendor, source.record_type.count(len(there))
        problems.append(f"{vendor} does not list {count} that it answers by id: {', '.join(there[:5])}")
    unread = {**source.unread, **failures.reasons}
    if unread:
        problems.append(unread_problem(source.record_type, unread))
    return _Read(raw.store(source.listed, gone=gone, unread=unread), len(unread), problems)


def _columns(source: Source, read: _Read) -> dict[str, Any]:
    """The row of `sync_source` for one source, without the control totals."""
    facts, calls, stored = source.facts, source.client.calls, read.stored
    return {
        **facts,
        "source": source.record_type.vendor,
        "records": source.record_type.plural,
        "listed": len(source.listed),
        "fetched": max(stored.arrived - facts["resumed"], 0),
        "unchanged": len(source.listed) - stored.arrived,
        "changed": stored.changed,
        "vanished": stored.vanished,
        "unread": read.unread,
        "id_hash": _hash(source.listed),
        "calls": calls.made,
        "retries": calls.retried,
        "throttled": calls.throttled,
        "clock_skew_seconds": round(calls.clock_skew),
    }


def _save_proof(sources: Sequence[Source], proof: dict[str, Any] | None) -> None:
    """Record in the cache what is known of the lists in it; None while they are being read."""
    for source in sources:
        source.client.save_proof(json.dumps(proof))


def _saved_proof(sources: Sequence[Source]) -> dict[str, Any]:
    """What is known of the lists in the cache. Raises `NoSnapshot` if there are none."""
    proofs = [source.client.saved_proof() for source in sources]
    if None in proofs:
        raise NoSnapshot("the cache holds no read of every source; run `auditkit sync` without --offline")
    values = [json.loads(proof) for proof in proofs if proof]
    if values[0] is None or any(value != values[0] for value in values):
        return {"status": "INCOMPLETE", "reason": "rebuilt from a read that did not end", "read_at": None}
    return dict(values[0])


def _hash(ids: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()
