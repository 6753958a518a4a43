"""What usually cures the findings of a rule, as drafts of corrections.

Only what the data decide is proposed; where they do not, the object is left out with the reason. What no API can tell
is a condition: it is shown, and people look before they approve.

Not here: reading the objects and making the plan (drafting), and rules that have no safe remedy.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from auditkit.corrections.plan import LeftOut
from auditkit.corrections.planning import ChangeRequest as Draft
from auditkit.errors import PlanError
from auditkit.vendors.strict_json import parse
from auditkit.warehouse.snapshots import Snapshot

__all__ = ["REMEDIES", "Remedy", "merged", "proposed"]

LEAST_DIGITS = 6
Row = Mapping[str, Any]
Proposal = Draft | LeftOut

_BILLABLE = {"nrbIsBillable": True, "nrbAccountType": "Billable", "isInternal": False}
_NOT_BILLABLE = {"nrbIsBillable": False, "nrbAccountType": "Not Billable"}


@dataclass(frozen=True)
class Remedy:
    """The usual cure of a rule. `condition` is what must be true of each object, and no API can tell.

    `draft` makes proposals of the findings: rows of `sql`, which is asked with the rule's id as $rule.
    """

    condition: str
    sql: str
    draft: Callable[[Sequence[Row], Snapshot], Iterator[Proposal]]


def proposed(rule: str, snapshot: Snapshot, only: str | Sequence[str] | None = None) -> list[Proposal]:
    """What would cure a rule's open findings, or those of them whose fingerprints begin as in `only`, one or several.

    `PlanError` where the rule has no safe remedy, no open findings, or none of those that are named.
    """
    if rule not in REMEDIES:
        raise PlanError(f"{rule}: has no remedy that is safe to propose; those that have: {', '.join(REMEDIES)}")
    remedy = REMEDIES[rule]
    rows = snapshot.query(remedy.sql, {"rule": rule}).records()
    if not rows:
        raise PlanError(f"{rule} has no open findings: nothing to plan")
    if only is not None:
        names = tuple(name.lower() for name in ([only] if isinstance(only, str) else only))
        strange = [name for name in names if not any(row["fingerprint"].startswith(name) for row in rows)]
        if strange or not names:
            raise PlanError(f"{rule} has no open finding {', '.join(strange) or '(none was named)'}")
        if short := [name for name in names if len(name) < LEAST_DIGITS]:
            raise PlanError(f"{short[0]!r}: give at least {LEAST_DIGITS} digits of a fingerprint")
        rows = [row for row in rows if row["fingerprint"].startswith(names)]
    return list(remedy.draft(rows, snapshot))


def merged(proposals: Sequence[Proposal]) -> list[Proposal]:
    """The same, with what several rules want of one object as one draft; the later word on a field wins.

    Two operations on one object are two plans: the later one is left out.
    """
    drafts: dict[str, Draft] = {}
    others: list[Proposal] = []
    for each in proposals:
        if isinstance(each, LeftOut) or not each.object_id:
            others.append(each)
        elif (first := drafts.get(each.object_id)) is None:
            drafts[each.object_id] = each
        elif first.operation != each.operation:
            others.append(LeftOut(each.object_id, f"{each.operation}: {first.rule} changes it first; plan again after"))
        else:
            drafts[each.object_id] = replace(
                first,
                values={**first.values, **each.values},
                add=(*first.add, *each.add),
                reason=f"{first.reason}; {each.reason}",
                findings=(*first.findings, *each.findings),
                rule=f"{first.rule}, {each.rule}",
            )
    return [*drafts.values(), *others]


def _of_each(draft: Callable[[Row], Proposal]) -> Callable[[Sequence[Row], Snapshot], Iterator[Proposal]]:
    return lambda rows, _: (draft(row) if row["has_own_record"] else LeftOut(row["guid"], _NO_RECORD) for row in rows)


_NO_RECORD = "known from its parent alone, no own record: correct it in Aimsio"


def _edit(row: Row, values: Mapping[str, Any], reason: str) -> Draft:
    reason = f"{reason}; job {row['job_number']}, {row['amount_at_risk']} at risk"
    return Draft("edit-nrb", row["guid"], values, reason, (row["fingerprint"],), _rule(row))


def _rule(row: Row) -> str:
    return f"{row['rule_id']} {row['rule_digest'][:12]}"


def _exported(row: Row) -> Draft:
    return _edit(row, {"nrbIsExported": True}, "the NRB was never marked as exported")


def _one_class(row: Row) -> Draft:
    """What was billed is billable; what is internal is not; else the flag, by which the audit goes, decides."""
    if row["linked"] or row["billed_mark"]:
        return _edit(row, _BILLABLE, "it was billed, so it is billable")
    if row["is_internal"]:
        return _edit(row, _NOT_BILLABLE, "it is internal, so it is not billable")
    if row["is_billable"]:
        return _edit(row, {"nrbAccountType": "Billable"}, "its account type follows the flag")
    return _edit(row, {"nrbAccountType": "Not Billable"}, "its account type follows the flag")


def _made_billable(row: Row) -> Draft:
    return _edit(row, _BILLABLE, "it was billed, so it is billable")


def _marked_up(row: Row) -> Proposal:
    markup = parse(row["evidence"], row["guid"]).get("lowest_markup")
    if markup is None or row["rate"] is None or row["quantity"] is None:
        return LeftOut(row["guid"], "rate, quantity or its peers' mark-up is missing")
    percent = format(Decimal(str(markup)).normalize(), "f")
    return _edit(row, {"nrbUpcharge": percent}, f"the lowest mark-up of its peers is {percent} %")


def _with_keys(rows: Sequence[Row], _: Snapshot) -> Iterator[Proposal]:
    """A missing field that other records agree on: an external id of its own, its parent's job, the vendor's one PO."""
    for row in rows:
        known = {
            "nrbExternalId": row["own_key"] if row["should_reconcile_with_po"] and not row["external_id"] else None,
            "nrbPONumber": row["only_po"] if row["should_reconcile_with_po"] and not row["po_number"] else None,
            "nrbJobOrderNumber": row["parent_job"] if not row["job_number"] else None,
        }
        values = {name: value for name, value in known.items() if value}
        if not row["has_own_record"]:
            yield LeftOut(row["guid"], _NO_RECORD)
        elif values:
            yield _edit(row, values, "filled from what the other records say")
        else:
            yield LeftOut(row["guid"], f"{row['reason']}, and no other record tells: look into the vendor's document")


def _billed(rows: Sequence[Row], snapshot: Snapshot) -> Iterator[Proposal]:
    """The lines of a job's unbilled NRBs: on its newest draft invoice, else on a new one."""
    by_job: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["amount_at_risk"] is None:
            yield LeftOut(row["guid"], "its total is not known")
        elif row["job_key"] is None:
            yield LeftOut(row["guid"], "it has no job")
        else:
            by_job[row["job_key"]].append(row)
    drafts = dict(snapshot.query(_OPEN_INVOICE).rows)
    related = dict(snapshot.query(_RELATED).rows)
    status = snapshot.query(_DRAFT_STATUS).rows
    for job, items in by_job.items():
        lines = tuple(map(_line, items))
        findings, number = tuple(row["fingerprint"] for row in items), items[0]["job_number"]
        costs = "1 billable cost" if len(items) == 1 else f"{len(items)} billable costs"
        reason = f"job {number}: {costs} that no invoice carries"
        if job in drafts:
            yield Draft("add-line", drafts[job], {}, reason, findings, _rule(items[0]), lines)
        elif job not in related or not status:
            why = (
                f"job {number} has no invoice that tells its id in JobNimbus"
                if job not in related
                else "no invoice of this account is a draft, so that the number of that status is not known"
            )
            yield from (LeftOut(row["guid"], f"{why}: bill it in JobNimbus") for row in items)
        else:
            values = {
                "type": "invoice",
                "status": status[0][0],
                "is_active": True,
                "related": parse(related[job], number),
                "items": list(lines),
            }
            yield Draft("create-invoice", "", values, reason, findings, _rule(items[0]))


