"""From a request for a change to a change that can be planned: read the object by id, list each field before → after.

The text that is read, past the cache, is the before-image. Where it is not what the newest snapshot holds, the snapshot
is stale and nothing is planned on it; the same is checked once more before a plan is applied.

Not here: which objects need a change (remedies, undo), and what an operation may do (operations).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from auditkit import sql
from auditkit.corrections.diff import is_no_change, matches
from auditkit.corrections.lookup import Clients
from auditkit.corrections.operations.base import Operation
from auditkit.corrections.operations.registry import operation_named
from auditkit.corrections.plan import LIFETIME, Change, FieldChange, LeftOut, Plan, plan_value
from auditkit.corrections.tracking import correction_id, corrections
from auditkit.errors import NotThere, PlanError
from auditkit.journal import Journal, canonical, digest
from auditkit.progress import progress
from auditkit.settings import AccountKey
from auditkit.values import one_line
from auditkit.vendors.strict_json import parse
from auditkit.warehouse.snapshots import Snapshot

__all__ = ["ChangeRequest", "Planner", "parse_values", "refuse_stale"]


@dataclass(frozen=True)
class ChangeRequest:
    """A change that somebody wants: an operation on an object, the values that fields shall have, and why.

    A creation has no `object_id` yet. `add` are lines to add behind those that an invoice has. `findings` are the
    fingerprints that it is meant to clear, `rule` the rule that found them, with its digest. `precondition` are values
    that the object must have now: where it has others, somebody changed it and it is left out. With `is_undo` the
    object is also left out where its operation refuses the change.
    """

    operation: str
    object_id: str
    values: Mapping[str, Any]
    reason: str
    findings: tuple[str, ...] = ()
    rule: str = ""
    add: tuple[Mapping[str, Any], ...] = ()
    precondition: Mapping[str, Any] = field(default_factory=dict)
    is_undo: bool = False


@dataclass(frozen=True)
class Planner:
    """Turns requests into changes. `at` is the moment of planning, which makes the key of a creation its own."""

    clients: Clients
    snapshot: Snapshot
    at: datetime

    def plan(
        self,
        requests: Iterable[ChangeRequest | LeftOut],
        *,
        conditions: tuple[str, ...],
        preparer: str,
        about: Mapping[str, Any],
    ) -> Plan:
        """The plan of these requests, each object read. `about` gives the snapshot's id, environment and account.

        `PlanError` where the plan would change nothing, with the reasons, or where an object cannot be planned.
        """
        changes, left_out = list[Change](), list[LeftOut]()
        wanted = list(requests)
        with progress("Reading what would change", len(wanted), "object") as advance:
            for request in wanted:
                made = self.change(request) if isinstance(request, ChangeRequest) else request
                if isinstance(made, LeftOut):
                    left_out.append(made)
                else:
                    changes.append(made)
                advance(1)
        if not changes:
            why = "; ".join(f"{each.object_id}: {each.reason}" for each in left_out[:3])
            raise PlanError(f"nothing to plan{f': left out {len(left_out)}: {why}' if why else ''}")
        of_changes = (each for change in changes for each in change.conditions)
        return Plan(
            tuple(changes),
            about["snapshot_id"],
            AccountKey(about["environment"], about["account"]),
            preparer,
            self.at,
            self.at + LIFETIME,
            tuple(left_out),
            (*conditions, *dict.fromkeys(of_changes)),
        )

    def change(self, request: ChangeRequest) -> Change | LeftOut:
        """The change, or why the object is left out. `PlanError` where the request cannot be planned at all."""
        operation = operation_named(request.operation)
        values = {**operation.constants, **request.values}  # so that constants are shown and approved as well
        if operation.creates:
            return self._creation(request, operation, values)
        try:
            image = self.clients.read(operation, request.object_id)
        except NotThere:
            return self._missing(request, operation)
        before = parse(image, request.object_id)
        others = sorted(
            name for name, value in request.precondition.items() if not matches(name, value, before.get(name))
        )
        if others:
            return LeftOut(request.object_id, f"{', '.join(others)}: changed by somebody since; look at it")
        _refuse_changed_since(self.snapshot, operation, request.object_id, before)
        if request.add:
            values["items"] = [*(before.get("items") or []), *request.add]
        planned = ((name, plan_value(before.get(name)), plan_value(value)) for name, value in values.items())
        changes = tuple(FieldChange(*each) for each in planned if not is_no_change(*each))
        if not changes:
            return LeftOut(request.object_id, "has these values already")
        try:
            return _change(request, request.object_id, changes, image)
        except PlanError as error:
            if not request.rule and not request.is_undo:
                raise
            return LeftOut(request.object_id, str(error).removeprefix(f"{request.object_id}: "))  # the others go on

    def _missing(self, request: ChangeRequest, operation: Operation) -> LeftOut:
        if _held(self.snapshot, operation, request.object_id) is not None:
            raise PlanError(f"{request.object_id}: is no longer there, so the snapshot is stale: sync first")
        if request.rule or request.is_undo:
            return LeftOut(request.object_id, "is no longer there")
        found = self.snapshot.query(sql.read(operation.id_query), {"given": request.object_id}).column()
        hint = f": {' or '.join(found)}" if found else ""
        raise PlanError(
            f"{request.object_id}: no such id; give the NRB's GUID or the invoice's jnid, not its number{hint}"
        )

    def _creation(self, request: ChangeRequest, operation: Operation, values: Mapping[str, Any]) -> Change:
        wanted = {name: plan_value(value) for name, value in values.items() if value is not None}
        snapshot_id = self.snapshot.query("select snapshot_id from audit_run").scalar()
        key = f"ak-{digest(canonical([operation.name, self.at.isoformat(), snapshot_id, wanted]))[:16]}"
        fields = {operation.key_field: key, **wanted}
        return _change(request, key, tuple(FieldChange(name, None, value) for name, value in fields.items()), "")


def refuse_stale(plan: Plan, snapshot: Snapshot, journal: Journal) -> None:
    """Raise `PlanError` where an object of the plan is not, in the newest snapshot, what it was when planned.

    An object whose correction has begun may have been changed by it: reading the object will tell.
    """
    known = corrections(journal)
    for change in plan.changes:
        operation = change.operation_type
        if not operation.creates and correction_id(plan.digest, change) not in known:
            _refuse_changed_since(snapshot, operation, change.object_id, change.before)


def parse_values(operation: Operation, texts: Sequence[str], zone: ZoneInfo) -> dict[str, Any]:
    """Values from `field=value` texts, as a person writes them; see `Operation.parse`. `PlanError` for a mistake."""
    found = [operation.parse(text, zone) for text in texts]
    names = [name for name, _ in found]
    if twice := [name for name in names if names.count(name) > 1]:
        raise PlanError(f"{twice[0]}: was given twice; give one value for each field")
    return dict(found)


def _change(request: ChangeRequest, object_id: str, changes: tuple[FieldChange, ...], image: str) -> Change:
    reason = one_line(request.reason)  # it may contain a vendor's text
    return Change(request.operation, object_id, changes, image, request.findings, reason, request.rule).checked()


def _held(snapshot: Snapshot, operation: Operation, object_id: str) -> dict[str, Any] | None:
    """The record of its own that the newest snapshot holds of an object, if it holds one."""
    rows = snapshot.query(sql.read(operation.body_query), {"id": object_id}).rows
    held: dict[str, Any] | None = parse(rows[0][0], object_id) if rows else None
    return held


def _refuse_changed_since(snapshot: Snapshot, operation: Operation, object_id: str, body: Mapping[str, Any]) -> None:
    row = _held(snapshot, operation, object_id)
    if row is None:
        raise PlanError(f"{object_id}: is not in the newest snapshot as a record of its own: sync first")
    if others := operation.differences(row, body):
        raise PlanError(
            f"{object_id}: {', '.join(others)}: not what the newest snapshot holds, so one of the two is stale: sync,"
            " then plan again"
        )
