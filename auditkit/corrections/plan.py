"""A plan: which fields of which objects shall change, from what to what, and why. It sends nothing.

A plan is a file of canonical JSON, named after the digest of its whole content, so that what was checked is what is
approved and applied. Every change of an object carries its exact body as it was read while planning, the before-image;
a creation carries the key by which the new object can be found.

Not here: where changes come from (planning, remedies, undo), who may approve them (approval), and sending (apply).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, TypeAdapter, ValidationError

from auditkit.corrections.diff import is_no_change, same
from auditkit.corrections.operations.base import ARRAYS, Operation
from auditkit.corrections.operations.registry import OPERATIONS, operation_named
from auditkit.corrections.render import Cell, DisplayNames, rendered_fields
from auditkit.corrections.signatures import Signature
from auditkit.errors import BadAnswer, PlanError, ValueRefused
from auditkit.files import make_private_folder, write_whole
from auditkit.journal import canonical, digest
from auditkit.settings import AccountKey
from auditkit.values import one_line
from auditkit.vendors.strict_json import dump, parse

__all__ = ["LIFETIME", "Change", "FieldChange", "LeftOut", "Plan", "Value", "plan_value"]

LIFETIME = timedelta(days=3)
_VERSION = 4

Value = str | int | bool | None


@dataclass(frozen=True)
class FieldChange:
    """One field: its value in the before-image and the one it shall have.

    Numbers with a fraction are text, and so are arrays: that of their JSON.
    """

    field: str
    before: Value
    after: Value


@dataclass(frozen=True)
class LeftOut:
    """An object that the plan was asked for and does not change, and why."""

    object_id: str
    reason: str


def _known_operation(name: str) -> str:
    try:
        return operation_named(name).name
    except PlanError as error:
        raise ValueError(str(error)) from None


@dataclass(frozen=True)
class Change:
    """One object, under one operation: what it was when planned, which fields shall change, and why.

    `before_image` is the exact text that was read; empty for a creation, whose `object_id` is the key that its
    external id will hold. `findings` are the fingerprints that it is meant to clear, and `rule` is the rule that found
    them, with its digest; both are empty where a person chose the change.
    """

    operation: Annotated[str, AfterValidator(_known_operation)]
    object_id: str
    changes: tuple[FieldChange, ...]
    before_image: str
    findings: tuple[str, ...] = ()
    reason: str = ""
    rule: str = ""

    def checked(self) -> Self:
        """The same change; `PlanError` where its operation may not make it.

        Changes in the journal are not checked again: the version that planned them did.
        """
        names = [change.field for change in self.changes]
        if not names:
            raise PlanError(f"{self.object_id}: nothing to change; leave the object out")
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise PlanError(f"{self.object_id}: {twice[0]} is changed twice")
        for change in self.changes:
            if not same(change.field, change.before, plan_value(self.before.get(change.field))):
                raise PlanError(f"{self.object_id}: {change.field} is not {change.before!r} in the before-image")
            if is_no_change(change.field, change.before, change.after):
                raise PlanError(f"{self.object_id}: {change.field} is {change.after!r} already; leave it out")
        self.operation_type.validate(self)
        if not self.reason.isprintable():
            raise PlanError(f"{self.object_id}: a reason is one line of text")
        return self

    @property
    def operation_type(self) -> Operation:
        """Its operation, which says what is sent and what must come of it."""
        return OPERATIONS[self.operation]

    @property
    def system(self) -> Literal["aimsio", "jobnimbus"]:
        """The vendor that holds the object."""
        return self.operation_type.system

    @cached_property
    def before_digest(self) -> str:
        """SHA-256 of the before-image: an object whose text has another digest was changed since."""
        return digest(self.before_image)

    @cached_property
    def before(self) -> Mapping[str, Any]:
        """The before-image, parsed; empty for a creation. `PlanError` where it is not the object's."""
        if self.operation_type.creates:
            if self.before_image:
                raise PlanError(f"{self.object_id}: a new object has no before-image")
            return {}
        try:
            found = parse(self.before_image, self.object_id)
        except BadAnswer as error:
            raise PlanError(str(error)) from None
        if not isinstance(found, dict) or found.get(self.operation_type.id_field) != self.object_id:
            raise PlanError(f"{self.object_id}: the before-image is of another object")
        return found

    @cached_property
    def after(self) -> Mapping[str, Any]:
        """The changed fields; arrays as arrays, and a number with a fraction as its digits."""
        return {each.field: _sent(each.field, each.after, self.object_id) for each in self.changes}

    @property
    def body(self) -> dict[str, Any]:
        """The body of the request."""
        return self.operation_type.body(self)

    @cached_property
    def expected(self) -> Mapping[str, Decimal]:
        """The amounts that the vendor must compute."""
        return self.operation_type.expected(self)

    @cached_property
    def money(self) -> Decimal:
        """The money that the change moves, never negative."""
        return self.operation_type.money(self)

    @property
    def conditions(self) -> tuple[str, ...]:
        """What the person who approves must check, because the vendor will not."""
        return self.operation_type.conditions(self)

    def preview(self, names: DisplayNames | None = None) -> list[dict[str, Cell]]:
        """One row per field, then one per expected amount, each with its object's label, the reason and the findings.

        `names` gives the time zone of days (else UTC) and the names of statuses.
        """
        record = self.after if self.operation_type.creates else self.before
        of_each: dict[str, Cell] = {
            "operation": self.operation,
            "object": self.object_id,
            "known_as": self.operation_type.label(record),
        }
        rules = ", ".join(each.split(" ")[0] for each in self.rule.split(", "))
        why: dict[str, Cell] = {
            "reason": self.reason,
            "findings": " ".join((rules, *(each[:12] for each in self.findings))) if self.findings else "",
        }
        return [
            {**of_each, "field": name, "before": before, "after": after, **why}
            for name, before, after in rendered_fields(self.before, self.after, self.expected, names or DisplayNames())
        ]


