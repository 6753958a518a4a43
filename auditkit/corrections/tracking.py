"""Where each correction stands, as the journal tells it: what was intended, sent, answered and found.

The names of the steps and verdicts are those of the records, so that the journal reads as the story of each object.

Not here: what to do next (apply). Nothing here reads a vendor or writes a record.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

from pydantic import TypeAdapter, ValidationError

from auditkit.corrections.plan import Change
from auditkit.errors import JournalError
from auditkit.journal import Journal, Record
from auditkit.settings import AccountKey

__all__ = ["RECORD_KIND", "Correction", "Reply", "Step", "Verdict", "correction_id", "corrections"]

RECORD_KIND = "correction"
_CHANGE = TypeAdapter(Change)


class Step(StrEnum):
    """What is on disk before the step after it is taken."""

    INTENT = "INTENT"
    SENDING = "SENDING"
    RESPONDED = "RESPONDED"
    NORESPONSE = "NORESPONSE"


class Verdict(StrEnum):
    """How an object ended. `UNKNOWN` is looked into again at each start; `SETTLED` is a person's word on one.

    `NOT_BEGUN` has no record of its own: nothing was sent, and applying the plan again takes the object up.
    """

    VERIFIED = "VERIFIED"
    SIDE_EFFECT = "SIDE_EFFECT"
    ALREADY = "ALREADY"
    NOT_APPLIED = "NOT_APPLIED"
    CONFLICT = "CONFLICT"
    REFUSED = "REFUSED"
    UNKNOWN = "UNKNOWN"
    SETTLED = "SETTLED"
    NOT_BEGUN = "NOT_BEGUN"


@dataclass(frozen=True)
class Reply:
    """What came back from a send. `answered`: the vendor's own counts, or its 200; else it could still take effect.

    `may_resend`: nothing in it speaks against sending the same absolute edit once more, when nothing took effect.
    `refused`: the vendor said no, so that nothing of it is still to come. `unexpected`: it did what was not asked
    for, in words. `status` and `digest` (SHA-256 of the body) are those of the answer.
    """

    answered: bool
    may_resend: bool
    detail: str
    refused: bool = False
    unexpected: str = ""
    status: int | None = None
    digest: str = ""


@dataclass(frozen=True)
class Correction:
    """One object's correction under one plan, so far. `settled`: it was read after the last send, past any delay.

    `also_changed` are the fields that changed though nobody asked, `created` is the id of what a creation made.
    """

    plan: str
    account: AccountKey
    change: Change
    begun: bool = False
    sends: int = 0
    reply: Reply | None = None
    nothing_in_flight: bool = False
    verdict: Verdict | None = None
    detail: str = ""
    also_changed: tuple[str, ...] = ()
    created: str | None = None

    @property
    def id(self) -> str:
        """Names the correction in every record: the plan's first 12 digits, the vendor and the object."""
        return correction_id(self.plan, self.change)

    @property
    def is_open(self) -> bool:
        """Intended, and not yet known how it ended."""
        return self.begun and self.verdict in (None, Verdict.UNKNOWN)

    @property
    def is_done(self) -> bool:
        """It ended. One that was interrupted before anything was sent may be taken up again."""
        return self.begun and not self.is_open and not (self.verdict is Verdict.NOT_APPLIED and not self.sends)

    def with_nothing_in_flight(self) -> Self:
        """The same, once the object was read after the last request could no longer land."""
        return replace(self, nothing_in_flight=True)

    def after(self, record: Mapping[str, Any]) -> Self:
        """This correction after one more of its records."""
        match record["step"]:
            case Step.INTENT:
                return replace(self, begun=True, verdict=None, detail="")
            case Step.SENDING:
                return replace(self, sends=record["attempt"], reply=None, nothing_in_flight=False)
            case Step.RESPONDED | Step.NORESPONSE:
                return replace(self, reply=Reply(**record["reply"]))
            case verdict:
                said = {
                    "detail": record["detail"],
                    "also_changed": tuple(record.get("also_changed", ())),
                    "created": record.get("created"),
                }
                return replace(self, verdict=Verdict(verdict), **said)


def correction_id(plan: str, change: Change) -> str:
    """The name of what a plan, named by its digest, does to one object."""
    return f"{plan[:12]} {change.system} {change.object_id}"


class _Corrections:
    """Every correction, by id."""

    def __init__(self) -> None:
        self.known: dict[str, Correction] = {}

    def take(self, record: Record) -> None:
        if record.kind != RECORD_KIND:
            return
        body = record.body
        if body["step"] == Step.INTENT:
            try:
                change = _CHANGE.validate_python(body["change"])
            except ValidationError:
                raise JournalError(f"journal line {record.seq}: is not a correction that this version knows") from None
            correction = Correction(body["plan"], AccountKey(body["environment"], body["account"]), change)
        else:
            correction = self.known[body["correction"]]
        self.known[body["correction"]] = correction.after(body)


def corrections(journal: Journal) -> dict[str, Correction]:
    """Every correction that the journal knows, by id, in the order of their intents."""
    return dict(journal.projection(_Corrections).known)
