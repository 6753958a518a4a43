"""A plan: which fields of which objects shall change, from what to what, and why. It sends nothing.

A plan is a file of canonical JSON, named after the digest over everything it says, so that what was looked at is what
is approved and applied. Every change of an object carries its exact body as it was read while planning, the
before-image; a creation carries the key by which the new object can be found.

Not here: where changes come from (drafting, remedies, undo), who may approve them (approval), and sending (apply).
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
    external id will hold. `findings` are the fingerprints that it is meant to cure, and `rule` is the rule that found
    them, with its digest; both are empty where a person chose. `PlanError` for what the operation may not do.
    """

    operation: Annotated[str, AfterValidator(_known_operation)]
    object_id: str
    changes: tuple[FieldChange, ...]
    before_image: str
    findings: tuple[str, ...] = ()
    reason: str = ""
    rule: str = ""

    def checked(self) -> Self:
        """The same change; `PlanError` for what its operation may not do.

        What stands in the journal is not held against it: it was, by the version that planned it.
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
        """SHA-256 of the before-image: an object whose text has another one was changed since."""
        return digest(self.before_image)

    @cached_property
    def before(self) -> Mapping[str, Any]:
        """The before-image, read; empty for a creation. `PlanError` where it is not the object's."""
        if self.operation_type.creates:
            if self.before_image:
                raise PlanError(f"{self.object_id}: what is to be created has no before-image")
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
        """What is sent."""
        return self.operation_type.body(self)

    @cached_property
    def expected(self) -> Mapping[str, Decimal]:
        """The amounts that the vendor computes and that must come out so."""
        return self.operation_type.expected(self)

    @cached_property
    def money(self) -> Decimal:
        """The money that it moves, never negative."""
        return self.operation_type.money(self)

    @property
    def conditions(self) -> tuple[str, ...]:
        """What the person who approves must check, because the vendor will not."""
        return self.operation_type.conditions(self)

    def preview(self, words: DisplayNames | None = None) -> list[dict[str, Cell]]:
        """One row a field, then one for each amount that must follow, each with what its object is called and why.

        `words` gives the zone of days (else UTC) and the names of statuses.
        """
        held = self.after if self.operation_type.creates else self.before
        of_each: dict[str, Cell] = {
            "operation": self.operation,
            "object": self.object_id,
            "known_as": self.operation_type.label(held),
        }
        rules = ", ".join(each.split(" ")[0] for each in self.rule.split(", "))
        why: dict[str, Cell] = {
            "reason": self.reason,
            "findings": " ".join((rules, *(each[:12] for each in self.findings))) if self.findings else "",
        }
        return [
            {**of_each, "field": name, "before": before, "after": after, **why}
            for name, before, after in rendered_fields(self.before, self.after, self.expected, words or DisplayNames())
        ]


@dataclass(frozen=True, repr=False)
class Plan:
    """Changes in the order in which they will be applied, each object once, for one account, until `expires_at`.

    `left_out` are objects that it was asked for and does not change; `conditions`, what only people can know and must
    hold for every object before it is sent. `signatures` are no part of what is signed: they are not in the digest.
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
            raise PlanError("conditions and reasons are lines of text")
        if self.created_at.tzinfo is None or self.expires_at.tzinfo is None or self.expires_at <= self.created_at:
            raise PlanError("the plan expires before it is made, or its times lack a zone")
        if self.expires_at > self.created_at + LIFETIME:
            raise PlanError(f"the plan would stand for more than {LIFETIME.days} days; plan again")

    def __repr__(self) -> str:
        """One line: its name, how many objects it changes, the money that it moves, and by whom it is."""
        approval = self.signature("approve")
        approved = f"approved by {approval.name}" if approval else "not approved"
        objects = f"{self.objects:,} object{'s' * (self.objects != 1)}"
        said = f"{objects}, moves {self.money:,.2f}, prepared by {self.preparer}, {approved}"
        return one_line(f"<Plan {self.digest[:12]}: {said}>")

    @cached_property
    def digest(self) -> str:
        """SHA-256 over everything the plan says: what is signed, approved, journalled and executed."""
        return digest(canonical(self._fields()))

    @property
    def objects(self) -> int:
        """How many objects it changes or creates."""
        return len(self.changes)

    @property
    def money(self) -> Decimal:
        """The money that it moves: the sum over its changes, each without its sign."""
        return sum((change.money for change in self.changes), Decimal(0))

    def preview(self, words: DisplayNames | None = None) -> list[dict[str, Cell]]:
        """One row a field: `operation`, `object`, `known_as`, `field`, `before`, `after`, `reason`, `findings`.

        `findings` names the rule and the first 12 digits of each. What was left out is in `left_out`.
        """
        return [row for change in self.changes for row in change.preview(words)]

    def signed(self, signature: Signature) -> Self:
        """The same plan with one signature more, in the place of an earlier one of the same role."""
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
            version, said, content = found["version"], found["digest"], found["plan"]
            if version != _VERSION:
                raise PlanError(f"{path}: version {version!r} is unknown; plan again with this version of auditkit")
            if _digest(content) != said:
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
        return {**fields, **self.account._asdict()}  # two fields in the file, so that no name there is a list

    def _text(self) -> str:
        signatures = TypeAdapter(tuple[Signature, ...]).dump_python(self.signatures, mode="json")
        whole = {"version": _VERSION, "digest": self.digest, "plan": self._fields(), "signatures": signatures}
        return canonical(whole) + "\n"


def _digest(content: object) -> str:
    """The digest of what a file says of a plan; empty where no plan says that."""
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
