"""One sync: both APIs → raw and typed tables of a draft snapshot, with one record of the run.

A read that had no error is not yet a read that can be trusted. It ends COMPLETE, with a proof (two lists, two passes
that agree, every record in the version listed, every one that is missing answered 404), or INCOMPLETE, with the reason;
either way the data is kept, and the label travels with every figure made from it.

Not here: how lists and pages are read (`nrbs`, `invoices`), what is kept of them (`raw`), politeness, retries and the
cache (`apis/`), typing (`store/`).
"""

import hashlib
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from auditkit import sql
from auditkit.errors import NoSnapshot
from auditkit.settings import Settings
from auditkit.sync.invoices import InvoiceRead
from auditkit.sync.nrbs import NrbRead
from auditkit.sync.raw import INVOICES, NRBS, Raw, chunks
from auditkit.vendors.aimsio import AimsioClient
from auditkit.vendors.bodies import INVOICE_FIELDS, NRB_FIELDS
from auditkit.vendors.jobnimbus import JobNimbusClient
from auditkit.warehouse.schema import rebuild_schema, rebuild_typed
from auditkit.warehouse.snapshots import Draft

__all__ = ["Vendors", "sync"]


@dataclass(frozen=True)
class Vendors:
    """Both vendors' clients. `offline`: they answer from the cache alone, as the last read left it."""

    aimsio: AimsioClient
    jobnimbus: JobNimbusClient
    offline: bool = False

    @property
    def calls(self) -> dict[str, int]:
        """Calls made, repeated and refused by both, and the largest difference of clocks in seconds."""
        each = (self.aimsio.calls, self.jobnimbus.calls)
        return {
            "calls": sum(calls.made for calls in each),
            "retries": sum(calls.retried for calls in each),
            "throttled": sum(calls.throttled for calls in each),
            "clock_skew_seconds": max((round(calls.clock_skew) for calls in each), key=abs),
        }

    def vouch(self, proof: dict[str, Any] | None) -> None:
        """Say of the lists in the cache what is known of them; None while they are being read."""
        for client in (self.aimsio, self.jobnimbus):
            client.vouch(json.dumps(proof))

    def vouched(self) -> dict[str, Any]:
        """What is known of the lists in the cache. Raises `NoSnapshot` where there are none."""
        proofs = [client.vouched() for client in (self.aimsio, self.jobnimbus)]
        if None in proofs:
            raise NoSnapshot("the cache holds no read of both vendors; run `auditkit sync` without --offline")
        values = [json.loads(proof) for proof in proofs if proof]
        if values[0] is None or values[0] != values[1]:
            return {"status": "INCOMPLETE", "reason": "rebuilt from a read that did not end", "read_at": None}
        return dict(values[0])


