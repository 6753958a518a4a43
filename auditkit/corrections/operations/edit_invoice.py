"""edit-invoice: set fields of an invoice."""

from auditkit.corrections.operations.invoice import EDITABLE_FIELDS, InvoiceOperation

__all__ = ["EditInvoice"]


class EditInvoice(InvoiceOperation):
    """Set external id, number, dates, lines, notes or terms of an invoice; set it active or void."""

    name = "edit-invoice"
    fields = EDITABLE_FIELDS