@dataclass(frozen=True, repr=False)
class Plan:
    """Changes in the order in which they will be applied, each object once, for one account, until `expires_at`.

    `left_out` are objects that were asked for and are not changed; `conditions` are what only people can know and must
    be true of every object before it is sent. `signatures` are not part of the digest, which is what is signed.
    """

    changes: tuple[Change, ...]
    snapshot_id: str
    account: AccountKey
    preparer: str
    created_at: datetime
    expires_at: datetime
    left_out: tuple[LeftOut, ...] = ()
    conditions: tuple[str, ...] = ()
    signatures: tuple[Signature, ...] = ()

    def __post_init__(self) -> None:
        objects = [(change.system, change.object_id) for change in self.changes]
        if not objects:
            raise PlanError("the plan changes nothing; choose findings first")
        if twice := sorted({object_id for system, object_id in objects if objects.count((system, object_id)) > 1}):
            raise PlanError(f"{twice[0]}: planned more than once; put all its changes into one")
        for change in self.changes:
            change.checked()
        if not all(text.isprintable() for text in (*self.conditions, *(each.reason for each in self.left_out))):
            raise PlanError("conditions and reasons must each be one line of text")
        if self.created_at.tzinfo is None or self.expires_at.tzinfo is None or self.expires_at <= self.created_at:
            raise PlanError("the plan expires before it is made, or its times lack a zone")
        if self.expires_at > self.created_at + LIFETIME:
            raise PlanError(f"the plan would be valid for more than {LIFETIME.days} days; plan again")

    def __repr__(self) -> str:
        """One line: its digest, how many objects it changes, the money that it moves, its preparer and approver."""
        approval = self.signature("approve")
        approved = f"approved by {approval.name}" if approval else "not approved"
        objects = f"{self.objects:,} object{'s' * (self.objects != 1)}"
        summary = f"{objects}, moves {self.money:,.2f}, prepared by {self.preparer}, {approved}"
        return one_line(f"<Plan {self.digest[:12]}: {summary}>")

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the plan's content: what is signed, approved, journalled and executed."""
        return digest(canonical(self._fields()))

    @property
    def objects(self) -> int:
        """How many objects it changes or creates."""
        return len(self.changes)

    @property
    def money(self) -> Decimal:
        """The money that it moves: the sum over its changes, each without its sign."""
        return sum((change.money for change in self.changes), Decimal(0))

    def preview(self, names: DisplayNames | None = None) -> list[dict[str, Cell]]:
        """One row per field: `operation`, `object`, `known_as`, `field`, `before`, `after`, `reason`, `findings`.

        `findings` holds the rule and the first 12 digits of each. What was left out is in `left_out`.
        """
        return [row for change in self.changes for row in change.preview(names)]

    def signed(self, signature: Signature) -> Self:
        """The same plan with one more signature, which replaces an earlier one of the same role."""
        kept = (each for each in self.signatures if each.role != signature.role)
        return replace(self, signatures=(*kept, signature))

    def signature(self, role: Literal["prepare", "approve"]) -> Signature | None:
        """The signature of a role, if there is one."""
        return next((each for each in self.signatures if each.role == role), None)

    def save(self, folder: Path) -> Path:
        """Write `<first 12 digits of the digest>.json`, readable by its owner alone, and return its path."""
        return self.save_as(folder / f"{self.digest[:12]}.json")

    def save_as(self, path: Path) -> Path:
        """Write a file, readable by its owner alone, and return its path."""
        make_private_folder(path.parent)
        write_whole(path, self._text())
        return path

    @classmethod
    def load(cls, path: Path) -> Self:
        """The plan in a file; `PlanError` where it is malformed, of another version, or not as it was saved."""
        edited = PlanError(f"{path}: was edited after it was made (its digest differs); plan again")
        try:
            text = path.read_text("ascii")
            found = parse(text, str(path))
            version, named, content = found["version"], found["digest"], found["plan"]
            if version != _VERSION:
                raise PlanError(f"{path}: version {version!r} is unknown; plan again with this version of auditkit")
            if _digest(content) != named:
                raise edited
            account = (content["environment"], content["account"])
            plan = TypeAdapter(cls).validate_python({**content, "account": account, "signatures": found["signatures"]})
        except OSError as error:
            raise PlanError(f"{path}: cannot be read ({error.strerror}); name a file under plans/") from None
        except ValidationError as error:
            problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
            where = ".".join(map(str, problem["loc"]))
            what = problem["msg"].removeprefix("Value error, ").removesuffix("; plan again")
            raise PlanError(f"{path}: not a plan ({f'{where}: ' if where else ''}{what}); plan again") from None
        except (BadAnswer, ValueRefused, UnicodeDecodeError, KeyError, TypeError):
            raise PlanError(f"{path}: not a plan; plan again") from None
        if plan._text() != text:
            raise edited
        return plan

    def _fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = TypeAdapter(Plan).dump_python(self, mode="json", exclude={"signatures"})
        return {**fields, **self.account._asdict()}  # two fields of text in the file

    def _text(self) -> str:
        signatures = TypeAdapter(tuple[Signature, ...]).dump_python(self.signatures, mode="json")
        whole = {"version": _VERSION, "digest": self.digest, "plan": self._fields(), "signatures": signatures}
        return canonical(whole) + "\n"


def _digest(content: object) -> str:
    """The digest of the content of a file; empty where it cannot be that of a plan."""
    try:
        return digest(canonical(content))
    except ValueRefused:
        return ""


def plan_value(value: object) -> Value:
    """A field's value as a plan holds it: a number with a fraction as its digits, an array as the text of its JSON."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, list):
        return dump(value)
    if value is None or isinstance(value, (str, int)):
        return value
    raise PlanError(f"expected a single value or an array to change, found {type(value).__name__}")


def _sent(field: str, value: Value, object_id: str) -> Any:  # noqa: ANN401 — any JSON
    if field not in ARRAYS or value is None:
        return value
    try:
        found = parse(str(value), f"{object_id}: {field}")
    except BadAnswer as error:
        raise PlanError(str(error)) from None
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise PlanError(f"{object_id}: {field}: expected an array of objects")
    return found
