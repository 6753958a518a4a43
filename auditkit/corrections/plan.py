"""A plan: which fields of which objects shall change, from what to what, and why. It sends nothing.

A plan is a file of canonical JSON, named after the digest over everything it says, so that what was looked at is what
is approved and applied. Every change carries the object's exact body as it was read while planning, its before-image.

Not here: who may approve a plan (approval) and how it is applied (apply).
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import TypeAdapter, ValidationError

from auditkit.apis.aimsio import AimsioClient
from auditkit.apis.records import READ_ONLY_NRB_FIELDS, NrbChange, checked
from auditkit.apis.strict_json import parse
from auditkit.corrections.comparing import REQUIRED_NRB_FIELDS, same
from auditkit.errors import BadAnswer, NotThere, PlanError, ValueRefused
from auditkit.journal import canonical, digest
from auditkit.values import time_from_ms

__all__ = ["LIFETIME", "REMEDIES", "Change", "FieldChange", "Plan", "Remedy", "Value", "propose"]

LIFETIME = timedelta(days=3)
_LEFT_OUT = "left out: known from its parent alone, no own record"
_VERSION = 2

Value = str | int | bool | None


@dataclass(frozen=True)
class FieldChange:
    """One field: its value in the before-image and the one it shall have. Numbers with a fraction are text."""

    field: str
    before: Value
    after: Value


@dataclass(frozen=True)
class Change:
    """One object: what it was when planned (`before_image`, the exact text) and which fields shall change, and why."""

    system: Literal["aimsio", "jobnimbus"]
    operation: Literal["edit-nrb"]
    object_id: str
    changes: tuple[FieldChange, ...]
    before_image: str
    before_digest: str
    finding: str
    reason: str

    def __post_init__(self) -> None:
        if digest(self.before_image) != self.before_digest:
            raise PlanError(f"{self.object_id}: the before-image is not the one of its digest")
        if not self.changes:
            raise PlanError(f"{self.object_id}: nothing to change; leave the object out")
        for change in self.changes:
            if not same(change.field, change.before, _plain(self.before.get(change.field))):
                raise PlanError(f"{self.object_id}: {change.field} is not {change.before!r} in the before-image")
            if same(change.field, change.before, change.after):
                raise PlanError(f"{self.object_id}: {change.field} is {change.after!r} already; leave it out")
        try:
            checked(self.edit_body, NrbChange, READ_ONLY_NRB_FIELDS, self.object_id)
        except ValueRefused as error:
            raise PlanError(f"{error}; it cannot be corrected this way") from None

    @cached_property
    def before(self) -> Mapping[str, Any]:
        """The before-image, read; `PlanError` where it is not the object's."""
        try:
            body = parse(self.before_image, self.object_id)
        except BadAnswer as error:
            raise PlanError(str(error)) from None
        if not isinstance(body, dict) or body.get("nrbGuid") != self.object_id:
            raise PlanError(f"{self.object_id}: the before-image is of another object")
        return body

    @property
    def edit_body(self) -> dict[str, Any]:
        """What an edit sends: the guid, each required field as it was read (a null one is left out), the changes."""
        kept = {name: self.before[name] for name in REQUIRED_NRB_FIELDS if self.before.get(name) is not None}
        return {"nrbGuid": self.object_id, **kept, **{change.field: change.after for change in self.changes}}