def sync(
    draft: Draft,
    settings: Settings,
    vendors: Vendors,
    *,
    accept_shrink: bool = False,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> int:
    """Read both vendors into a draft and type what came. Returns the number of the run.

    `accept_shrink`: a person says that a list that is empty or much shorter is right. Raises an `ApiError` when a
    vendor could not be read: nothing is published then, and what was fetched stays in the cache, so that the next run
    goes on from there.
    """
    started_at = clock()
    vouched = vendors.vouched() if vendors.offline else {}
    rebuild_schema(draft)
    sync_id = int(draft.query("select coalesce(max(sync_id), 0) + 1 from sync_run").scalar())
    if not vendors.offline:
        vendors.vouch(None)
    nrbs, invoices, reasons = _read(draft, settings, vendors, sync_id, accept_shrink=accept_shrink)
    rebuild_typed(draft, sync_id=sync_id, zone=settings.zone.key)
    sys.audit("auditkit.point", "typed")
    if vouched and vouched["status"] != "COMPLETE":
        reasons.append(vouched["reason"])
    run = {
        "sync_id": sync_id,
        "started_at": started_at,
        "finished_at": clock(),
        "environment": settings.environment,
        "account": settings.account,
        "status": "INCOMPLETE" if reasons else "COMPLETE",
        "reason": "; ".join(reasons) or None,
        "is_offline": vendors.offline,
        "read_at": datetime.fromisoformat(vouched["read_at"]) if vouched.get("read_at") else started_at,
        **nrbs,
        **invoices,
        **vendors.calls,
        "notices": "; ".join(_notices(draft, sync_id, vouched)) or None,
    }
    draft.query(_RECORD, run)
    if not vendors.offline:
        vendors.vouch({name: str(run[name]) for name in ("status", "reason", "read_at")})
    sys.audit("auditkit.point", "recorded")
    return sync_id


def _read(
    draft: Draft, settings: Settings, vendors: Vendors, sync_id: int, *, accept_shrink: bool
) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Both reads and what is kept of them: the columns of `sync_run` for each, and why the run is incomplete.

    Both lists come first, so that a wrong credential shows before thousands of details were read.
    """
    aimsio, jobnimbus = vendors.aimsio, vendors.jobnimbus
    raw_nrbs, raw_invoices = Raw(draft, NRBS, sync_id), Raw(draft, INVOICES, sync_id)
    known = dict(draft.query("select guid, updated_at from raw.nrb_stub").rows)
    nrbs = NrbRead(aimsio, raw_nrbs, settings, known)
    invoices = InvoiceRead(jobnimbus, raw_invoices)
    nrbs.first()
    invoices.first()
    sys.audit("auditkit.point", "listed")
    nrb_flaw = nrbs.rest()
    resumed = aimsio.calls.cache_hits
    sys.audit("auditkit.point", "nrbs-read")
    invoice_flaw = invoices.rest()
    sys.audit("auditkit.point", "invoices-read")
    may_shrink = {"accept_shrink": accept_shrink}
    kept_nrbs = raw_nrbs.keep(nrbs.listed, is_complete=nrb_flaw is None, is_gone=nrbs.is_gone, **may_shrink)
    listed = invoices.best.digests
    kept_invoices = raw_invoices.keep(listed, is_complete=invoice_flaw is None, is_gone=invoices.is_gone, **may_shrink)
    _keep_stubs(draft, nrbs.current)
    sys.audit("auditkit.point", "kept")
    reasons = [flaw for flaw in (nrb_flaw, invoice_flaw, kept_nrbs.incomplete, kept_invoices.incomplete) if flaw]
    return (
        {
            "nrb_listed": len(nrbs.listed),
            "nrb_fetched": max(kept_nrbs.arrived - resumed, 0),
            "nrb_resumed": resumed,
            "nrb_unchanged": len(nrbs.listed) - kept_nrbs.arrived,
            "nrb_gone": kept_nrbs.vanished,
            "nrb_lists": nrbs.lists,
            "nrb_id_hash": _hash(nrbs.listed),
        },
        {
            "invoice_listed": len(listed),
            "invoice_changed": kept_invoices.changed,
            "invoice_gone": kept_invoices.vanished,
            "invoice_passes": invoices.passes,
            "invoice_method": invoices.best.method,
            "invoice_id_hash": _hash(listed),
        },
        reasons,
    )


def _keep_stubs(draft: Draft, current: dict[str, int]) -> None:
    draft.query("delete from raw.nrb_stub")
    for rows in chunks(current.items()):
        draft.insert(
            "raw.nrb_stub", {"guid": [guid for guid, _ in rows], "updated_at": [version for _, version in rows]}
        )


def _notices(draft: Draft, sync_id: int, vouched: dict[str, Any]) -> list[str]:
    """What is worth knowing: a rebuild from the cache, fields that no vendor's page names, how values were read."""
    notices = [f"rebuilt offline from the read of {vouched['read_at']}; history is absent"] if vouched else []
    for table, fields in ((NRBS, NRB_FIELDS), (INVOICES, INVOICE_FIELDS)):
        sent = draft.query(_FIELDS.format(table=table.name), {"sync_id": sync_id}).rows
        if unknown := [name for (name,) in sent if name not in fields]:
            notices.append(f"{table.vendor} sends fields that its page does not name: {', '.join(unknown)[:200]}")
    return notices + draft.query(sql.read("queries/reading_notices")).column()


def _hash(ids: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()


_FIELDS = """
select distinct unnest(json_keys(body)) as name from {table}
where last_sync = $sync_id and json_valid(body) and json_type(body) = 'OBJECT' order by name
"""

_RECORD = """
insert into sync_run by name
select cast($sync_id as integer) as sync_id, $started_at as started_at, $finished_at as finished_at,
    $environment as environment, $account as account, $status as status, $reason as reason, $is_offline as is_offline,
    $read_at as read_at, $nrb_listed as nrb_listed, $nrb_fetched as nrb_fetched, $nrb_resumed as nrb_resumed,
    $nrb_unchanged as nrb_unchanged, $nrb_gone as nrb_gone, $nrb_lists as nrb_lists, $nrb_id_hash as nrb_id_hash,
    (select count(*) from quarantine where subject_type = 'nrb') as nrb_quarantined,
    n.total as nrb_total, n.vendor_tax as nrb_vendor_tax, n.first_on as nrb_first_on, n.last_on as nrb_last_on,
    $invoice_listed as invoice_listed, $invoice_changed as invoice_changed, $invoice_gone as invoice_gone,
    $invoice_passes as invoice_passes, $invoice_method as invoice_method, $invoice_id_hash as invoice_id_hash,
    (select count(*) from quarantine where subject_type = 'invoice') as invoice_quarantined,
    i.subtotal as invoice_subtotal, i.tax as invoice_tax, i.total as invoice_total, i.due as invoice_due,
    i.first_on as invoice_first_on, i.last_on as invoice_last_on,
    $calls as calls, $retries as retries, $throttled as throttled, $clock_skew_seconds as clock_skew_seconds,
    $notices as notices
from (
    select coalesce(sum(total_after_markup) filter (where is_leaf), 0) as total,
        coalesce(sum(vendor_tax) filter (where is_leaf), 0) as vendor_tax, min(created_on) as first_on,
        max(created_on) as last_on
    from nrb
) as n, (
    select coalesce(sum(subtotal), 0) as subtotal, coalesce(sum(tax), 0) as tax, coalesce(sum(total), 0) as total,
        coalesce(sum(due), 0) as due, min(created_on) as first_on, max(created_on) as last_on
    from invoice
) as i
"""