def _line(row: Row) -> dict[str, Any]:
    """A line that names the NRB's reference, so that the next audit finds the two together."""
    vendor = f"{row['vendor_code']} / " if row["vendor_code"] else ""
    return {
        "name": row["name"] or row["type_name"] or "Third-party cost",
        "description": f"{vendor}REF {row['reference']}",
        "item_type": "material",
        "quantity": 1,
        "price": row["amount_at_risk"],
        **({} if row["cost"] is None else {"cost": row["cost"]}),
    }


def _deactivated(rows: Sequence[Row], snapshot: Snapshot) -> Iterator[Proposal]:
    """Of invoices with the same job and total all but one; never one that was paid or carries costs of its own.

    Which one is kept is decided among all that fire, also those that were not asked for or are accepted.
    """
    asked = {row["jnid"] for row in rows}
    rest = {row["jnid"]: row for row in snapshot.query(_DUPLICATES, {"rule": rows[0]["rule_id"]}).records()}
    while rest:
        group = _group(next(iter(rest.values())), rest)
        for row in group:
            del rest[row["jnid"]]
        kept, *others = sorted(group, key=_worth)
        if kept["jnid"] in asked:
            yield LeftOut(kept["jnid"], f"it is the one to keep of {', '.join(sorted(row['jnid'] for row in group))}")
        for row in (row for row in others if row["jnid"] in asked):
            if row["total_paid"]:
                yield LeftOut(row["jnid"], f"{row['total_paid']} was paid on it: compare both in JobNimbus")
            elif row["links"]:
                yield LeftOut(row["jnid"], f"it carries {row['links']} NRBs of its own: compare both in JobNimbus")
            elif (row["job_key"], row["total"]) != (kept["job_key"], kept["total"]):
                yield LeftOut(row["jnid"], f"its job or total is not that of {kept['jnid']}: renumber one of them")
            else:
                reason = f"it repeats {kept['jnid']}; job {row['job_number']}, {row['total']}"
                values = {"is_active": False}
                yield Draft("deactivate-invoice", row["jnid"], values, reason, (row["fingerprint"],), _rule(row))


