"""What every operation must say of itself, so that planning, applying, undoing and the commands only ask it.

To add an operation, write its class in a file of its own and list it in `registry.py`. Everything that an operation
says follows from the object's before-image and the new values alone, so that what is shown, approved, sent and verified
cannot differ.

Not here: the plan that holds changes (plan.py), and sending (apply.py).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import chain
from typing import Any, ClassVar, Literal, Protocol
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from auditkit.corrections.diff import COMPUTED_FROM
from auditkit.errors import BadAnswer, PlanError, ValueRefused
from auditkit.values import one_line
from auditkit.vendors.bodies import TIMES, checked, typed
from auditkit.vendors.strict_json import parse

__all__ = ["ARRAYS", "Operation", "Reversal", "Subject", "Values"]

Values = Mapping[str, Any]

# A plan holds these as the text of their JSON, digit by digit.
ARRAYS = frozenset({"items", "related"})


class Subject(Protocol):
    """The object of a change: its id, its record as it was read, and the fields to set as they are sent."""

    @property
    def object_id(self) -> str:
        """Its id; of a new object the key by which it is found."""

    @property
    def before(self) -> Values:
        """Its record as it was read; empty for a new object."""

    @property
    def after(self) -> Values:
        """The fields to set."""


@dataclass(frozen=True)
class Reversal:
    """How a change is taken back: the `operation` to use, and its `values`.

    `precondition` are values that the object must still have; where it has others, somebody changed it since.
    `remains` says what cannot be taken back, for the person who approves.
    """

    operation: str
    values: Values
    precondition: Values
    remains: str = ""


class Operation(ABC):
    """One operation. Everything raises `PlanError`, in one line that names object and field.

    `fields` are those that it may set, `constants` those that it sets by itself. `creates` makes a new object;
    `deletes` means that the object may answer 404 once it is done; `charges` says whether it adds a charge to the
    client or takes one away.
    """

    name: ClassVar[str]
    fields: ClassVar[frozenset[str]]
    creates: ClassVar[bool] = False
    deletes: ClassVar[bool] = False
    charges: ClassVar[Literal["adds", "voids"] | None] = None
    constants: ClassVar[Values] = {}

    # What is true of every object of the vendor; `NrbOperation` and `InvoiceOperation` say it.
    system: ClassVar[Literal["aimsio", "jobnimbus"]]
    id_field: ClassVar[str]
    key_field: ClassVar[str]  # a creation fills it with a key of its own, by which the new object is found
    quiet: ClassVar[float]  # seconds after which an unanswered request can no longer take effect
    model: ClassVar[type[BaseModel]]
    read_only: ClassVar[frozenset[str]]
    kept_fields: ClassVar[tuple[str, ...]] = ()  # sent with every edit, at the values that were read
    body_query: ClassVar[str]  # the snapshot's own record of an object, by $id
    id_query: ClassVar[str]  # the ids of what people call $given

    # ── What is sent, and what must come of it ──────────────────────────────────────────────────────────────────────

    def body(self, change: Subject) -> dict[str, Any]:
        """The body of the request: the object's id, the kept fields that are not null, and the changed fields.

        Numbers are numbers, as the vendor's page documents them.
        """
        if self.creates:
            return typed(change.after)
        kept = {name: change.before[name] for name in self.kept_fields if change.before.get(name) is not None}
        return typed({self.id_field: change.object_id, **kept, **change.after})

    def validate(self, change: Subject) -> None:
        """Refuse a change that this operation may not make, or whose result cannot be known beforehand."""
        try:
            checked(self.body(change), self.model, self.read_only, change.object_id)
        except ValueRefused as error:
            raise PlanError(f"{error}; it cannot be corrected this way") from None
        for problem in chain(self._general_problems(change), self.problems(change)):
            raise PlanError(f"{change.object_id}: {problem}")
        self.money(change)

    def problems(self, change: Subject) -> Iterable[str]:  # noqa: ARG002  most have none
        """What this operation refuses beyond what all refuse, in words."""
        return ()

    @abstractmethod
    def expected(self, change: Subject) -> dict[str, Decimal]:
        """The amounts that the vendor must compute: field → amount. One that cannot be known is left out."""

    @abstractmethod
    def money(self, change: Subject) -> Decimal:
        """The money that the change moves, never negative; refused where it cannot be known."""

    @abstractmethod
    def undo(self, change: Subject, also_changed: tuple[str, ...]) -> Reversal:
        """How the change is taken back. `also_changed` are fields that changed though nobody asked."""

    def _general_problems(self, change: Subject) -> Iterator[str]:
        if others := sorted(change.after.keys() - self.fields):
            yield f"{self.name} does not set {', '.join(others)}; it sets {self._settable}"
        if self.creates and change.after.get(self.key_field) != change.object_id:
            yield f"{self.key_field} must be the key by which the new object is found"
        for name in sorted(change.after.keys() & TIMES.keys()):
            try:
                TIMES[name](change.after[name], name)
            except ValueRefused as error:
                yield str(error)

    # ── Planning ────────────────────────────────────────────────────────────────────────────────────────────────────

    def requested(self, given: Values) -> tuple[Values, tuple[Values, ...]]:
        """What a person asks for, as values to set and lines to add behind those that an invoice has."""
        if not given and not self.constants:
            raise PlanError(f"{self.name}: nothing to change: give field=value")
        return given, ()

    def conditions(self, change: Subject) -> tuple[str, ...]:  # noqa: ARG002  most have none
        """What the person who approves must check, because the vendor will not."""
        return ()

    @abstractmethod
    def differences(self, snapshot: Values, body: Values) -> list[str]:
        """The fields, sorted, in which the snapshot's record of an object is not what was read just now."""

    def label(self, record: Values) -> str:
        """What people call an object, in one printable line; from its before-image or the values of a new one."""
        return one_line(" · ".join(self.names(record)))

    @abstractmethod
    def names(self, record: Values) -> list[str]:
        """The parts of an object's label."""

    def parse(self, text: str, zone: ZoneInfo) -> tuple[str, Any]:
        """Field and value of `field=value` as a person writes it.

        `null` is no value; flags are true or false; a day is 2026-05-01 in the account's zone, or the vendor's own
        number; amounts stay as written; arrays are JSON.
        """
        name, found, value = text.partition("=")
        if found and name in COMPUTED_FROM and name not in self.fields:
            sources = ", ".join(sorted(COMPUTED_FROM[name]))
            raise PlanError(f"{text}: the vendor computes {name}, from {sources}: change that instead")
        if not found or name not in self.fields:
            raise PlanError(f"{text}: expected field=value, with one of {', '.join(sorted(self.fields))}")
        annotation = str(self.model.model_fields[name].annotation)
        if value == "null":
            return name, None
        if name in ARRAYS:
            return name, _array(name, value)
        if "bool" in annotation:
            if value not in ("true", "false"):
                raise PlanError(f"{text}: expected true, false or null")
            return name, value == "true"
        if "int" in annotation:
            return name, self._whole_number(text, value, zone)
        return name, value

    def _whole_number(self, text: str, value: str, zone: ZoneInfo) -> int:
        if value.isdecimal() and value.isascii():
            return int(value)
        try:
            return self.time_of_day(date.fromisoformat(value), zone)
        except (ValueError, OverflowError):
            raise PlanError(f"{text}: expected a whole number, or a day such as 2026-05-01") from None

    @abstractmethod
    def time_of_day(self, day: date, zone: ZoneInfo) -> int:
        """The vendor's own number for a day in the account's zone."""

    @property
    def _settable(self) -> str:
        names = ", ".join(sorted(self.fields))
        return names if len(self.fields) < 12 else "the fields that the vendor's page lets a client write"


def _array(name: str, text: str) -> list[dict[str, Any]]:
    try:
        found = parse(text, name)
    except BadAnswer as error:
        raise PlanError(str(error)) from None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise PlanError(f"{name}: expected a JSON array of objects")
    return found