@dataclass(frozen=True)
class Plan:
    """Changes in the order in which they will be applied, each object once, for one account, until `expires_at`.

    `left_out`: objects of the findings that cannot be corrected, since Aimsio holds no record of their own.
    """

    changes: tuple[Change, ...]
    snapshot_id: str
    environment: str
    account: str
    preparer: str
    created_at: datetime
    expires_at: datetime
    left_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        objects = [(change.system, change.object_id) for change in self.changes]
        if not objects:
            raise PlanError("the plan changes nothing; choose findings first")
        if twice := sorted({object_id for system, object_id in objects if objects.count((system, object_id)) > 1}):
            raise PlanError(f"{twice[0]}: planned more than once; put all its changes into one")
        if self.created_at.tzinfo is None or self.expires_at.tzinfo is None or self.expires_at <= self.created_at:
            raise PlanError("the plan expires before it is made, or its times lack a zone")

    @cached_property
    def digest(self) -> str:
        """SHA-256 over everything the plan says: what is approved, journalled and executed."""
        return digest(canonical(self._fields()))

    @property
    def conditions(self) -> tuple[str, ...]:
        """What only people can know, and must hold for every object, before the plan is sent."""
        made = {(field.field, field.after) for change in self.changes for field in change.changes}
        return tuple(remedy.condition for remedy in REMEDIES.values() if (remedy.field, remedy.after) in made)

    def preview(self) -> list[dict[str, Value]]:
        """One row a field, in order: `object`, `field`, `before`, `after`; then one for each object left out."""
        changed: list[dict[str, Value]] = [
            {"object": change.object_id, "field": field.field, "before": field.before, "after": field.after}
            for change in self.changes
            for field in change.changes
        ]
        return changed + [{"object": guid, "field": _LEFT_OUT, "before": None, "after": None} for guid in self.left_out]

    def save(self, folder: Path) -> Path:
        """Write `<first 12 digits of the digest>.json`, readable by its owner alone, and return its path."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{self.digest[:12]}.json"
        private = path.with_suffix(".new")
        with os.fdopen(os.open(private, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write(self._text())
            file.flush()
            os.fsync(file.fileno())
        private.replace(path)
        return path

    @classmethod
    def load(cls, path: Path) -> Self:
        """The plan in a file; `PlanError` where it is malformed, of another version, or not as it was saved."""
        try:
            text = path.read_text("ascii")
            found = parse(text, str(path))
            version = found["version"]
            if version != _VERSION:
                raise PlanError(f"{path}: version {version!r} is unknown; plan again with this version of auditkit")
            plan = TypeAdapter(cls).validate_json(canonical(found["plan"]))
        except OSError as error:
            raise PlanError(f"{path}: cannot be read ({error.strerror}); name a file under plans/") from None
        except ValidationError as error:
            problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
            where = ".".join(str(part) for part in problem["loc"])
            what = problem["msg"].removeprefix("Value error, ")
            raise PlanError(f"{path}: not a plan ({where}: {what}); plan again") from None
        except (BadAnswer, ValueRefused, UnicodeDecodeError, KeyError, TypeError):
            raise PlanError(f"{path}: not a plan; plan again") from None
        if plan._text() != text:
            raise PlanError(f"{path}: was edited after it was made (its digest differs); plan again")
        return plan

    def _fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = TypeAdapter(Plan).dump_python(self, mode="json")
        return fields

    def _text(self) -> str:
        return canonical({"version": _VERSION, "digest": self.digest, "plan": self._fields()}) + "\n"


@dataclass(frozen=True)
class Remedy:
    """What usually cures a rule's finding: the field, its column in the snapshot, and the one value it shall have.

    `condition` is what must be true of an object, and no API can tell, before it may be cured this way.
    """

    field: str
    column: str
    after: Value
    reason: str
    condition: str


REMEDIES: Mapping[str, Remedy] = {
    "nrb-unexported": Remedy(
        "nrbIsExported",
        "is_exported",
        True,
        "the NRB was never marked as exported",
        "mark exported only what was booked in the ledger by hand; export everything else from Aimsio",
    ),
}


def propose(
    rule_id: str,
    subjects: Sequence[Mapping[str, Any]],
    aimsio: AimsioClient,
    *,
    snapshot_id: str,
    environment: str,
    account: str,
    preparer: str,
    now: datetime,
) -> Plan:
    """The plan that cures these findings of a rule in its usual way. Each object is read by id, past the cache.

    A subject has `guid`, `job_number`, `amount_at_risk` and the snapshot's typed `updated_at` and column of the
    field; a `fingerprint` where the finding has one. One whose `has_own_record` is false stands in its parent's list
    of children alone, so it can be neither read nor edited by id: it is left out, and named in the plan. `PlanError`
    where the rule has no safe remedy or no findings, or the snapshot is stale; the errors of `AimsioClient.nrb` where
    an object could not be read.
    """
    if rule_id not in REMEDIES:
        raise PlanError(f"{rule_id}: has no remedy that is safe to propose; those that have: {', '.join(REMEDIES)}")
    if not subjects:
        raise PlanError(f"{rule_id} has no open findings: nothing to plan")
    remedy = REMEDIES[rule_id]
    left_out = tuple(subject["guid"] for subject in subjects if not subject["has_own_record"])
    if len(left_out) == len(subjects):
        raise PlanError(f"nothing to plan: left out {', '.join(left_out)}: no own record; correct them in Aimsio")
    changes = tuple(_proposed(rule_id, remedy, each, aimsio) for each in subjects if each["has_own_record"])
    return Plan(changes, snapshot_id, environment, account, preparer, now, now + LIFETIME, left_out)


def _proposed(rule_id: str, remedy: Remedy, subject: Mapping[str, Any], aimsio: AimsioClient) -> Change:
    guid = subject["guid"]
    try:
        image = aimsio.nrb(guid)
    except NotThere:
        raise PlanError(f"{guid}: is no longer there, so the snapshot is stale: sync first") from None
    body = parse(image, guid)
    _refuse_stale(guid, remedy, subject, body)
    change = FieldChange(remedy.field, _plain(body.get(remedy.field)), remedy.after)
    reason = f"{remedy.reason}; job {subject['job_number']}, {subject['amount_at_risk']} at risk"
    finding = subject.get("fingerprint") or f"{rule_id} {guid}"
    return Change("aimsio", "edit-nrb", guid, (change,), image, digest(image), finding, reason)


def _refuse_stale(guid: str, remedy: Remedy, subject: Mapping[str, Any], body: Mapping[str, Any]) -> None:
    try:
        updated_at = time_from_ms(body.get("nrbUpdatedAt"), "nrbUpdatedAt")
    except ValueRefused as error:
        raise PlanError(f"{guid}: {error}; correct it in Aimsio") from None
    if subject["updated_at"] != updated_at:
        raise PlanError(f"{guid}: changed at {updated_at}, after the snapshot, so the snapshot is stale: sync first")
    if subject[remedy.column] != body.get(remedy.field):
        found = body.get(remedy.field)
        raise PlanError(f"{guid}: {remedy.field} is {found!r} now, so the snapshot is stale: sync first")


def _plain(value: object) -> Value:
    """A field's value as a plan holds it: a number with a fraction as its digits."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if value is None or isinstance(value, (str, int)):
        return value
    raise PlanError(f"expected a single value to change, found {type(value).__name__}")
