"""Taking back what a plan did: drafts of the opposite, from the before-images in the journal.

An undo is a plan like any other: it is previewed, approved by a second person and applied. What somebody has changed
since is left alone; fields that an edit emptied, though nobody asked, are filled again while they are empty. An invoice
that was created is deactivated; an NRB that was created cannot be deleted, so it is made internal and not billable.

Not here: reading the objects and making the plan (planner).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from auditkit.corrections.operations import KINDS, OperationName
from auditkit.corrections.plan import LeftOut
from auditkit.corrections.planning import ChangeRequest
from auditkit.corrections.tracking import Correction, Verdict, corrections
from auditkit.errors import PlanError
from auditkit.journal import Journal

__all__ = ["OF_INVOICE", "OF_NRB", "conditions", "undone"]

LEAST_DIGITS = 6
_TOOK_EFFECT = (Verdict.VERIFIED, Verdict.SIDE_EFFECT, Verdict.ALREADY)

OF_NRB = (
    "a created NRB cannot be deleted over the API: it is made internal and not billable instead, and stays a finding of"
    " nrb-unexported until it is marked exported or accepted"
)
OF_INVOICE = (
    "the NRBs that the lines of a deactivated invoice name are nrb-billed-on-void then, and no longer proposed for"
    " billing: to bill them, activate the invoice again, or put lines with their references on another one of the job"
)


def undone(plan: str, journal: Journal, saved: Iterable[str] = ()) -> list[ChangeRequest | LeftOut]:
    """What would take a plan back, the last change first; `plan` is its digest, or the digest's beginning.

    `saved` are the beginnings of digests of plans that there are. `PlanError` where the journal knows no such plan, or
    several.
    """
    known = list(corrections(journal).values())
    digests = sorted({correction.plan for correction in known if correction.plan.startswith(plan)})
    if len(plan) >= LEAST_DIGITS and not digests and any(name.startswith(plan[: len(name)]) for name in saved):
        raise PlanError(f"plan {plan[:12]} was never applied: nothing to undo")
    if len(digests) != 1 or len(plan) < LEAST_DIGITS:
        found = f"{len(digests)} plans" if digests else "no plan"
        raise PlanError(
            f"{plan}: the journal knows {found} of that name; give at least {LEAST_DIGITS} digits of one that was"
            " applied"
        )
    undoings = {each.change.reason: each for each in known if each.verdict in _TOOK_EFFECT}
    return [
        each
        for correction in reversed(known)
        if correction.plan == digests[0]
        for each in _undone(correction, _taken_back(correction, undoings))
    ]


def conditions(drafts: Sequence[ChangeRequest | LeftOut]) -> tuple[str, ...]:
    """What is left behind where something that was created is taken back, and people must know."""
    said = ((_INTERNAL, OF_NRB), (_INACTIVE, OF_INVOICE))
    made = [each for each in drafts if isinstance(each, ChangeRequest)]
    return tuple(condition for values, condition in said if any(each.values is values for each in made))


def _taken_back(correction: Correction, undoings: Mapping[str, Correction]) -> Correction | None:
    """What took an correction back and was not taken back itself, if there is such."""
    undoing = undoings.get(_reason(correction))
    return None if undoing is None or _taken_back(undoing, undoings) else undoing


def _reason(correction: Correction) -> str:
    return f"undo of {correction.id}"


def _undone(correction: Correction, undoing: Correction | None) -> Iterator[ChangeRequest | LeftOut]:
    change, verdict = correction.change, correction.verdict
    reason = _reason(correction)
    if undoing:
        yield LeftOut(change.object_id, f"was undone already, by plan {undoing.plan[:12]}")
    elif verdict is None or verdict in (Verdict.UNKNOWN, Verdict.CONFLICT, Verdict.SETTLED):
        yield LeftOut(change.object_id, f"how it ended is {verdict or 'not known'}: look at it")
    elif verdict not in (Verdict.VERIFIED, Verdict.SIDE_EFFECT):
        return
    elif change.kind.creates:
        # What came out otherwise than planned has no value of ours to hold it against.
        expected = {name: value for name, value in change.after.items() if name not in correction.also_changed}
        edit, opposite = _UNDO_OF_CREATION[change.system]
        yield ChangeRequest(edit, correction.created or "", opposite, reason, expected=expected, is_undo=True)
    else:
        edit = "edit-nrb" if change.system == "aimsio" else "edit-invoice"
        emptied = dict.fromkeys(name for name in correction.also_changed if name in KINDS[edit].fields)
        values = {name: change.before.get(name) for name in (*change.after, *emptied)}
        if "items" in values:  # without their amounts, which the vendor computes anew
            values["items"] = [
                {name: value for name, value in item.items() if name != "amount"} for item in values["items"] or []
            ]
        yield ChangeRequest(edit, change.object_id, values, reason, expected={**emptied, **change.after}, is_undo=True)


_INTERNAL = {"isInternal": True, "nrbIsBillable": False, "nrbAccountType": "Not Billable"}
_INACTIVE = {"is_active": False}
_UNDO_OF_CREATION: Mapping[str, tuple[OperationName, Mapping[str, Any]]] = {
    "aimsio": ("edit-nrb", _INTERNAL),
    "jobnimbus": ("deactivate-invoice", _INACTIVE),
}
