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
from auditkit.sql import read
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

    `draft` makes proposals of the findings: rows of `queries/remedies/<query>`, which is asked with the rule's id.
    """

    condition: str
    query: str
    draft: Callable[[Sequence[Row], Snapshot], Iterator[Proposal]]


def proposed(rule: str, snapshot: Snapshot, only: str | Sequence[str] | None = None) -> list[Proposal]:
    """What would cure a rule's open findings, or those of them whose fingerprints begin as in `only`, one or several.

    `PlanError` where the rule has no safe remedy, no open findings, or none of those that are named.
    """
    if rule not in REMEDIES:
        raise PlanError(f"{rule}: has no remedy that is safe to propose; those that have: {', '.join(REMEDIES)}")
    remedy = REMEDIES[rule]
    every = snapshot.query(read(f"queries/remedies/{remedy.query}"), {"rule": rule}).records()
    rows = [row for row in every if row.get("finding_state", "open") == "open"]
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
    if row["charged"] or row["billed_mark"]:
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
        return LeftOut(row["guid"], "rate, quantity or its peers' markup is missing")
    percent = format(Decimal(str(markup)).normalize(), "f")
    return _edit(row, {"nrbUpcharge": percent}, f"the lowest markup of its peers is {percent} %")


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
        if row["state"] != "unbilled":
            yield LeftOut(row["guid"], f"it is {row['state']}, not unbilled: decide the link first (`auditkit links`)")
        elif row["look_first"]:
            where = f" ({row['look_at']})" if row["look_at"] else ""
            reason = f"a line of its job has the same amount{where}: decide first whether it is this cost"
            yield LeftOut(row["guid"], f"{reason} (`auditkit links --look-first`)")
        elif row["amount_at_risk"] is None:
            yield LeftOut(row["guid"], "its total is not known")
        elif row["job_key"] is None:
            yield LeftOut(row["guid"], "it has no job")
        else:
            by_job[row["job_key"]].append(row)
    drafts = dict(snapshot.query(read("queries/remedies/draft_invoices")).rows)
    related = dict(snapshot.query(read("queries/remedies/related")).rows)
    status = snapshot.query(read("queries/remedies/draft_status")).column()
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
                "status": status[0],
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
    """Of invoices with the same job, total and lines all but one; never one that was paid or charges for other costs.

    Which one is kept is decided among all that fire, also those that were not asked for or are accepted.
    """
    asked = {row["jnid"] for row in rows}
    query = read("queries/remedies/duplicates")
    rest = {row["jnid"]: row for row in snapshot.query(query, {"rule": rows[0]["rule_id"]}).records()}
    while rest:
        group = _group(next(iter(rest.values())), rest)
        for row in group:
            del rest[row["jnid"]]
        kept, *others = sorted(group, key=_worth)
        if kept["jnid"] in asked:
            yield LeftOut(kept["jnid"], f"it is the one to keep of {', '.join(sorted(row['jnid'] for row in group))}")
        yield from (_repeated(row, kept) for row in others if row["jnid"] in asked)


def _repeated(row: Row, kept: Row) -> Proposal:
    """One of several invoices beside the one that is kept: only a copy, line by line, is deactivated."""
    others = set(row["nrbs"]) - set(kept["nrbs"])
    if row["total_paid"]:
        return LeftOut(row["jnid"], f"{row['total_paid']} was paid on it: compare both in JobNimbus")
    if (row["job_key"], row["total"]) != (kept["job_key"], kept["total"]):
        return LeftOut(row["jnid"], f"its job or total is not that of {kept['jnid']}: renumber one of them")
    if row["lines"] is None or row["lines"] != kept["lines"]:
        return LeftOut(row["jnid"], f"its lines are not those of {kept['jnid']}: they are two documents, renumber one")
    if others:
        costs = "1 cost" if len(others) == 1 else f"{len(others)} costs"
        return LeftOut(row["jnid"], f"it charges for {costs} that {kept['jnid']} does not: compare both in JobNimbus")
    reason = f"it repeats {kept['jnid']}, line by line; job {row['job_number']}, {row['total']}"
    return Draft("deactivate-invoice", row["jnid"], {"is_active": False}, reason, (row["fingerprint"],), _rule(row))


def _group(row: Row, rest: Mapping[str, Row]) -> list[Row]:
    found, todo = {row["jnid"]: row}, [row]
    while todo:
        others = str(parse(todo.pop()["evidence"], row["jnid"])["others"]).split()
        new = [rest[jnid] for jnid in others if jnid in rest and jnid not in found]
        found |= {each["jnid"]: each for each in new}
        todo += new
    return list(found.values())


def _worth(row: Row) -> tuple[Any, ...]:
    """The one to keep comes first: paid, then issued, then the one with more costs, then the oldest."""
    return (not row["total_paid"], row["state"] != "issued", -len(row["nrbs"]), str(row["created_at"]), row["jnid"])


REMEDIES: Mapping[str, Remedy] = {
    "nrb-unexported": Remedy(
        "mark exported only what was booked in the ledger by hand; export everything else from Aimsio",
        "nrbs",
        _of_each(_exported),
    ),
    "nrb-class-contradiction": Remedy(
        "the data say which of two contradicting fields is likelier, not which is right",
        "nrbs",
        _of_each(_one_class),
    ),
    "nrb-billed-not-billable": Remedy(
        "make billable only what the client agreed to pay; take everything else off the invoice",
        "nrbs",
        _of_each(_made_billable),
    ),
    "nrb-unbilled": Remedy(
        "bill only what is the client's to pay and is on no other invoice, also under another name; complete a new"
        " invoice in JobNimbus before it is sent",
        "nrbs",
        _billed,
    ),
    "invoice-duplicate": Remedy(
        "compare both documents, line by line; deactivate only the one that is too many", "duplicates", _deactivated
    ),
    "nrb-no-markup": Remedy(
        "only where the contract allows this markup; the line that bills the NRB stays as it is",
        "nrbs",
        _of_each(_marked_up),
    ),
    "nrb-missing-key": Remedy("hold what is filled in against the vendor's document", "nrbs", _with_keys),
}
