"""The verdict on one object, from a fresh read and the vendor's answer. Nothing here reads, sends or writes.

A verdict is true whatever the answer claimed: VERIFIED and SIDE_EFFECT are based on what was read after the last send.

Not here: when to read, and what to do with a verdict (apply).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auditkit.corrections.amounts import amount
from auditkit.corrections.diff import matches, unplanned_changes
from auditkit.corrections.plan import Change
from auditkit.corrections.tracking import Correction, Reply, Verdict
from auditkit.errors import ApiError, BadAnswer, NotThere, StoreError, TimedOut, Unreachable
from auditkit.journal import digest
from auditkit.vendors.bodies import ImportResult
from auditkit.vendors.strict_json import dump, parse
from auditkit.vendors.transport import Answer

__all__ = [
    "Conclusion",
    "after_creation",
    "after_edit",
    "aimsio_reply",
    "failed_reply",
    "jobnimbus_reply",
    "missing_after_edit",
    "unmet",
]

_MAY_STILL_TAKE_EFFECT = frozenset({408, 425, 429})
READ_BACK = "read back as planned"


@dataclass(frozen=True)
class Conclusion:
    """A verdict and, in words, what it is based on; `also_changed` and `created` as in `Correction`."""

    verdict: Verdict
    detail: str
    stops_the_run: bool = False
    also_changed: tuple[str, ...] = ()
    created: str | None = None


def aimsio_reply(result: ImportResult, *, creates: bool) -> Reply:
    """Aimsio's answer with status 200, which counts objects and does not identify them."""
    counts = (
        f"Aimsio: created {result.created}, edited {result.edited}, with errors {result.edited_with_errors}, "
        f"not imported {result.not_imported}"
    )
    notices = f"; {dump(result.notices)[:200]}" if result.notices else ""
    unexpected = ""
    if creates and (result.edited or result.edited_with_errors):
        unexpected = "the creation edited an object: find out which"
    elif result.created > creates:
        unexpected = "more was created than asked for: find it and make it internal"
    clean = result.is_clean_create if creates else result.is_clean_edit
    did_something = result.imported or result.created or result.edited or result.edited_with_errors
    return Reply(
        answered=True,
        may_resend=clean,
        detail=counts + notices,
        refused=bool(result.not_imported) and not did_something,
        unexpected=unexpected,
        status=200,
        digest=digest(result.text),
    )


def jobnimbus_reply(answer: Answer) -> Reply:
    """JobNimbus's answer with status 200, which may have no body: only a read shows more."""
    detail = "JobNimbus: answered 200"
    return Reply(answered=True, may_resend=True, detail=detail, status=answer.status, digest=digest(answer.text))


def failed_reply(error: ApiError | StoreError) -> Reply:
    """No answer, or one that is not a success. A 5xx may come from a gateway while the vendor is still working.

    Where our own files failed (`StoreError`), it is open whether the request was sent.
    """
    status = error.status if isinstance(error, ApiError) else None
    refused = status is not None and 400 <= status < 500 and status not in _MAY_STILL_TAKE_EFFECT
    is_open = isinstance(error, (TimedOut, Unreachable, BadAnswer, StoreError))
    return Reply(answered=False, may_resend=is_open, detail=str(error), refused=refused, status=status)


def unmet(change: Change, found: Mapping[str, Any]) -> tuple[str, ...]:
    """The planned fields that are not as planned."""
    return tuple(name for name, value in change.after.items() if not matches(name, value, found.get(name)))


def after_edit(correction: Correction, text: str) -> Conclusion:
    """The conclusion from a fresh read after an edit, and the answer.

    Only the before-image itself, to the byte, proves that nothing was applied: equal values with a later time of change
    were set back by somebody, and sending again would overwrite that edit.
    """
    change, reply = correction.change, correction.reply
    found = parse(text, change.object_id)
    wrong = unmet(change, found)
    others = unplanned_changes(change.before, found, change.after)
    off = _wrong_amounts(change, found)
    words = f" ({reply.detail})" if reply else ""
    if reply and reply.unexpected:
        verdict = Verdict.CONFLICT if wrong else Verdict.SIDE_EFFECT
        return Conclusion(verdict, f"{reply.unexpected}{words}", stops_the_run=True, also_changed=others)
    if not wrong and not others and not off:
        return Conclusion(Verdict.VERIFIED, f"{READ_BACK}{'' if reply and reply.may_resend else words}")
    if not wrong:
        also = ", ".join((*others, *(f"{name} is {found.get(name)}, expected {due}" for name, due in off.items())))
        return Conclusion(Verdict.SIDE_EFFECT, f"as planned, but also changed: {also}", also_changed=(*others, *off))
    if digest(text) == change.before_digest:
        return Conclusion(Verdict.NOT_APPLIED, f"still as before{words}")
    what = (
        "neither as before nor as planned"
        if unplanned_changes(change.before, found, ())
        else "set back by somebody else"
    )
    return Conclusion(Verdict.CONFLICT, f"{what}: {', '.join((*wrong, *others))}{words}")


def missing_after_edit(correction: Correction, error: NotThere) -> Conclusion:
    """The conclusion where an object is missing after an edit: right after a deactivation, and after nothing else."""
    if correction.change.operation_type.deletes:
        return Conclusion(Verdict.VERIFIED, "answered 404 since: it is deleted, as JobNimbus shows it")
    return Conclusion(Verdict.CONFLICT, f"gone after the edit was sent: {error}")


def after_creation(correction: Correction, ids: list[str], found: Mapping[str, Any] | None) -> Conclusion:
    """The conclusion from a search for a creation's key, and the fresh read of the object if it found one."""
    change, reply = correction.change, correction.reply
    words = f" ({reply.detail})" if reply else ""
    if len(ids) > 1:
        detail = f"{len(ids)} objects have this key: {', '.join(ids)}{words}"
        return Conclusion(Verdict.CONFLICT, detail, stops_the_run=True)
    if found is None:
        if reply and reply.refused:
            return Conclusion(Verdict.NOT_APPLIED, f"refused, and not there{words}")
        return Conclusion(Verdict.UNKNOWN, f"not found, and never sent again{words}", stops_the_run=True)
    wrong, off = unmet(change, found), _wrong_amounts(change, found)
    if reply and reply.unexpected:
        return Conclusion(Verdict.CONFLICT, f"{reply.unexpected}{words}", stops_the_run=True, created=ids[0])
    if wrong or off:
        fields = ", ".join((*wrong, *(f"{name} is {found.get(name)}, expected {due}" for name, due in off.items())))
        detail = f"created as {ids[0]}, but not as planned: {fields}"
        return Conclusion(Verdict.SIDE_EFFECT, detail, also_changed=(*wrong, *off), created=ids[0])
    return Conclusion(Verdict.VERIFIED, f"created as {ids[0]}, {READ_BACK}", created=ids[0])


def _wrong_amounts(change: Change, found: Mapping[str, Any]) -> dict[str, Any]:
    """The amounts that the vendor computed differently than expected."""
    return {name: due for name, due in change.expected.items() if amount(found.get(name)) != due}
