"""What a remedy would do to the charges of costs: it must charge what it is for in full, and change no other cost.

A line that is added may be taken for another cost, a cost may be on an invoice by now, and a document that is voided
may be the only one that charges a cost. Each of these would charge the client twice or not at all, so the plan is
refused.

Not here: the audits before and after a plan (`preview.py`), and changes that a person chose, which are shown.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from auditkit.corrections.plan import Change

__all__ = ["can_change_charges", "changed_states", "objections"]

Row = Mapping[str, Any]
Rows = Mapping[str, Row]  # by guid, or findings by fingerprint


def can_change_charges(change: Change) -> bool:
    """Whether it is a rule's remedy that adds a charge or takes one away."""
    return bool(change.rule) and change.operation_type.charges is not None


def changed_states(before: Rows, after: Rows) -> list[Row]:
    """The costs whose state or charge differs, in the order of their guids."""
    nothing: Row = {"state": None, "carried": None}
    rows: list[Row] = []
    for guid in sorted(before.keys() | after.keys()):
        one, other = before.get(guid, nothing), after.get(guid, nothing)
        if (one["state"], one["carried"]) != (other["state"], other["carried"]):
            shown = {"guid": guid, "job_number": (after.get(guid) or before[guid])["job_number"]}
            shown |= {"before": one["state"], "after": other["state"]}
            rows.append({**shown, "carried_before": one["carried"], "carried_after": other["carried"]})
    return rows


def objections(
    changes: Sequence[Change], findings: Rows, before: Rows, after: Rows, tolerance: Decimal = Decimal(0)
) -> list[str]:
    """Why these changes must not be made, in words; empty for changes that no remedy of a charge is among.

    `findings` are those that are open before; `before` and `after` are the costs (`queries/remedies/charges`).
    """
    if not any(map(can_change_charges, changes)):
        return []
    meant, found = set[str](), list[str]()
    for change in changes:
        if can_change_charges(change) and change.operation_type.charges == "adds":
            meant |= {findings[each]["subject_id"] for each in change.findings if each in findings}
            found += [f"exception {each[:8]} is not open any more" for each in change.findings if each not in findings]
    found += [
        f"{guid} would be {after[guid]['state']} with {after[guid]['carried']:,.2f} of {after[guid]['total']:,.2f},"
        " not billed in full"
        for guid in sorted(meant)
        if not _in_full(after[guid], tolerance)
    ]
    own = {change.object_id for change in changes}
    voided = {each.object_id for each in changes if can_change_charges(each) and each.operation_type.charges == "voids"}
    for row in changed_states(before, after):
        guid, now = row["guid"], after.get(row["guid"])
        is_own = guid in meant or guid in own or (now is not None and now["parent_guid"] in own)
        is_relieved = row["after"] == "billed_full" and guid in before and _had_a_copy(before[guid], voided)
        if not is_own and not is_relieved:
            found.append(
                f"{guid} (job {row['job_number']}) would change from {row['before']} with {row['carried_before']:,.2f}"
                f" to {row['after']} with {row['carried_after']:,.2f}"
            )
    return found


def _in_full(cost: Row, tolerance: Decimal) -> bool:
    """Whether the client is charged for all of it, or will be once the draft is issued."""
    left = Decimal(cost["total"]) - Decimal(cost["carried"])
    return cost["state"] == "billed_full" or (cost["state"] == "on_draft" and abs(left) <= tolerance)


def _had_a_copy(cost: Row, voided: set[str]) -> bool:
    """Whether a copy that is voided charged for the cost, or made it unclear which invoice its mark names."""
    return bool(voided & set(cost["invoices"]) or (voided and cost["state"] == "marked_several"))
