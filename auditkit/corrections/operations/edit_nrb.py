"""edit-nrb: set fields of an NRB."""

from auditkit.corrections.operations.base import Reversal, Subject
from auditkit.corrections.operations.nrb import NrbOperation

__all__ = ["EditNrb"]


class EditNrb(NrbOperation):
    """Set fields of an NRB: exported, class, billable, markup, PO, WBS, job, vendor, notes …"""

    name = "edit-nrb"

    def undo(self, change: Subject, also_changed: tuple[str, ...]) -> Reversal:
        """Back to the values before; fields that the edit emptied by the way are filled again while they are empty."""
        emptied = dict.fromkeys(name for name in also_changed if name in self.fields)
        values = {name: change.before.get(name) for name in (*change.after, *emptied)}
        return Reversal(self.name, values, {**emptied, **change.after})
