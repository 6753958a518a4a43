"""create-invoice: make an invoice."""

from typing import ClassVar

from auditkit.corrections.operations.base import Reversal, Subject, Values
from auditkit.corrections.operations.invoice import EDITABLE_FIELDS, InvoiceOperation
from auditkit.vendors.bodies import NewInvoice

__all__ = ["CreateInvoice"]

REMAINS = (
    "the NRBs that the lines of a deactivated invoice name are nrb-billed-on-void then, and no longer proposed for"
    " billing: look for them on other invoices first; to bill them, activate the invoice again, or put lines with their"
    " references on another one of the job"
)


class CreateInvoice(InvoiceOperation):
    """Make an invoice, under a key of its own."""

    name = "create-invoice"
    creates = True
    charges = "adds"
    model = NewInvoice
    constants: ClassVar[Values] = {"type": "invoice", "is_active": True}
    fields = EDITABLE_FIELDS | {"type", "status", "related", "customer"}

    def totals_before(self, change: Subject) -> Values:  # noqa: ARG002  a new invoice has none
        """Nothing, of subtotal and total; what is due on a new invoice is JobNimbus's to say."""
        return dict.fromkeys(("subtotal", "total"), 0)

    def undo(self, change: Subject, also_changed: tuple[str, ...]) -> Reversal:
        """Deactivated, which JobNimbus calls deleting."""
        precondition = {name: value for name, value in change.after.items() if name not in also_changed}
        return Reversal("deactivate-invoice", {"is_active": False}, precondition, REMAINS)
