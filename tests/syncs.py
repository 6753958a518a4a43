"""Several syncs of a world of raw bodies, one after the other, and the audited snapshot of the last."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from auditkit.checks.run import Decisions, Parameters, run
from auditkit.corrections.plan import Change, FieldChange
from auditkit.corrections.recorder import Recorder
from auditkit.corrections.tracking import Correction, Step, Verdict
from auditkit.journal import Journal, canonical
from auditkit.settings import AccountKey
from auditkit.warehouse.schema import rebuild_schema, rebuild_typed
from auditkit.warehouse.snapshots import Draft, Snapshot, Store
from tests.world import AS_OF, ZONE, forget_steps, invoice, keep, line, nrb

Bodies = Sequence[dict[str, Any]]


def last_run(snapshot: Snapshot) -> dict[str, Any]:
    """The record of the newest sync, and what it counted of each source, as `nrb_…` and `invoice_…`."""
    (run,) = snapshot.query("select * from sync_run order by sync_id desc limit 1").records()
    sources = snapshot.query(
        "select * from sync_source where sync_id = $sync_id", {"sync_id": run["sync_id"]}
    ).records()
    counted = {f"{row['subject_type']}_{name}": value for row in sources for name, value in row.items()}
    calls = {name: sum(row[name] for row in sources) for name in ("calls", "retries", "throttled")}
    return {**run, **counted, **calls}


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
        keep(draft, nrbs, invoices, sync_id)
    rebuild_typed(draft, sync_id=sync_id, zone=ZONE)
    chosen = {"as_of": AS_OF, "time_zone": ZONE, "environment": "test", "account": "test", **parameters}
    run(draft, Parameters(**chosen), decisions or Decisions())


def after(folder: Path, *syncs: tuple[Bodies, Bodies], decisions: Decisions | None = None) -> Snapshot:
    """The audited snapshot of several syncs: (NRBs, invoices) of each. Sync N began at noon of day N."""
    store = Store(folder)
    with store.writer(), store.draft(keep_previous=False) as draft:
        rebuild_schema(draft)
        for number, (nrbs, invoices) in enumerate(syncs, start=1):
            keep(draft, nrbs, invoices, number)
        rebuild_typed(draft, sync_id=len(syncs), zone=ZONE)
        run(draft, Parameters(AS_OF, ZONE, "test", "test", own_rules=folder / "rules"), decisions or Decisions())
    return store.open()


def corrected(
    verdict: Verdict, at: datetime, operation: str = "deactivate-invoice", jnid: str = "i2", plan: str = "0123456789ab"
) -> list[tuple[int, datetime, str, str, str]]:
    """The rows in `journal` of one correction of an invoice that ended so, as a correction writes them."""
    change = Change(operation, jnid, (FieldChange("is_active", True, False),), before_image="{}")
    with TemporaryDirectory() as folder:
        journal = Journal(Path(folder) / "journal.jsonl", clock=lambda: at)
        correction = Correction(plan, AccountKey("test", "test"), change)
        begun = Recorder(journal, "Tester").record(correction, Step.INTENT, plan=plan, change=asdict(change))
        Recorder(journal, "Tester").record(begun, verdict, detail="")
        return [(each.seq, each.at, each.kind, canonical(each.body), each.hash) for each in journal.records()]


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
    exported("returned"),
    exported("exported-twice"),
    exported("dearer-and-dearer"),
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
    exported("exported-twice", nrbIsExported=False),
    exported("dearer-and-dearer", "110.00"),
    nrb("open-then-changed", "170.00", nrbIsExported=False),
    nrb("exported-later", "100.00", nrbIsExported=True),
]
_LATER = {
    "there-and-back": exported("there-and-back"),
    "exported-twice": exported("exported-twice", "130.00"),
    "dearer-and-dearer": exported("dearer-and-dearer", "120.00"),
}
THIRD: Bodies = [*(_LATER.get(body["nrbGuid"], body) for body in SECOND), exported("returned", "600.00")]
BOOKS = [invoice([line()], "i1"), invoice([line("other")], "i2", number="INV-2", total="7.00")]