def _group(row: Row, rest: Mapping[str, Row]) -> list[Row]:
    found, todo = {row["jnid"]: row}, [row]
    while todo:
        others = str(parse(todo.pop()["evidence"], row["jnid"])["others"]).split()
        new = [rest[jnid] for jnid in others if jnid in rest and jnid not in found]
        found |= {each["jnid"]: each for each in new}
        todo += new
    return list(found.values())


def _worth(row: Row) -> tuple[Any, ...]:
    """The one to keep comes first: paid, then issued, then the one with costs, then the oldest."""
    return (not row["total_paid"], row["state"] != "issued", -row["links"], str(row["created_at"]), row["jnid"])


_NRBS = """
select n.*, f.rule_id, f.amount_at_risk, f.fingerprint, f.reason, f.evidence, r.digest as rule_digest, s.job_key,
    s.linked, s.billed_mark,
    exists (
        select 1 from raw.nrb_body as b
        where b.guid = n.guid and b.last_sync = (select max(sync_id) from sync_run)
    ) as has_own_record,
    case when usable_reference(n.external_id) is not null
            and (select count(*) from nrb as o where o.external_id = n.external_id) = 1
        then n.external_id else n.guid end as reference,
    case when (select count(*) from nrb as o where n.origin_reference in (o.origin_reference, o.external_id)) = 1
        then n.origin_reference else n.guid end as own_key,
    cast(n.rate * n.quantity as decimal(18, 2)) + coalesce(n.vendor_tax, 0) as cost,
    (select min(p.job_number) from nrb as p where p.guid = n.parent_guid) as parent_job,
    (select case when count(distinct o.po_number) = 1 then min(o.po_number) end from nrb as o
        where o.vendor_code = n.vendor_code and o.job_number = n.job_number) as only_po
from finding as f
join nrb as n on n.guid = f.subject_id
join nrb_status as s on s.guid = n.guid
join rule as r on r.rule_id = f.rule_id
where f.rule_id = $rule and f.state = 'open'
order by n.guid
"""
_DUPLICATES = """
select i.jnid, i.total, coalesce(i.total_paid, 0) as total_paid, i.created_at, s.state, s.job_key, s.job_number,
    f.rule_id, f.fingerprint, f.evidence, r.digest as rule_digest,
    (select count(*) from link as k where k.jnid = i.jnid and k.position is not null) as links
from finding as f
join invoice as i on i.jnid = f.subject_id
join invoice_status as s on s.jnid = i.jnid
join rule as r on r.rule_id = f.rule_id
where f.rule_id = $rule
order by i.jnid
"""
_INVOICES = _DUPLICATES.replace("where f.rule_id = $rule", "where f.rule_id = $rule and f.state = 'open'")
_OPEN_INVOICE = """
select s.job_key, arg_max(s.jnid, (i.created_at, s.jnid)) from invoice_status as s join invoice as i on i.jnid = s.jnid
where s.state = 'draft' and s.job_key is not null and s.job_key <> '(several)'
group by s.job_key
"""
_RELATED = """
select s.job_key, arg_max(cast(b.body -> '$.related' as varchar), (i.created_at, s.jnid))
from invoice_status as s
join invoice as i on i.jnid = s.jnid
join raw.invoice_body as b on b.jnid = s.jnid and b.last_sync = (select max(sync_id) from sync_run)
where s.job_key is not null and s.job_key <> '(several)'
group by s.job_key
"""
_DRAFT_STATUS = """
select i.status from invoice_status as s join invoice as i on i.jnid = s.jnid
where s.state = 'draft' and i.status is not null
group by i.status order by count(*) desc, i.status
"""

REMEDIES: Mapping[str, Remedy] = {
    "nrb-unexported": Remedy(
        "mark exported only what was booked in the ledger by hand; export everything else from Aimsio",
        _NRBS,
        _of_each(_exported),
    ),
    "nrb-class-contradiction": Remedy(
        "the data say which of two contradicting fields is likelier, not which is right",
        _NRBS,
        _of_each(_one_class),
    ),
    "nrb-billed-not-billable": Remedy(
        "make billable only what the client agreed to pay; take everything else off the invoice",
        _NRBS,
        _of_each(_made_billable),
    ),
    "nrb-unbilled": Remedy(
        "bill only what is the client's to pay, and complete a new invoice in JobNimbus before it is sent",
        _NRBS,
        _billed,
    ),
    "invoice-duplicate": Remedy(
        "compare both documents; deactivate only the one that is too many", _INVOICES, _deactivated
    ),
    "nrb-no-markup": Remedy(
        "only where the contract allows this mark-up; the line that bills the NRB stays as it is",
        _NRBS,
        _of_each(_marked_up),
    ),
    "nrb-missing-key": Remedy("hold what is filled in against the vendor's document", _NRBS, _with_keys),
}
