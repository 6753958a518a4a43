"""deactivate-invoice: what JobNimbus calls deleting."""

from collections.abc import Iterator
from typing import ClassVar

from auditkit.corrections.operations.base import Subject, Values
from auditkit.corrections.operations.invoice import InvoiceOperation

__all__ = ["DeactivateInvoice"]


class DeactivateInvoice(InvoiceOperation):
    """Void an invoice. JobNimbus may answer 404 for it afterwards."""

    name = "deactivate-invoice"
    fields = frozenset({"is_active"})
    deletes = True
    charges = "voids"
    constants: ClassVar[Values] = {"is_active": False}

    def problems(self, change: Subject) -> Iterator[str]:
        """Only off: edit-invoice activates one again."""
        if change.after["is_active"] is not False:
            yield "deactivate-invoice sets is_active to false; to undo it, use edit-invoice"
