"""create-nrb: make an NRB."""

from collections.abc import Iterator

from auditkit.corrections.operations.base import Reversal, Subject
from auditkit.corrections.operations.nrb import NrbOperation

__all__ = ["CreateNrb"]

REMAINS = (
    "a created NRB cannot be deleted over the API: it is made internal and not billable instead, and stays a finding of"
    " nrb-unexported until it is marked exported or accepted"
)


class CreateNrb(NrbOperation):
    """Make an NRB, under a key of its own."""

    name = "create-nrb"
    creates = True
    kept_fields = ()

    def problems(self, change: Subject) -> Iterator[str]:
        """A new NRB needs what Aimsio's page requires; it takes one without a name."""
        needed = (name for name in NrbOperation.kept_fields if name != "nrbName")
        if missing := [name for name in needed if change.after.get(name) is None]:
            yield f"a new NRB needs {', '.join(missing)}"

    def undo(self, change: Subject, also_changed: tuple[str, ...]) -> Reversal:
        """Internal and not billable, because Aimsio deletes nothing."""
        hidden = {"isInternal": True, "nrbIsBillable": False, "nrbAccountType": "Not Billable"}
        precondition = {name: value for name, value in change.after.items() if name not in also_changed}
        return Reversal("edit-nrb", hidden, precondition, REMAINS)
