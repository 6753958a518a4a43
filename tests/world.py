"""Small accounts: bodies as the vendors send them, and what an audit makes of them.

The defaults fit together: `nrb()` costs 100.00, is billable, exported and marked as billed on `invoice()`, whose one
line names it, so that a test changes only what it is about. Money is text, as Aimsio sends it.

`Account` runs one rule at a time and is the fastest; `audited` makes a whole audit and publishes it.
"""

import atexit
import functools
import hashlib
import json
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from auditkit.checks.engine import Engine
from auditkit.checks.findings import find
from auditkit.checks.rules import GLOBAL_PARAMETERS, Rule, load_rules
from auditkit.checks.run import Decisions, Parameters, prepare, run
from auditkit.errors import QueryFailed
from auditkit.sync.raw import RawTable
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
KEPT_ACCOUNTS = 12  # more than any rule's test file has


def ms(day: date) -> int:
    """Noon UTC of a day in epoch milliseconds, as Aimsio sends it; the same day in Edmonton."""
    return seconds(day) * 1000


def seconds(day: date) -> int:
    """Noon UTC of a day in epoch seconds, as JobNimbus sends it."""
    return int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp())


def nrb(guid: str = "n1", total: str | None = "100.00", **changes: Any) -> dict[str, Any]:
    """One Aimsio NRB without markup or tax; its reference is `R1-<guid>`."""
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


def ref(name: str) -> str:
    """A distinct reference: a line that holds it names the NRB that has it, on whatever invoice."""
    return f"R1000-{name}"


def referenced(guid: str = "n1", total: str | None = "100.00", **changes: Any) -> dict[str, Any]:
    """An unmarked NRB that the lines with its reference, `ref(guid)`, charge for."""
    return unbilled(guid, total, **{"nrbOriginReference": ref(guid), **changes})


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


def noon(sync_id: int) -> datetime:
    """When a sync of that number began."""
    return datetime(2026, 9, sync_id, 12, tzinfo=UTC)


def keep(draft: Draft, nrbs: Sequence[Body], invoices: Sequence[Body], sync_id: int) -> None:
    """The raw tables of one sync, as a complete read leaves them; whatever is missing has vanished."""
    for source, key, bodies in zip(SOURCES, ("nrbGuid", "jnid"), (nrbs, invoices), strict=True):
        texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
        raw = RawTable(draft, source.record_type, sync_id)
        listed = ["".join(json.loads(text)[key]) for text in texts]  # of a body whose id is no text, too
        raw.add(list(zip(listed, texts, strict=True)), 1)
        raw.store(listed, gone=raw.missing(listed))
    draft.query(
        "insert into sync_run by name select $id as sync_id, 'COMPLETE' as status, $at as started_at",
        {"id": sync_id, "at": noon(sync_id)},
    )


