"""Taking back what a plan did: requests for the opposite, from the before-images in the journal.

An undo is a plan like any other: it is previewed, approved by a second person and applied. What somebody has changed
since is left alone. How each operation is taken back, its class says.

Not here: reading the objects and making the plan (planning).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from auditkit.corrections.plan import LeftOut
from auditkit.corrections.planning import ChangeRequest
from auditkit.corrections.tracking import Correction, Verdict, corrections
from auditkit.errors import PlanError
from auditkit.journal import Journal

__all__ = ["Undo", "undo"]

LEAST_DIGITS = 6
_TOOK_EFFECT = (Verdict.VERIFIED, Verdict.SIDE_EFFECT, Verdict.ALREADY)
_UNCLEAR = (None, Verdict.UNKNOWN, Verdict.CONFLICT, Verdict.SETTLED)


@dataclass(frozen=True)
class Undo:
    """The requests that take a plan back, and the `conditions` that people must know: what cannot be taken back."""

    requests: tuple[ChangeRequest | LeftOut, ...]
    conditions: tuple[str, ...]


def undo(plan: str, journal: Journal, saved: Iterable[str] = ()) -> Undo:
    """What takes a plan back, the last change first; `plan` is its digest, or the beginning of it.

    `saved` are the beginnings of the digests of saved plans. `PlanError` where the journal knows no such plan, or
    several.
    """
    known = list(corrections(journal).values())
    digest = _applied(plan, known, saved)
    undoings = {each.change.reason: each for each in known if each.verdict in _TOOK_EFFECT}
    found = [_undone(each, _undoing(each, undoings)) for each in reversed(known) if each.plan == digest]
    return Undo(
        tuple(request for request, _ in found if request is not None),
        tuple(dict.fromkeys(remains for _, remains in found if remains)),
    )


def _applied(plan: str, known: Iterable[Correction], saved: Iterable[str]) -> str:
    """The digest of the one applied plan whose digest begins so."""
    digests = sorted({correction.plan for correction in known if correction.plan.startswith(plan)})
    is_long_enough = len(plan) >= LEAST_DIGITS
    if is_long_enough and len(digests) == 1:
        return digests[0]
    if is_long_enough and not digests and any(name.startswith(plan[: len(name)]) for name in saved):
        raise PlanError(f"plan {plan[:12]} was never applied: nothing to undo")
    found = f"{len(digests)} plans" if digests else "no plan"
    raise PlanError(
        f"{plan}: the journal knows {found} of that name; give at least {LEAST_DIGITS} digits of one that was applied"
    )


def _undoing(correction: Correction, undoings: Mapping[str, Correction]) -> Correction | None:
    """The correction that took this one back and was not taken back itself, if there is one."""
    undoing = undoings.get(_reason(correction))
    return None if undoing is None or _undoing(undoing, undoings) else undoing


def _reason(correction: Correction) -> str:
    return f"undo of {correction.id}"


def _undone(correction: Correction, undoing: Correction | None) -> tuple[ChangeRequest | LeftOut | None, str]:
    """The request that takes a correction back, if it had an effect, and what it cannot take back."""
    change, verdict = correction.change, correction.verdict
    if undoing:
        return LeftOut(change.object_id, f"was undone already, by plan {undoing.plan[:12]}"), ""
    if verdict in _UNCLEAR:
        return LeftOut(change.object_id, f"how it ended is {verdict or 'not known'}: look at it"), ""
    if verdict not in (Verdict.VERIFIED, Verdict.SIDE_EFFECT):
        return None, ""
    reversal = change.operation_type.undo(change, correction.also_changed)
    request = ChangeRequest(
        reversal.operation,
        correction.created or change.object_id,
        reversal.values,
        _reason(correction),
        precondition=reversal.precondition,
        is_undo=True,
    )
    return request, reversal.remains
