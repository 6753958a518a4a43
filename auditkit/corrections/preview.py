"""What a plan would do to the audit: the audit is run again on a corrected copy of the snapshot, and the copy is gone.

1. The copy is audited as a next sync would find it that brings nothing new. 2. The plan's objects get a new version,
what they would be, in that sync; those that it creates are added. 3. It is audited again. What differs is the plan's
doing, and that a record was changed is part of it: a rule may ask what a record was before.

Not here: whether the vendor will do what was planned; that is verified when it is applied.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from auditkit.checks.run import Decisions, Parameters, run
from auditkit.corrections.charges import changed_states, objections
from auditkit.corrections.plan import Change, Plan
from auditkit.journal import digest
from auditkit.sql import read
from auditkit.values import time_to_ms, time_to_s
from auditkit.vendors.strict_json import dump
from auditkit.warehouse.schema import rebuild, version_tables
from auditkit.warehouse.snapshots import Draft, Store

__all__ = ["Preview", "preview"]

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Preview:
    """Findings that a plan would close, open, and leave though it is meant to clear them; states and statement.

    A finding is a row of `finding`; `states` has each cost whose state or charge would change (`guid`, `job_number`,
    `before`, `after`, `carried_before`, `carried_after`); the statement has `code`, `label`, `is_subtotal`, `before`,
    `after` and `change`. `objections` say in words why the plan must not be carried out; mostly none.
    """

    closed: Sequence[Row]
    opened: Sequence[Row]
    left: Sequence[Row]
    states: Sequence[Row]
    statement: Sequence[Row]
    objections: Sequence[str]


def preview(plan: Plan, store: Store, parameters: Parameters, decisions: Decisions) -> Preview:
    """Audit a private copy of the newest snapshot as it is, and as the plan would make it. The home is not changed.

    Raises `NoSnapshot` before the first sync, and `RuleError` or `SettingsError` where an audit would not start.
    """
    with store.trial() as draft:
        sync_id = _next_sync(draft)
        before = _audited(draft, parameters, decisions)
        for change in plan.changes:
            _correct(draft, change, plan, sync_id)
        after = _audited(draft, parameters, decisions)
    meant = {fingerprint for change in plan.changes for fingerprint in change.findings}
    return Preview(
        closed=[row for name, row in before.findings.items() if name not in after.findings],
        opened=[row for name, row in after.findings.items() if name not in before.findings],
        left=[row for name, row in after.findings.items() if name in meant],
        states=changed_states(before.costs, after.costs),
        statement=[_moved(row, after.statement[code]) for code, row in before.statement.items()],
        objections=objections(plan.changes, before.findings, before.costs, after.costs, parameters.tolerance),
    )


@dataclass(frozen=True)
class _Audited:
    findings: dict[str, Row]
    statement: dict[str, Row]
    costs: dict[str, Row]


_FINDINGS = """
select rule_id, severity, subject_type, subject_id, job_number, amount_at_risk, reason, fingerprint from finding
where state = 'open'
order by severity_rank(severity), rule_id, subject_id
"""
_STATEMENT = "select code, label, is_subtotal, amount from statement where scope = 'all' order by position"


def _audited(draft: Draft, parameters: Parameters, decisions: Decisions) -> _Audited:
    draft.query("begin transaction")
    rebuild(draft, parameters.time_zone)
    run(draft, parameters, decisions)
    draft.query("commit")
    findings: dict[str, Row] = {row["fingerprint"]: row for row in draft.query(_FINDINGS).records()}
    costs: dict[str, Row] = {row["guid"]: row for row in draft.query(read("queries/remedies/charges")).records()}
    statement: dict[str, Row] = {row["code"]: row for row in draft.query(_STATEMENT).records()}
    return _Audited(findings, statement, costs)


def _next_sync(draft: Draft) -> int:
    """Begin a sync that brings nothing new; its id."""
    sync_id = int(draft.query("select max(sync_id) from sync_run").scalar())
    draft.query(
        "insert into sync_run select * replace (sync_id + 1 as sync_id) from sync_run where sync_id = $sync_id",
        {"sync_id": sync_id},
    )
    for table in version_tables(draft):
        draft.query(f"update {table} set last_sync = $sync_id + 1 where last_sync = $sync_id", {"sync_id": sync_id})
    return sync_id + 1


def _moved(before: Row, after: Row) -> Row:
    """One row of the statement; both audits have the same rows."""
    kept = {name: before[name] for name in ("code", "label", "is_subtotal")}
    change = after["amount"] - before["amount"]
    return {**kept, "before": before["amount"], "after": after["amount"], "change": change}


def _correct(draft: Draft, change: Change, plan: Plan, sync_id: int) -> None:
    table, key = ("raw.nrb_body", "guid") if change.system == "aimsio" else ("raw.invoice_body", "jnid")
    body = {**change.before, **change.after, **change.expected}
    if change.operation_type.creates:
        body |= _of_a_new_one(draft, change, plan)
    draft.query(
        f"update {table} set last_sync = $sync_id - 1 where {key} = $id and last_sync = $sync_id",
        {"id": change.object_id, "sync_id": sync_id},
    )
    text = dump(body)
    version = {key: change.object_id, "digest": digest(text), "body": text, "first_sync": sync_id, "last_sync": sync_id}
    draft.insert(table, {name: [value] for name, value in version.items()})


def _of_a_new_one(draft: Draft, change: Change, plan: Plan) -> dict[str, Any]:
    """What a vendor adds to what it makes, as far as an audit looks at it."""
    if change.system == "aimsio":
        at = time_to_ms(plan.created_at)
        return {"nrbGuid": change.object_id, "nrbCreatedAt": at, "nrbUpdatedAt": at}
    names = draft.query(
        "select status_name from invoice where status = $status and status_name is not null limit 1",
        {"status": change.after.get("status")},
    ).rows
    at = time_to_s(plan.created_at)
    return {
        "jnid": change.object_id,
        "status_name": names[0][0] if names else None,
        "date_created": at,
        "date_updated": at,
        "due": change.expected.get("total"),
    }