@functools.cache
def schema_file() -> Path:
    """A snapshot without a row, made once per process: copying it is faster than running the schema again."""
    folder = Path(tempfile.mkdtemp(prefix="auditkit-schema-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    store = Store(folder / "home")
    with store.writer(), store.draft(keep_previous=False) as draft:
        rebuild_schema(draft)
    return store.path


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
    shutil.copy(schema_file(), store.path)
    with store.writer(), store.draft(keep_previous=False) as draft:
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
    """A draft in memory that is never published, for accounts by the dozen."""
    with _in_memory() as connection:
        yield Draft(Path("memory"), connection)


def _in_memory() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:", config={"threads": 1})
    connection.execute("set TimeZone = 'UTC'")
    return connection


def typed(draft: Draft, nrbs: Sequence[Body] = (), invoices: Sequence[Body] = (), *, zone: str = ZONE) -> None:
    """The typed tables of a workbench, made of these bodies alone."""
    _empty(draft)
    draft.connection.begin()
    insert_bodies(draft, nrbs, invoices)
    draft.query("insert into sync_run by name select 1 as sync_id, 'COMPLETE' as status")
    rebuild_typed(draft, sync_id=1, zone=zone)
    draft.connection.commit()


def _empty(draft: Draft) -> None:
    """The schema without a row, in a draft in memory that may hold an account."""
    if not draft.has_table("made_by"):
        draft.connection.execute(f"attach '{schema_file()}' as empty_one (read_only)")
        draft.connection.execute("copy from database empty_one to memory")
        draft.connection.execute("detach empty_one")
        return
    forget_steps(draft)
    for table in draft.query(
        "select schema_name || '.' || table_name from duckdb_tables() where not temporary and table_name <> 'made_by'"
    ).column():
        draft.query(f"truncate {table}")


def forget_steps(draft: Draft) -> None:
    """Drop the temporary tables of the last audit: a draft is audited once."""
    for (table,) in draft.query("select table_name from duckdb_tables() where temporary").rows:
        draft.query(f"drop table {table}")


def reconciled(
    draft: Draft,
    nrbs: Sequence[Body],
    invoices: Sequence[Body],
    *,
    links: Sequence[Line] = (),
    forbidden: Sequence[tuple[str, str, int | None]] = (),
    jobs: Sequence[tuple[str, str]] = (),
    tolerance: str = "0.00",
    **parameters: Any,
) -> Engine:
    """Links and statement of a workbench, without the rules. Decisions name lines as (nrb_guid, jnid, position)."""
    typed(draft, nrbs, invoices)
    decisions = Decisions(links=line_keys(draft, links), forbidden=_forbidden(draft, forbidden), jobs=jobs)
    chosen = Parameters(
        as_of=AS_OF, time_zone=ZONE, environment="test", account="test", tolerance=Decimal(tolerance), **parameters
    )
    return prepare(draft, chosen, decisions)


Finding = dict[str, Any]


class Account:
    """A small account that one rule at a time is run on: typed, linked and reconciled, but no other rule is run.

    The account is made when a rule is first run on it, and kept for the rest of the tests of this process: two of the
    same content are one. `parameters` are those of the audit (`tolerance`, `vendor_tax`, …); decisions name lines as
    (nrb_guid, jnid, position); `before` holds the NRBs and invoices of earlier syncs, the earliest first,
    and sync N began at `noon(N)`.
    """

    def __init__(
        self,
        nrbs: Sequence[Body] = (),
        invoices: Sequence[Body] = (),
        *,
        before: Sequence[tuple[Sequence[Body], Sequence[Body]]] = (),
        links: Sequence[Line] = (),
        forbidden: Sequence[tuple[str, str, int | None]] = (),
        jobs: Sequence[tuple[str, str]] = (),
        markups: Sequence[tuple[str | None, str | None, str]] = (),
        journal: Sequence[tuple[int, datetime, str, str, str]] = (),
        **parameters: Any,
    ) -> None:
        chosen: dict[str, Any] = {"as_of": AS_OF, "time_zone": ZONE, "environment": "test", "account": "test"}
        parameters["tolerance"] = Decimal(parameters.get("tolerance", "0.00"))
        self.parameters = Parameters(**{**chosen, **parameters})
        self._syncs = [*before, (nrbs, invoices)]
        self._decisions = {"links": links, "forbidden": forbidden, "jobs": jobs, "markups": markups, "journal": journal}
        content = [self._syncs, self._decisions, repr(self.parameters)]
        self.key = hashlib.sha256(json.dumps(content, default=str).encode()).hexdigest()

    @property
    def size(self) -> int:
        """How many bodies it has."""
        return sum(len(nrbs) + len(invoices) for nrbs, invoices in self._syncs)

    @property
    def draft(self) -> Draft:
        """The account as far as every rule needs it. Ask it; never change it."""
        if self.key not in _ACCOUNTS:
            _ACCOUNTS[self.key] = self._made()
            if len(_ACCOUNTS) > KEPT_ACCOUNTS:
                _ACCOUNTS.popitem(last=False)[1].connection.close()
        _ACCOUNTS.move_to_end(self.key)
        return _ACCOUNTS[self.key]

    def findings(self, rule: str | Rule, **values: Any) -> dict[str, Finding]:
        """Subject → finding of this rule, with its evidence and key read; `values` are parameters of the rule alone."""
        chosen = _shipped()[rule] if isinstance(rule, str) else rule
        ASKED.setdefault(chosen.name, {})[self.key, repr(sorted(values.items()))] = (self, dict(values))
        common = {**self.parameters.common, **{name: values.pop(name) for name in GLOBAL_PARAMETERS if name in values}}
        self._find([chosen], common, {chosen.name: values})
        return {row["subject_id"]: row for row in _findings(self.draft, chosen.name)}

    def risks(self, rule: str | Rule, **values: Any) -> dict[str, str | None]:
        """Subject → money at risk as text, as `findings`."""
        return amounts(self.findings(rule, **values))

    def rows(self, rule: Rule, **values: Any) -> list[Any] | str:
        """What the SQL of a rule gives, sorted; or why it fails."""
        common = {**self.parameters.common, **{name: values[name] for name in GLOBAL_PARAMETERS if name in values}}
        own = {name: value for name, value in values.items() if name not in GLOBAL_PARAMETERS}
        try:
            return sorted(self.draft.query(rule.executed(rule.values(common, own))).rows, key=repr)
        except QueryFailed as error:
            return str(error)

    def loud(self) -> dict[str, dict[str, str | None]]:
        """Rule → `risks` of every shipped rule of medium or high severity that fires."""
        rules = [rule for rule in _shipped().values() if rule.severity != "low"]
        self._find(rules, self.parameters.common, {})
        found = {rule.name: {row["subject_id"]: row for row in _findings(self.draft, rule.name)} for rule in rules}
        return {name: amounts(rows) for name, rows in found.items() if rows}

    def _find(self, rules: list[Rule], common: Mapping[str, Any], values: Mapping[str, Mapping[str, Any]]) -> None:
        for table in ("rule", "finding"):
            self.draft.query(f"truncate {table}")
        find(Engine(self.draft), rules, common, values)

    def _made(self) -> Draft:
        draft = Draft(Path("memory"), _in_memory())
        _empty(draft)
        draft.connection.begin()
        *before, now = self._syncs
        for sync_id, (nrbs, invoices) in enumerate(before, 1):
            keep(draft, nrbs, invoices, sync_id)
        if before:
            keep(draft, *now, len(self._syncs))
        else:
            insert_bodies(draft, *now)
            draft.query("insert into sync_run by name select 1 as sync_id, 'COMPLETE' as status")
        rebuild_typed(draft, sync_id=len(self._syncs), zone=self.parameters.time_zone)
        decided = self._decisions
        decisions = Decisions(
            links=line_keys(draft, decided["links"]),
            forbidden=_forbidden(draft, decided["forbidden"]),
            jobs=decided["jobs"],
            markups=decided["markups"],
            journal=decided["journal"],
        )
        prepare(draft, self.parameters, decisions)
        draft.connection.commit()
        return draft


_ACCOUNTS: OrderedDict[str, Draft] = OrderedDict()
# Rule → every account, with the values of parameters, that a test of this process ran it on.
ASKED: dict[str, dict[tuple[str, str], tuple[Account, dict[str, Any]]]] = {}


@functools.cache
def _shipped() -> dict[str, Rule]:
    return {rule.name: rule for rule in load_rules()}


def findings(snapshot: Snapshot, rule: str) -> dict[str, Finding]:
    """Subject → finding of a published audit, with its evidence and key read."""
    return {row["subject_id"]: row for row in _findings(snapshot, rule)}


def _findings(store: Snapshot | Draft, rule: str) -> list[Finding]:
    rows = store.query("select * from finding where rule_id = $rule", {"rule": rule}).records()
    return [{**row, "evidence": json.loads(row["evidence"]), "key": json.loads(row["key"])} for row in rows]


def amounts(found: Mapping[str, Mapping[str, Any]]) -> dict[str, str | None]:
    """Subject → money at risk, as text."""
    risks = {subject: row["amount_at_risk"] for subject, row in found.items()}
    return {subject: None if risk is None else str(risk) for subject, risk in risks.items()}


def firing(cases: Sequence[tuple[dict[str, Any], str | None]]) -> dict[str, str | None]:
    """The expected `amounts` of cases (body, money at risk), without those that are SILENT."""
    return {body.get("nrbGuid") or body["jnid"]: risk for body, risk in cases if risk != SILENT}


def firing_lines(cases: Sequence[tuple[dict[str, Any], str | None]]) -> dict[str, str | None]:
    """As `firing`, for the first line of each invoice."""
    return {f"{subject}/0": risk for subject, risk in firing(cases).items()}


def asked_again(snapshot: Snapshot, rule: str, **values: Any) -> dict[str, str | None]:
    """`amounts` of one rule run alone on a published snapshot, with other parameters: a rule is one SELECT."""
    chosen = _shipped()[rule]
    common = {"as_of": AS_OF, "labor_in_amount": "auto", "tolerance": Decimal("0.00"), "vendor_tax": "ask"}
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
