"""Several syncs of a world of raw bodies, one after the other, and the audited snapshot of the last."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from auditkit.checks.run import Decisions, Parameters, run
from auditkit.sync.raw import INVOICES, NRBS, Raw
from auditkit.warehouse.schema import rebuild_schema, rebuild_typed
from auditkit.warehouse.snapshots import Draft, Snapshot, Store
from tests.world import AS_OF, ZONE, forget_steps, invoice, line, nrb

Bodies = Sequence[dict[str, Any]]


def kept(draft: Draft, nrbs: Bodies, invoices: Bodies, sync_id: int) -> None:
    """One sync's raw tables, as a complete read leaves them; whatever is missing has vanished."""
    for table, key, bodies in ((NRBS, "nrbGuid", nrbs), (INVOICES, "jnid", invoices)):
        raw = Raw(draft, table, sync_id)
        ids = ["".join(body[key]) for body in bodies]  # of a body that does not hold its id as text, too
        raw.arrive(list(zip(ids, map(json.dumps, bodies), strict=True)), 1)
        raw.keep(ids, is_complete=True, accept_shrink=True, is_gone=lambda _: True)
    draft.query("insert into sync_run by name select $id as sync_id, 'COMPLETE' as status", {"id": sync_id})


def synced(
    draft: Draft,
    sync_id: int,
    nrbs: Bodies,
    invoices: Bodies = (),
    *,
    decisions: Decisions | None = None,
    **parameters: Any,
) -> None:
    """A sync of a draft, audited; one that is there already is audited again."""
    rebuild_schema(draft)
    forget_steps(draft)
    if sync_id not in [number for (number,) in draft.query("select sync_id from sync_run").rows]:
        kept(draft, nrbs, invoices, sync_id)
    rebuild_typed(draft, sync_id=sync_id, zone=ZONE)
    chosen = {"as_of": AS_OF, "time_zone": ZONE, "environment": "test", "account": "test", **parameters}
    run(draft, Parameters(**chosen), decisions or Decisions())


def after(folder: Path, *syncs: tuple[Bodies, Bodies]) -> Snapshot:
    """The audited snapshot of several syncs: (NRBs, invoices) of each."""
    store = Store(folder)
    with store.writer(), store.draft(keep_previous=False) as draft:
        rebuild_schema(draft)
        for number, (nrbs, invoices) in enumerate(syncs, start=1):
            kept(draft, nrbs, invoices, number)
        rebuild_typed(draft, sync_id=len(syncs), zone=ZONE)
        run(draft, Parameters(AS_OF, ZONE, "test", "test", own_rules=folder / "rules"), Decisions())
    return store.open()


def exported(guid: str, total: str | None = "100.00", **changes: Any) -> dict[str, Any]:
    return nrb(guid, total, **{"nrbIsExported": True, **changes})


FIRST: Bodies = [
    exported("same"),
    exported("dearer"),
    exported("moved"),
    exported("unmarked"),
    exported("noted"),
    exported("no-total", None),
    exported("there-and-back"),
    nrb("open-then-changed", nrbIsExported=False),
    nrb("exported-later", nrbIsExported=False),
    exported("gone", "42.00"),
    nrb("gone-without-total", None),
]
SECOND: Bodies = [
    exported("same"),
    exported("dearer", "100.01"),
    exported("moved", nrbJobOrderNumber="J-OTHER"),
    exported("unmarked", nrbIsExported=None),
    exported("noted", nrbNotes="a note is neither money nor job"),
    exported("no-total", "0.00"),
    exported("there-and-back", "150.00"),
    nrb("open-then-changed", "170.00", nrbIsExported=False),
    nrb("exported-later", "100.00", nrbIsExported=True),
]
THIRD: Bodies = [body if body["nrbGuid"] != "there-and-back" else exported("there-and-back") for body in SECOND]
BOOKS = [invoice([line()], "i1"), invoice([line("other")], "i2", number="INV-2", total="7.00")]
