"""From what somebody wants to a change that can be planned: read the object by id, and say each field before → after.

The text that is read, past the cache, is the before-image. Where it is not what the newest snapshot holds, the snapshot
is stale and nothing is planned on it; the same question is asked once more before a plan is applied.

Not here: which objects need it (remedies, undo), and what an operation may do (kinds).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from auditkit.corrections.diff import COMPUTED_FROM, covers, matches, same
from auditkit.corrections.lookup import Clients
from auditkit.corrections.operations import ARRAYS, KINDS, Kind, OperationName, amount
from auditkit.corrections.plan import LIFETIME, Change, FieldChange, LeftOut, Plan, plain
from auditkit.corrections.tracking import correction_id, corrections
from auditkit.errors import BadAnswer, NotThere, PlanError
from auditkit.journal import Journal, canonical, digest
from auditkit.progress import progress
from auditkit.values import one_line, time_to_ms, time_to_s
from auditkit.vendors.bodies import InvoiceChange, NrbChange
from auditkit.vendors.strict_json import parse
from auditkit.warehouse.snapshots import Snapshot

__all__ = ["TAX_STAYS", "ChangeRequest", "Planner", "parse_values", "refuse_stale"]

TAX_STAYS = "the tax of an invoice is not computed anew where its lines change: hold it against them in JobNimbus"


@dataclass(frozen=True)
class ChangeRequest:
    """What somebody wants: an operation on an object, the values that fields shall have, and why.

    A creation has no `object_id` yet. `add` are lines to add behind those that an invoice has. `findings` are the
    fingerprints that it is meant to cure, `rule` the rule that found them, with its digest. `expected` are values that
    the object must have now: otherwise somebody has changed it, and it is left out. One that `is_undo` is left out too
    where its operation refuses it.
    """

    operation: OperationName
    object_id: str
    values: Mapping[str, Any]
    reason: str
    findings: tuple[str, ...] = ()
    rule: str = ""
    add: tuple[Mapping[str, Any], ...] = ()
    expected: Mapping[str, Any] = field(default_factory=dict)
    is_undo: bool = False


@dataclass(frozen=True)
class Planner:
    """Turns drafts into changes. `at` is the moment of planning, which makes the key of a creation its own."""

    vendors: Clients
    snapshot: Snapshot
    at: datetime

    def plan(
        self,
        proposals: Iterable[ChangeRequest | LeftOut],
        *,
        conditions: tuple[str, ...],
        preparer: str,
        about: Mapping[str, Any],
    ) -> Plan:
        """The plan of these drafts, each object read. `about` gives the snapshot's id, environment and account.

        `PlanError` where it would change nothing, says why, or where one of its objects cannot be planned.
        """
        changes, left_out = list[Change](), list[LeftOut]()
        wanted = list(proposals)
        with progress("Reading what would change", len(wanted), "object") as advance:
            for proposal in wanted:
                made = self.change(proposal) if isinstance(proposal, ChangeRequest) else proposal
                if isinstance(made, LeftOut):
                    left_out.append(made)
                else:
                    changes.append(made)
                advance(1)
        if not changes:
            why = "; ".join(f"{each.object_id}: {each.reason}" for each in left_out[:3])
            raise PlanError(f"nothing to plan{f': left out {len(left_out)}: {why}' if why else ''}")
        return Plan(
            tuple(changes),
            about["snapshot_id"],
            about["environment"],
            about["account"],
            preparer,
            self.at,
            self.at + LIFETIME,
            tuple(left_out),
            (*conditions, *((TAX_STAYS,) if any(map(_has_taxed_lines, changes)) else ())),
        )

    def change(self, draft: ChangeRequest) -> Change | LeftOut:
        """The change, or why the object is left out. `PlanError` where the draft cannot be planned at all."""
        kind = KINDS[draft.operation]
        if kind.creates:
            return self._creation(draft, kind)
        try:
            image = self.vendors.read(kind, draft.object_id)
        except NotThere:
            if _held(self.snapshot, kind, draft.object_id) is not None:
                raise PlanError(
                    f"{draft.object_id}: is no longer there, so the snapshot is stale: sync first"
                ) from None
            if draft.rule or draft.is_undo:
                return LeftOut(draft.object_id, "is no longer there")
            raise PlanError(self._no_such(kind, draft.object_id)) from None
        before = parse(image, draft.object_id)
        others = sorted(name for name, value in draft.expected.items() if not matches(name, value, before.get(name)))
        if others:
            return LeftOut(draft.object_id, f"{', '.join(others)}: changed by somebody since; look at it")
        _refuse_other(self.snapshot, kind, draft.object_id, before)
        values = dict(draft.values)
        if draft.add:
            values["items"] = [*(before.get("items") or []), *draft.add]
        changes = tuple(
            FieldChange(name, plain(before.get(name)), plain(value))
            for name, value in values.items()
            if not same(name, plain(before.get(name)), plain(value)) or _is_another_time(name, before.get(name), value)
        )
        if not changes:
            return LeftOut(draft.object_id, "has these values already")
        try:
            return _change(draft, draft.object_id, changes, image)
        except PlanError as error:
            if not draft.rule and not draft.is_undo:
                raise
            return LeftOut(draft.object_id, str(error).removeprefix(f"{draft.object_id}: "))  # the others may go on

    def _no_such(self, kind: Kind, given: str) -> str:
        """That there is no such id, and which there is where it is what people call the object."""
        found = [row[0] for row in self.snapshot.query(_IDS[kind.system], {"given": given}).rows]
        meant = f": {' or '.join(found)}" if found else ""
        return f"{given}: no such id; give the NRB's GUID or the invoice's jnid, not its number{meant}"

    def _creation(self, draft: ChangeRequest, kind: Kind) -> Change:
        wanted = {name: plain(value) for name, value in draft.values.items() if value is not None}
        snapshot_id = self.snapshot.query("select snapshot_id from audit_run").scalar()
        key = f"ak-{digest(canonical([draft.operation, self.at.isoformat(), snapshot_id, wanted]))[:16]}"
        values = {kind.search_field: key, **wanted}
        return _change(draft, key, tuple(FieldChange(name, None, value) for name, value in values.items()), "")


def _has_taxed_lines(change: Change) -> bool:
    return "items" in change.after and bool(amount(change.before.get("tax")))


def refuse_stale(plan: Plan, snapshot: Snapshot, journal: Journal) -> None:
    """Raise `PlanError` where an object of the plan is not, in the newest snapshot, what it was when planned.

    What was begun under this plan may have been changed by it: that is found out by reading the object.
    """
    known = corrections(journal)
    for change in plan.changes:
        if not change.kind.creates and correction_id(plan.digest, change) not in known:
            _refuse_other(snapshot, change.kind, change.object_id, change.before)


def parse_values(operation: OperationName, texts: Sequence[str], zone: ZoneInfo) -> dict[str, Any]:
    """Values from `field=value` texts, as a person writes them.

    `null` is none; flags are true or false; dates are 2026-05-01 in the account's zone, or the vendor's own number;
    amounts stay as written; items are JSON. `PlanError` names what it expected.
    """
    found = [_parse_value(operation, text, zone) for text in texts]
    names = [name for name, _ in found]
    if twice := [name for name in names if names.count(name) > 1]:
        raise PlanError(f"{twice[0]}: was given twice; give one value for each field")
    return dict(found)


def _parse_value(operation: OperationName, text: str, zone: ZoneInfo) -> tuple[str, Any]:
    name, found, value = text.partition("=")
    kind = KINDS[operation]
    if found and name in COMPUTED_FROM and name not in kind.fields:
        sources = ", ".join(sorted(COMPUTED_FROM[name]))
        raise PlanError(f"{text}: the vendor computes {name}, from {sources}: change that instead")
    if not found or name not in kind.fields:
        raise PlanError(f"{text}: expected field=value, with one of {', '.join(sorted(kind.fields))}")
    model = NrbChange if kind.system == "aimsio" else InvoiceChange
    annotation = str(model.model_fields[name].annotation)
    if value == "null":
        return name, None
    if name in ARRAYS:
        return name, _array(name, value)
    if "bool" in annotation:
        if value not in ("true", "false"):
            raise PlanError(f"{text}: expected true, false or null")
        return name, value == "true"
    if "int" in annotation:
        return name, _whole(text, value, kind, zone)
    return name, value


def _array(name: str, text: str) -> list[dict[str, Any]]:
    try:
        found = parse(text, name)
    except BadAnswer as error:
        raise PlanError(str(error)) from None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise PlanError(f"{name}: expected a JSON array of objects")
    return found


def _whole(text: str, value: str, kind: Kind, zone: ZoneInfo) -> int:
    if value.isdecimal() and value.isascii():
        return int(value)
    try:
        day = date.fromisoformat(value)
        begins, ends = (datetime.combine(each, time(), zone).astimezone(UTC) for each in (day, day + timedelta(days=1)))
        if kind.system == "jobnimbus":
            return time_to_s(begins)
        # Aimsio may rewrite the time of day, in UTC: the middle of the hours that are this day there and here alike.
        first, last = (datetime.combine(each, time(), UTC) for each in (day, day + timedelta(days=1)))
        begins, ends = max(begins, first), min(ends, last)
        return time_to_ms(begins + (ends - begins) / 2)
    except (ValueError, OverflowError):
        raise PlanError(f"{text}: expected a whole number, or a day such as 2026-05-01") from None


def _change(draft: ChangeRequest, object_id: str, changes: tuple[FieldChange, ...], image: str) -> Change:
    reason = one_line(draft.reason)  # it may name a vendor's job
    return Change(draft.operation, object_id, changes, image, draft.findings, reason, draft.rule).checked()


_CURRENT = "select body from {} = $id and last_sync = (select max(sync_id) from sync_run)"
_IDS = {
    "aimsio": "select guid from nrb where $given in (external_id, origin_reference) order by guid limit 3",
    "jobnimbus": "select jnid from invoice where number = $given order by jnid limit 3",
}
_BODIES = {"aimsio": "raw.nrb_body where guid", "jobnimbus": "raw.invoice_body where jnid"}


def _is_another_time(name: str, before: object, value: object) -> bool:
    """A day in the account's zone may lie in two of UTC's: only the instant itself is no change."""
    return name == "nrbInvoiceDate" and before != value


def _held(snapshot: Snapshot, kind: Kind, object_id: str) -> dict[str, Any] | None:
    """The record of its own that the newest snapshot holds of an object, if it holds one."""
    rows = snapshot.query(_CURRENT.format(_BODIES[kind.system]), {"id": object_id}).rows
    held: dict[str, Any] | None = parse(rows[0][0], object_id) if rows else None
    return held


def _refuse_other(snapshot: Snapshot, kind: Kind, object_id: str, body: Mapping[str, Any]) -> None:
    """Aimsio's records were read by id, as now; a row of JobNimbus's list may say less than a read by id, no more."""
    row = _held(snapshot, kind, object_id)
    if row is None:
        raise PlanError(f"{object_id}: is not in the newest snapshot as a record of its own: sync first")
    if kind.system == "aimsio":
        others = sorted(name for name in row.keys() | body if not same(name, row.get(name), body.get(name)))
    else:
        others = sorted(name for name, value in row.items() if not covers(value, body.get(name), name))
    if others:
        raise PlanError(
            f"{object_id}: {', '.join(others)}: not what the newest snapshot holds, so that one of the two is stale:"
            " sync, then plan again"
        )
