"""The state of each correction, from the journal: what was intended, sent, answered and found.

Steps and verdicts have the names that the records have, so that the journal can be read as the history of each object.

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
    """The steps, each on disk before the next one."""

    INTENT = "INTENT"
    SENDING = "SENDING"
    RESPONDED = "RESPONDED"
    NORESPONSE = "NORESPONSE"


class Verdict(StrEnum):
    """How an object ended. `UNKNOWN` is checked again at each start; `SETTLED` was decided by a person.

    `NOT_BEGUN` has no record of its own: nothing was sent, and applying the plan again starts with the object.
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

    `may_resend`: where nothing took effect, the same edit may be sent again. `refused`: the vendor refused, so that it
    will not take effect later. `unexpected`: in words, what it did that was not asked for. `status` and `digest`
    (SHA-256 of the body) are those of the answer.
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
    """One object's correction under one plan, so far.

    `nothing_in_flight`: it was read after the last request could no longer take effect. `also_changed` are the fields
    that changed though nobody asked, `created` is the id of a new object.
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
        """Its id in every record: the plan's first 12 digits, the vendor and the object."""
        return correction_id(self.plan, self.change)

    @property
    def is_open(self) -> bool:
        """It was begun, and how it ended is not known yet."""
        return self.begun and self.verdict in (None, Verdict.UNKNOWN)

    @property
    def is_done(self) -> bool:
        """It ended. One that was interrupted before anything was sent may be begun again."""
        return self.begun and not self.is_open and not (self.verdict is Verdict.NOT_APPLIED and not self.sends)

    def with_nothing_in_flight(self) -> Self:
        """The same, once the object was read after the last request could no longer take effect."""
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
                return replace(
                    self,
                    verdict=Verdict(verdict),
                    detail=record["detail"],
                    also_changed=tuple(record.get("also_changed", ())),
                    created=record.get("created"),
                )


def correction_id(plan: str, change: Change) -> str:
    """The id of what a plan, given by its digest, does to one object."""
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
