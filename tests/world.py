"""Small accounts: bodies as the vendors send them, and the snapshot that an audit makes of them.

The defaults hang together: `nrb()` costs 100.00, is billable, exported and marked as billed on `invoice()`, whose one
line names it, so that a test changes only what it is about. Money is text, as Aimsio sends it.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from auditkit.checks.engine import Engine
from auditkit.checks.linking import link
from auditkit.checks.reconcile import reconcile
from auditkit.checks.rules import load_rules
from auditkit.checks.run import Decisions, Parameters, run
from auditkit.sync.run import SOURCES, record_source
from auditkit.warehouse.schema import rebuild_schema, rebuild_typed
from auditkit.warehouse.snapshots import Draft, Snapshot, Store

Body = dict[str, Any] | str
Line = tuple[str, str, int]

JOB = "JOB-1001"
AS_OF = date(2026, 9, 30)
COST_DAY = date(2026, 9, 10)
ZONE = "America/Edmonton"
SILENT = "silent"


def ms(day: date) -> int:
    """Noon UTC of a day in epoch milliseconds, as Aimsio sends it; the same day in Edmonton."""
    return seconds(day) * 1000


def seconds(day: date) -> int:
    """Noon UTC of a day in epoch seconds, as JobNimbus sends it."""
    return int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp())


def nrb(guid: str = "n1", total: str | None = "100.00", **changes: Any) -> dict[str, Any]:
    """One Aimsio NRB without mark-up or tax; its reference is `R1-<guid>`."""
    return {
        "nrbGuid": guid,
        "nrbExternalId": None,
        "nrbOriginReference": f"R1-{guid}",
        "nrbJobOrderNumber": JOB,
        "nrbWBSSharedIdentifier": f"{JOB}-01.01",
        "nrbPONumber": "PO-13624",
        "nrbVendorCode": "BIT",
        "nrbInvoiceNumber": f"AP1-{guid}",
        "nrbInvoiceDate": ms(COST_DAY),
        "nrbName": None,
        "nrbTypeName": "Other",
        "nrbDocumentType": None,
        "nrbAccountType": "Billable",
        "nrbIsBillable": True,
        "isInternal": False,
        "nrbIsExported": True,
        "nrbRate": "100.00" if total is None else total,
        "nrbQuantity": "1.000",
        "nrbVendorTax": "0.000",
        "nrbUpcharge": "0.000",
        "nrbMarkupAppliesOn": "SUB_TOTAL",
        "nrbTotalAfterMarkup": total,
        "nrbBilledInGuid": None,
        "nrbBilledInName": "INV-i1",
        "nrbNotes": "Purchased field software",
        "nrbCreatedAt": ms(COST_DAY),
        "nrbCreatedByUserName": "admin@kentest-sandbox",
        "nrbUpdatedAt": ms(COST_DAY),
        **changes,
    }


def unbilled(guid: str = "n1", total: str | None = "100.00", **changes: Any) -> dict[str, Any]:
    """An NRB that names no client invoice."""
    return nrb(guid, total, **{"nrbBilledInName": None, **changes})


def line(description: str = "R1-n1", amount: str | None = "100.00", **changes: Any) -> dict[str, Any]:
    """One line: a quantity of 1 at the price of its amount."""
    return {
        "jnid": "ITEM_ID_1",
        "name": "Service",
        "description": description,
        "uom": "Items",
        "item_type": "material",
        "quantity": 1,
        "price": amount,
        "amount": amount,
        "cost": 0,
        **changes,
    }


def related(job: str | None = JOB, jnid: str = "J1", name: str = "Sample Client") -> dict[str, Any]:
    """A job of an invoice."""
    return {"id": jnid, "type": "job", "number": job, "name": name}


def invoice(items: Sequence[dict[str, Any]] | None = None, jnid: str = "i1", **changes: Any) -> dict[str, Any]:
    """One JobNimbus invoice, issued and unpaid, number `INV-<jnid>`; its totals follow from its lines and tax."""
    lines = [line()] if items is None else list(items)
    subtotal = sum((Decimal(item["amount"] or 0) for item in lines), Decimal(0))
    total = subtotal + Decimal(changes.get("tax") or 0)
    return {
        "type": "invoice",
        "jnid": jnid,
        "guid": f"GUID-{jnid}",
        "external_id": None,
        "number": f"INV-{jnid}",
        "customer": "CUSTOMER_ID_1",
        "created_by": "system_qbo",
        "sales_rep_name": "Jane Smith",
        "is_active": True,
        "is_archived": False,
        "status": 2,
        "status_name": "Sent",
        "date_created": seconds(COST_DAY),
        "date_updated": seconds(COST_DAY),
        "date_invoice": seconds(COST_DAY),
        "date_due": seconds(AS_OF),
        "subtotal": str(subtotal),
        "tax": "0.00",
        "total": str(total),
        "cost": "60.00",
        "margin": 0,
        "total_paid": "0.00",
        "due": str(total),
        "items": lines,
        "related": [related()],
        "payments": [],
        **changes,
    }


def insert_bodies(draft: Draft, nrbs: Sequence[Body], invoices: Sequence[Body], *, sync_id: int = 1) -> None:
    """The raw tables of one sync."""
    for table, key, field, bodies in (
        ("raw.nrb_body", "guid", "nrbGuid", nrbs),
        ("raw.invoice_body", "jnid", "jnid", invoices),
    ):
        texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
        columns = {
            key: ["".join(json.loads(text)[field]) for text in texts],  # of a body whose id is no text, too
            "digest": [hashlib.sha256(text.encode()).hexdigest() for text in texts],
            "body": texts,
            "first_sync": [sync_id] * len(texts),
            "last_sync": [sync_id] * len(texts),
        }
        if texts:
            draft.insert(table, columns)


def line_keys(draft: Draft, lines: Sequence[Line]) -> list[tuple[str, str]]:
    """(nrb_guid, line_key) of each (nrb_guid, jnid, position): what the journal keeps."""
    rows = draft.query("select jnid, position, line_key from invoice_item").rows
    keys = {(jnid, position): key for jnid, position, key in rows}
    return [(guid, keys[jnid, position]) for guid, jnid, position in lines]


def audited(
    folder: Path,
    nrbs: Sequence[Body] = (),
    invoices: Sequence[Body] = (),
    *,
    as_of: date = AS_OF,
    tolerance: str = "0.00",
    thresholds: Mapping[str, Mapping[str, Any]] | None = None,
    links: Sequence[Line] = (),
    forbidden: Sequence[tuple[str, str, int | None]] = (),
    jobs: Sequence[tuple[str, str]] = (),
    draft_status_names: tuple[str, ...] = ("draft",),
    zone: str = ZONE,
    own_rules: Path | None = None,
    status: str = "COMPLETE",
) -> Snapshot:
    """A published snapshot, in a home of its own below `folder`. Decisions name lines as (nrb_guid, jnid, position)."""
    store = Store(Path(tempfile.mkdtemp(dir=folder)))
    with store.writer(), store.draft(keep_previous=False) as draft:
        rebuild_schema(draft)
        insert_bodies(draft, nrbs, invoices)
        draft.query("insert into sync_run by name select 1 as sync_id, $status as status", {"status": status})
        rebuild_typed(draft, sync_id=1, zone=zone)
        record_sources(draft)
        run(
            draft,
            Parameters(
                as_of=as_of,
                time_zone=zone,
                environment="test",
                account="test",
                tolerance=Decimal(tolerance),
                draft_status_names=draft_status_names,
                thresholds=thresholds,
                own_rules=own_rules or store.folder / "rules",
            ),
            Decisions(links=line_keys(draft, links), forbidden=_forbidden(draft, forbidden), jobs=jobs),
        )
    return store.open()


def record_sources(draft: Draft, sync_id: int = 1) -> None:
    """What a sync records of each source, once its records are typed; without the counts of its calls."""
    names = ("listed", "fetched", "resumed", "unchanged", "changed", "unread", "vanished", "verified_again", "lists")
    counted = dict.fromkeys((*names, "changed_unversioned"), 0)
    calls = dict.fromkeys(("calls", "retries", "throttled", "clock_skew_seconds"), 0)
    for source in SOURCES:
        kind = source.record_type
        named = {"source": kind.vendor, "records": kind.plural}
        values = {"sync_id": sync_id, **named, **counted, **calls, "method": "in one piece", "id_hash": ""}
        values |= dict.fromkeys(("end_of_list", "count_meaning", "oldest_verified_at"))
        record_source(draft, kind, values)


@contextmanager
def workbench() -> Iterator[Draft]:
    """A draft in memory that is never published, for worlds by the dozen."""
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield Draft(Path("memory"), connection)


def typed(draft: Draft, nrbs: Sequence[Body] = (), invoices: Sequence[Body] = (), *, zone: str = ZONE) -> None:
    """The typed tables of a workbench, made of these bodies alone."""
    draft.connection.begin()
    rebuild_schema(draft)
    for table in ("raw.nrb_body", "raw.invoice_body", "sync_run", "finding_history"):
        draft.query(f"delete from {table}")
    forget_steps(draft)
    insert_bodies(draft, nrbs, invoices)
    draft.query("insert into sync_run by name select 1 as sync_id, 'COMPLETE' as status")
    rebuild_typed(draft, sync_id=1, zone=zone)
    draft.connection.commit()


def forget_steps(draft: Draft) -> None:
    """Drop what the audit before left behind; a draft is audited once."""
    for (table,) in draft.query("select table_name from duckdb_tables() where temporary").rows:
        draft.query(f"drop table {table}")


def reconciled(
    draft: Draft,
    nrbs: Sequence[Body],
    invoices: Sequence[Body],
    *,
    links: Sequence[Line] = (),
    tolerance: str = "0.00",
) -> Engine:
    """Links and statement of a workbench, without the rules."""
    typed(draft, nrbs, invoices)
    engine = Engine(draft)
    engine.source("draft_status", ("name",), [("draft",)])
    engine.source("decision_link", ("nrb_guid", "line_key"), line_keys(draft, links))
    engine.source("decision_forbid", ("nrb_guid", "jnid", "line_key"), [])
    engine.source("job_map_file", ("aimsio_job_number", "jobnimbus_job_number"), [])
    values = {"as_of": AS_OF, "tolerance": Decimal(tolerance)}
    link(engine, values)
    reconcile(engine, values)
    return engine


def findings(snapshot: Snapshot, rule: str) -> dict[str, dict[str, Any]]:
    """Subject → finding, its evidence read."""
    rows = snapshot.query("select * from finding where rule_id = $rule", {"rule": rule}).records()
    return {row["subject_id"]: {**row, "evidence": json.loads(row["evidence"])} for row in rows}


def amounts(found: Mapping[str, Mapping[str, Any]]) -> dict[str, str | None]:
    """Subject → money at risk, as text."""
    risks = {subject: row["amount_at_risk"] for subject, row in found.items()}
    return {subject: None if risk is None else str(risk) for subject, risk in risks.items()}


def firing(cases: Sequence[tuple[dict[str, Any], str | None]]) -> dict[str, str | None]:
    """What `amounts` shall be: the cases (body, money at risk) without those that are SILENT."""
    return {body.get("nrbGuid") or body["jnid"]: risk for body, risk in cases if risk != SILENT}


def firing_lines(cases: Sequence[tuple[dict[str, Any], str | None]]) -> dict[str, str | None]:
    """As `firing`, for the first line of each invoice."""
    return {f"{subject}/0": risk for subject, risk in firing(cases).items()}


def asked_again(snapshot: Snapshot, rule: str, **values: Any) -> dict[str, str | None]:
    """`amounts` of one rule run alone on a published snapshot, with other parameters: a rule is one SELECT."""
    (chosen,) = [each for each in load_rules(Path("no-own-rules")) if each.name == rule]
    common = {"as_of": AS_OF, "labor_in_amount": "auto", "tolerance": Decimal("0.00")}
    hits = snapshot.query(chosen.executed({**chosen.values(common, {}), **values})).records()
    return amounts({hit["subject_id"]: hit for hit in hits})


def subjects(snapshot: Snapshot, rule: str) -> set[str]:
    """What a rule fires on."""
    return set(findings(snapshot, rule))


def _forbidden(draft: Draft, pairs: Sequence[tuple[str, str, int | None]]) -> list[tuple[str, str, str | None]]:
    return [
        (guid, jnid, None if position is None else line_keys(draft, [(guid, jnid, position)])[0][1])
        for guid, jnid, position in pairs
    ]
