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
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from auditkit import sql
from auditkit.errors import NoSnapshot, NotThere
from auditkit.settings import Settings
from auditkit.sync.invoices import JobNimbusInvoices
from auditkit.sync.nrbs import AimsioNrbs
from auditkit.sync.raw import RawTable, Stored
from auditkit.sync.source import Source
from auditkit.warehouse.schema import rebuild_schema, rebuild_typed
from auditkit.warehouse.snapshots import Draft

__all__ = ["SOURCES", "Options", "connect", "sync"]

SOURCES: tuple[type[Source], ...] = (AimsioNrbs, JobNimbusInvoices)


@dataclass(frozen=True)
class Options:
    """How a sync is run. `offline`: from the cache alone, as the last read left it.

    `accept_shrink`: a person confirms that a list that is empty or much shorter than before is right.
    """

    offline: bool = False
    accept_shrink: bool = False


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
    options: Options = Options(),
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
    stored, notices = _read(draft, sources, sync_id, accept_shrink=options.accept_shrink)
    reasons = [problem for source in sources if (problem := source.problem)]
    reasons += [each.problem for each in stored if each.problem]
    rebuild_typed(draft, sync_id=sync_id, zone=settings.zone.key)
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
    for source, kept in zip(sources, stored, strict=True):
        draft.query(sql.read("sync/record_source"), {"sync_id": sync_id, **_columns(source, kept)})
    if not options.offline:
        _save_proof(sources, {name: str(run[name]) for name in ("status", "reason", "read_at")})
    sys.audit("auditkit.point", "recorded")
    return sync_id


def _read(
    draft: Draft, sources: Sequence[Source], sync_id: int, *, accept_shrink: bool
) -> tuple[list[Stored], list[str]]:
    """Read every source and keep what arrived; what was kept of each, and notices about what is no problem.

    All lists come first, so that a wrong credential shows before thousands of records were read.
    """
    tables = [RawTable(draft, source.record_type, sync_id) for source in sources]
    for source, raw in zip(sources, tables, strict=True):
        source.start(raw)
    sys.audit("auditkit.point", "listed")
    for source in sources:
        source.finish()
        sys.audit("auditkit.point", f"{source.record_type.subject}s-read")
    stored, notices = [], []
    for source, raw in zip(sources, tables, strict=True):
        is_complete = source.problem is None
        kept = raw.store(source.listed, is_complete=is_complete, accept_shrink=accept_shrink, is_gone=_is_gone(source))
        stored.append(kept)
        source.remember()
        if unknown := raw.unknown_fields():
            vendor = source.record_type.vendor
            notices.append(f"{vendor} sends fields that its page does not name: {', '.join(unknown)[:200]}")
    sys.audit("auditkit.point", "kept")
    return stored, notices


def _is_gone(source: Source) -> Callable[[str], bool]:
    """Whether the vendor answers 404 to a record that it no longer lists."""

    def is_gone(identifier: str) -> bool:
        try:
            source.read_by_id(identifier)
        except NotThere:
            return True
        return False

    return is_gone


def _columns(source: Source, stored: Stored) -> dict[str, Any]:
    """The row of `sync_source` for one source, without the control totals."""
    facts, calls = source.facts, source.client.calls
    return {
        **facts,
        "source": source.record_type.vendor,
        "records": source.record_type.plural,
        "subject_type": source.record_type.subject,
        "listed": len(source.listed),
        "fetched": max(stored.arrived - facts["resumed"], 0),
        "unchanged": len(source.listed) - stored.arrived,
        "changed": stored.changed,
        "vanished": stored.vanished,
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
