"""From books to bodies: one job's NRBs and invoices with the names, units and types of the vendors' single reads.

Aimsio: money as strings, times in milliseconds. JobNimbus: money as numbers, times in seconds, a calendar day as
midnight in the account's zone. Not here: any choice of content.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from decimal import Decimal
from math import nextafter
from zoneinfo import ZoneInfo

from auditkit.sandbox.dataset_books import TIMEZONE, Invoice, Job, Line, Nrb
from auditkit.sandbox.dataset_catalog import AUTHORS, REPRESENTATIVES, fixed_guid
from auditkit.sandbox.world import Body

__all__ = ["invoice_bodies", "nrb_bodies"]

_EPOCH = date(1970, 1, 1).toordinal()
# Only 4 = Closed is on the vendor's page.
_STATUS_CODES = {"Draft": 1, "Sent": 2, "Open": 2, "Paid": 3, "Closed": 4, "Void": 5, "Cancelled": 6}
_ENTERED_AT = 17 * 3600  # seconds after 00:00 UTC: mid-morning in the account's zone
_INVOICE_DATE_AT = 10 * 3600 + 1800  # where Aimsio keeps the time of an invoice's day: 10:30 UTC


def nrb_bodies(job: Job) -> Iterator[Body]:
    """Aimsio's bodies; a receipt holds its children whole, and each child is also a record of its own."""
    by_guid = {nrb.guid: nrb for nrb in job.nrbs}
    for nrb in job.nrbs:
        parent = by_guid[nrb.parent] if nrb.parent else None
        children = [_nrb_body(job, by_guid[guid], nrb, []) for guid in nrb.children]
        yield _nrb_body(job, nrb, parent, children)


def invoice_bodies(job: Job) -> Iterator[Body]:
    """JobNimbus's bodies."""
    return (_invoice_body(job, invoice) for invoice in job.invoices)


def _milliseconds(day: date, second: int) -> int:
    return ((day.toordinal() - _EPOCH) * 86_400 + second) * 1000


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), ZoneInfo(TIMEZONE)).timestamp())


def _thousandths(figure: Decimal) -> str:
    return f"{figure:.3f}"


def _nrb_body(job: Job, nrb: Nrb, parent: Nrb | None, children: list[Body]) -> Body:
    user, full_name = AUTHORS[nrb.author]
    document = "RECEIPT_AP_INVOICE" if nrb.children else "RECEIPT_PACKING_SLIP" if parent else "RECEIPT_FIELD_TICKET"
    mark = nrb.mark
    body: Body = {
        "nrbGuid": nrb.guid,
        "nrbExternalId": nrb.external_id,
        "nrbOriginReference": nrb.origin_reference,
        "nrbJobOrderNumber": job.number,
        "nrbWBSGuid": fixed_guid(nrb.wbs) if nrb.wbs else None,
        "nrbWBSSharedIdentifier": nrb.wbs,
        "nrbPONumber": nrb.po_number,
        "nrbPurchaseOrderGuid": fixed_guid(nrb.po_number) if nrb.po_number else None,
        "nrbPurchaseOrderCostItemOriginReference": None,
        "nrbInvoiceNumber": nrb.vendor_invoice_number,
        "nrbInvoiceDate": _milliseconds(nrb.day, _INVOICE_DATE_AT),
        "nrbName": nrb.vendor.trade if nrb.external_id else None,
        "nrbTypeUname": f"{nrb.vendor.trade.lower().replace(' ', '_')}_nrb_type",
        "nrbTypeName": nrb.vendor.trade,
        "nrbDocumentType": document,
        "nrbAccountType": nrb.account_type,
        "nrbIsBillable": nrb.billable,
        "nrbVendorGuid": fixed_guid(nrb.vendor.code),
        "nrbVendorCode": nrb.vendor.code,
        "nrbRate": _thousandths(nrb.rate),
        "nrbQuantity": _thousandths(nrb.quantity),
        "nrbVendorTax": _thousandths(nrb.tax),
        "nrbUpcharge": _thousandths(nrb.upcharge),
        "nrbMarkupAppliesOn": nrb.vendor.applies_on,
        "nrbTotalAfterMarkup": f"{nrb.total:.2f}",
        "nrbIsExported": nrb.exported,
        "isInternal": nrb.internal,
        "nrbShouldReconcileWithPO": nrb.reconciles_with_po,
        "nrbBilledInGuid": mark.guid if mark else None,
        "nrbBilledInName": mark.name if mark else None,
        "nrbFileName": None if parent else f"{nrb.guid[:8]}.pdf",
        "nrbNotes": f"{nrb.vendor.trade} for {job.number}",
        "nrbCreatedAt": _milliseconds(nrb.created, _ENTERED_AT),
        "nrbCreatedByUserName": user,
        "nrbCreatedByFullName": full_name,
        "nrbUpdatedAt": _milliseconds(nrb.updated, _ENTERED_AT + 3600),
        "nrbLineItems": [],
        "nrbParentGuid": parent.guid if parent else None,
        "nrbParentExternalId": parent.external_id if parent else None,
        "nrbChildren": children,
    }
    return {**body, **dict(nrb.malformed)}


