"""The fields of an invoice, of its items and of what it is related to, as JobNimbus's page has them.

The page's table and its samples together are the documentation: several fields, and all of an item's, are in samples
alone. Of a field that is null wherever it is shown, the type is unknown, so none is refused. `long` is any number: the
samples hold amounts with cents.

Not here: what a write does to an invoice; that is `invoices.py`.
"""

from collections.abc import Mapping

from auditkit.sandbox.json_schema import (
    ANYTHING,
    FLAG,
    NUMBER,
    NUMBER_OR_TEXT,
    TEXT,
    Schema,
    array,
    described,
    enum,
    lenient,
    record,
)

__all__ = [
    "FILTER",
    "INVOICE",
    "INVOICE_CHANGES",
    "INVOICE_FIELDS",
    "INVOICE_REQUIRED",
    "LENIENT_INVOICE",
    "LENIENT_INVOICE_CHANGES",
]

_SECONDS: Schema = {"type": ["integer", "null"], "minimum": 0, "maximum": 253_402_300_799}
_INTEGER: Schema = {"type": ["integer", "null"], "minimum": -(2**53), "maximum": 2**53}
_ID: Schema = {"type": "string"}

_LABOR = record(
    "ItemLaborToSave",
    {
        "quickbooksId": TEXT,
        "price": NUMBER,
        "preSurchargePrice": NUMBER,
        "cost": NUMBER,
        "addMarkup": ANYTHING,
        "addMarkupIsExcluded": ANYTHING,
        "amount": NUMBER,
        "tax_couch_id": TEXT,
        "tax_name": TEXT,
        "tax_rate": NUMBER,
    },
)
_ITEM = record(
    "InvoiceItemToSave",
    {
        "quickbooksId": TEXT,
        "showGroupTotal": ANYTHING,
        "addMarkup": ANYTHING,
        "addMarkupIsExcluded": ANYTHING,
        "photos": array(ANYTHING),
        "jnid": TEXT,
        "name": TEXT,
        "uom": TEXT,
        "item_type": TEXT,
        "description": TEXT,
        "quantity": NUMBER,
        "price": NUMBER,
        "preSurchargePrice": NUMBER,
        "cost": NUMBER,
        "amount": NUMBER,
        "tax_couch_id": TEXT,
        "tax_name": TEXT,
        "tax_rate": NUMBER,
        "labor": {**_LABOR, "type": ["object", "null"]},
        "sku": TEXT,
        "color": TEXT,
        "category": TEXT,
    },
)
_RELATED = record(
    "RelatedRecordToSave",
    {"id": _ID, "name": TEXT, "number": TEXT, "type": {"type": "string"}, "email": TEXT, "subject": TEXT},
    required=["id", "type"],
)
_OWNER = record("OwnerToSave", {"id": _ID}, required=["id"])

INVOICE_FIELDS: Mapping[str, Schema] = {
    "attachment_id": described(TEXT, "jnid of the PDF file."),
    "class_id": ANYTHING,
    "class_name": ANYTHING,
    "cost": described(NUMBER, "Total cost of the invoice."),
    "created_by": described(TEXT, "ID of the creator."),
    "created_by_name": described(TEXT, "Name of the creator."),
    "customer": described(TEXT, "jnid of the customer."),
    "date_created": described(_SECONDS, "Epoch seconds."),
    "date_due": described(_SECONDS, "Epoch seconds."),
    "date_invoice": described(_SECONDS, "Epoch seconds."),
    "date_paid_in_full": described(_SECONDS, "Epoch seconds."),
    "date_status_change": described(_SECONDS, "Epoch seconds."),
    "date_updated": described(_SECONDS, "Epoch seconds."),
    "due": described(NUMBER, "Amount due."),
    "dummy_origin": described(TEXT, "In the page's sample of an update alone."),
    "dummy_status_name": described(TEXT, "In the page's sample of an update alone."),
    "duplicate_from_id": ANYTHING,
    "esigned": described(FLAG, "Whether the invoice is signed electronically."),
    "external_id": TEXT,
    "first_payment_date": described(_SECONDS, "Epoch seconds."),
    "guid": described(TEXT, "Globally unique identifier."),
    "internal_note": TEXT,
    "is_active": described({"type": "boolean"}, "False deletes the invoice."),
    "is_archived": {"type": "boolean"},
    "items": array(_ITEM),
    "jnid": described(_ID, "JobNimbus ID."),
    "location": described(
        {**array(ANYTHING), "type": ["object", "array", "null"]},
        "An object with the location's ID; an array in the page's table.",
    ),
    "margin": described(_INTEGER, "Profit margin."),
    "merged": ANYTHING,
    "note": TEXT,
    "number": described(TEXT, "Invoice number."),
    "owners": array(_OWNER),
    "payments": array(ANYTHING),
    "recid": described(_INTEGER, "Record ID."),
    "related": described(array(_RELATED), "The jobs and contacts of the invoice."),
    "sales_rep": described(TEXT, "ID of the sales representative."),
    "sales_rep_name": described(TEXT, "Name of the sales representative."),
    "sections": array(ANYTHING),
    "status": described({"type": "integer", "minimum": 0, "maximum": 1_000_000}, "Status code; 4 is Closed."),
    "status_name": TEXT,
    "subtotal": described(NUMBER_OR_TEXT, "Text in the page's table, a number in its samples."),
    "supplier": ANYTHING,
    "tax": described(NUMBER, "Tax amount."),
    "template_id": described(TEXT, "ID of the invoice's template."),
    "terms": TEXT,
    "total": described(NUMBER, "Total invoice amount."),
    "total_paid": described(NUMBER, "Total amount paid."),
    "type": described(enum("invoice"), "Always invoice."),
    "version": ANYTHING,
}
INVOICE_REQUIRED = ("is_active", "items", "related", "status", "type")
INVOICE = record("InvoiceToCreate", INVOICE_FIELDS, required=INVOICE_REQUIRED)
INVOICE_CHANGES = record("InvoiceToUpdate", INVOICE_FIELDS)
LENIENT_INVOICE = lenient(INVOICE)
LENIENT_INVOICE_CHANGES = lenient(INVOICE_CHANGES)

_BOUNDS = record(
    "FilterBounds", {name: {"type": "integer", "minimum": 0, "maximum": 2**53} for name in ("gte", "gt", "lte", "lt")}
)
_RANGE = record("FilterRange", {"date_updated": _BOUNDS, "date_created": _BOUNDS})
_TERM: Schema = {
    "title": "FilterTerm",
    "description": "A field, or a field of the objects in one as in related.id, and the value that it has.",
    "type": "object",
    "additionalProperties": {"type": ["string", "number", "boolean"]},
    "minProperties": 1,
    "maxProperties": 1,
}
_CONDITION: Schema = {
    **record("FilterCondition", {"range": _RANGE, "term": _TERM}),
    "minProperties": 1,
    "maxProperties": 1,
}
FILTER = record("Filter", {"must": array(_CONDITION)}, required=["must"])