def _number(figure: Decimal) -> int | Decimal:
    return int(figure) if figure == figure.to_integral_value() else figure.quantize(Decimal("0.01"))


def _noisy(figure: Decimal) -> int | Decimal:
    """As written by a program that adds binary floats: 103.34999999999999 for 103.35."""
    exact = _number(figure)
    return exact if isinstance(exact, int) else Decimal(repr(nextafter(float(exact), 0)))


def _seconds(day: date, hour: int) -> int:
    return _midnight(day) + hour * 3600


def _invoice_body(job: Job, invoice: Invoice) -> Body:
    figures = invoice.figures
    number = _noisy if invoice.has_float_noise else _number
    representative, representative_name = REPRESENTATIVES[invoice.recid % len(REPRESENTATIVES)]
    cost = sum((line.cost for line in invoice.lines), Decimal(0))
    margin = int((figures.subtotal - cost) * 100 / figures.subtotal) if figures.subtotal else 0
    body: Body = {
        "type": "invoice",
        "external_id": invoice.external_id,
        "guid": invoice.guid,
        "merged": None,
        "class_id": None,
        "class_name": None,
        "supplier": None,
        "recid": invoice.recid,
        "attachment_id": None,
        "customer": job.contact_id,
        "created_by": "system_qbo" if invoice.external_id else representative,
        "created_by_name": "QuickBooks" if invoice.external_id else representative_name,
        "date_created": _seconds(invoice.day, 9),
        "date_updated": _seconds(invoice.updated, 16),
        "esigned": False,
        "is_active": None if invoice.is_active_lost else invoice.state != "void" or invoice.is_void_by_status,
        "is_archived": invoice.is_archived,
        "related": _related(job, invoice),
        "status": _STATUS_CODES[invoice.status_name],
        "status_name": invoice.status_name,
        "number": invoice.number,
        "location": {"id": 1},
        "subtotal": number(figures.subtotal),
        "margin": 0 if invoice.cost_is_lost else margin,
        "tax": number(figures.tax),
        "total": number(figures.total),
        "cost": 0 if invoice.cost_is_lost else _number(cost),
        "total_paid": _number(figures.paid),
        "due": _number(figures.due),
        "terms": f"Net {invoice.client.terms_days}",
        "note": "",
        "date_due": _midnight(invoice.due_day),
        "date_invoice": _midnight(invoice.day),
        "date_status_change": _seconds(invoice.changed, 15),
        "date_paid_in_full": _seconds(invoice.changed, 15) if invoice.paid_share == 1 else 0,
        "items": [_item_body(line, invoice, number) for line in invoice.lines],
        "sections": [],
        "payments": [_payment_body(invoice, figures.paid)] if figures.paid else [],
        "owners": [{"id": representative}],
        "sales_rep": representative,
        "sales_rep_name": representative_name,
        "jnid": invoice.jnid,
        "internal_note": "",
        "template_id": "template-progress",
        "first_payment_date": _seconds(invoice.changed, 15) if figures.paid else None,
        "version": None,
        "duplicate_from_id": None,
    }
    return {**body, **dict(invoice.malformed)}


def _related(job: Job, invoice: Invoice) -> list[Body]:
    contact = {
        "id": job.contact_id,
        "name": f"{job.client.name} ({job.client.code})",
        "number": str(1000 + int(job.client.code[-2:])),
        "type": "contact",
        "email": None,
        "subject": None,
    }
    project = {
        "id": job.jobnimbus_id,
        "name": job.jobnimbus_name,
        "number": job.jobnimbus_number,
        "type": "job",
        "email": None,
        "subject": None,
    }
    return [project, contact] if invoice.has_job else [contact]


def _payment_body(invoice: Invoice, paid: Decimal) -> Body:
    """The vendor's page shows no payment; these names are invented."""
    return {
        "jnid": f"p{invoice.jnid}",
        "amount": _number(paid),
        "date_payment": _seconds(invoice.changed, 15),
        "method_name": "Bank transfer",
    }


def _item_body(line: Line, invoice: Invoice, number: Callable[[Decimal], int | Decimal]) -> Body:
    tax_rate = 5 if invoice.client.is_taxed else 0
    tax_name = "GST" if tax_rate else None
    return {
        "quickbooksId": None,
        "showGroupTotal": None,
        "addMarkup": None,
        "addMarkupIsExcluded": None,
        "photos": [],
        "jnid": line.jnid,
        "name": line.name,
        "uom": line.uom,
        "item_type": line.item_type,
        "description": line.description,
        "quantity": _number(line.quantity),
        "price": number(line.price),
        "preSurchargePrice": None,
        "cost": _number(line.cost),
        "amount": number(line.amount),
        "tax_couch_id": None,
        "tax_name": tax_name,
        "tax_rate": tax_rate,
        "labor": {
            "quickbooksId": None,
            "price": 0,
            "preSurchargePrice": None,
            "cost": 0,
            "addMarkup": None,
            "addMarkupIsExcluded": None,
            "amount": 0,
            "tax_couch_id": None,
            "tax_name": None,
            "tax_rate": 0,
        },
        "sku": None,
        "color": None,
        "category": None,
    }
