"""What a request may hold, as JSON Schema: the server checks bodies against it and the OpenAPI document shows it.

One table for both, so that the document cannot promise what the server does not do. `mistake` knows just the
keywords used here.

Not here: whether a job, vendor or key exists; that takes the state.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import NoneType

from auditkit.sandbox.wire import Body, Json

__all__ = [
    "FILTER",
    "IMPORT",
    "INVOICE",
    "INVOICE_CHANGES",
    "NRB",
    "NRB_CREATION_NEEDS",
    "NRB_NUMBERS",
    "NRB_READ_ONLY",
    "NRB_REQUIRED",
    "NRB_WRITABLE",
    "Schema",
    "mistake",
]

Schema = Mapping[str, Json]

_BIG = 999_999_999_999
_TEXT: Schema = {"type": ["string", "null"]}
_FLAG: Schema = {"type": ["boolean", "null"]}
_NUMBER: Schema = {
    "type": ["number", "string", "null"],
    "minimum": -_BIG,
    "maximum": _BIG,
    "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$",
}
_MILLISECONDS: Schema = {"type": ["integer", "null"], "minimum": 0, "maximum": 253_402_300_799_999}
_SECONDS: Schema = {"type": ["integer", "null"], "minimum": 0, "maximum": 253_402_300_799}

NRB_WRITABLE: Mapping[str, Schema] = {
    "nrbExternalId": _TEXT,
    "nrbOriginReference": _TEXT,
    "nrbJobOrderNumber": _TEXT,
    "nrbWBSSharedIdentifier": _TEXT,
    "nrbPONumber": _TEXT,
    "nrbInvoiceNumber": _TEXT,
    "nrbInvoiceDate": _MILLISECONDS,
    "nrbName": _TEXT,
    "nrbTypeUname": _TEXT,
    "nrbTypeName": _TEXT,
    "nrbDocumentType": {
        "enum": ["RECEIPT_AP_INVOICE", "RECEIPT_PACKING_SLIP", "RECEIPT_FIELD_TICKET", "RECEIPT_BOL", None]
    },
    "nrbAccountType": {"enum": ["Billable", "Not Billable", None]},
    "nrbIsBillable": _FLAG,
    "nrbVendorCode": _TEXT,
    "nrbRate": _NUMBER,
    "nrbQuantity": _NUMBER,
    "nrbVendorTax": _NUMBER,
    "nrbUpcharge": _NUMBER,
    "nrbMarkupAppliesOn": {"enum": ["SUB_TOTAL", "SUB_TOTAL_AND_VENDOR_TAX", None]},
    "nrbIsExported": _FLAG,
    "isInternal": _FLAG,
    "nrbShouldReconcileWithPO": _FLAG,
    "nrbFileName": _TEXT,
    "nrbNotes": _TEXT,
}
NRB_READ_ONLY = (
    "nrbWBSGuid",
    "nrbPurchaseOrderGuid",
    "nrbPurchaseOrderCostItemOriginReference",
    "nrbVendorGuid",
    "nrbTotalAfterMarkup",
    "nrbBilledInGuid",
    "nrbBilledInName",
    "nrbCreatedAt",
    "nrbCreatedByUserName",
    "nrbCreatedByFullName",
    "nrbUpdatedAt",
    "nrbLineItems",
    "nrbParentGuid",
    "nrbParentExternalId",
)
NRB_NUMBERS = ("nrbRate", "nrbQuantity", "nrbVendorTax", "nrbUpcharge", "nrbTotalAfterMarkup")
NRB_REQUIRED = (
    "nrbExternalId",
    "nrbJobOrderNumber",
    "nrbName",
    "nrbTypeName",
    "nrbAccountType",
    "nrbIsBillable",
    "nrbVendorCode",
    "nrbRate",
    "nrbQuantity",
)
# The page's required fields, without the two that are null in its own sample, and without the type's name, for which
# its uname may stand.
NRB_CREATION_NEEDS = tuple(name for name in NRB_REQUIRED if name not in ("nrbExternalId", "nrbName", "nrbTypeName"))

_CHILD: Schema = {"type": "object", "properties": {"nrbGuid": _TEXT, **NRB_WRITABLE}}
NRB: Schema = {
    "type": "object",
    "properties": {
        "nrbGuid": _TEXT,
        **NRB_WRITABLE,
        "nrbChildren": {"type": ["array", "null"], "items": _CHILD},
    },
}
IMPORT: Schema = {
    "type": "object",
    "required": ["nrbList"],
    "properties": {"nrbList": {"type": "array", "items": NRB}},
}

_LABOR: Schema = {
    "type": ["object", "null"],
    "properties": {"price": _NUMBER, "cost": _NUMBER, "amount": _NUMBER, "tax_rate": _NUMBER},
}
_ITEM: Schema = {
    "type": "object",
    "properties": {
        "jnid": _TEXT,
        "name": _TEXT,
        "description": _TEXT,
        "uom": _TEXT,
        "item_type": _TEXT,
        "quantity": _NUMBER,
        "price": _NUMBER,
        "cost": _NUMBER,
        "tax_rate": _NUMBER,
        "labor": _LABOR,
        "sku": _TEXT,
        "color": _TEXT,
        "category": _TEXT,
        "tax_name": _TEXT,
        "photos": {"type": "array"},
    },
}
_RELATED: Schema = {
    "type": "object",
    "required": ["id", "type"],
    "properties": {"id": {"type": "string"}, "type": {"type": "string"}},
}
_INVOICE_FIELDS: Mapping[str, Schema] = {
    "type": {"enum": ["invoice"]},
    "jnid": {"type": "string"},
    "attachment_id": _TEXT,
    "cost": _NUMBER,
    "customer": _TEXT,
    "date_created": _SECONDS,
    "date_due": _SECONDS,
    "date_invoice": _SECONDS,
    "esigned": _FLAG,
    "external_id": _TEXT,
    "internal_note": _TEXT,
    "is_active": {"type": "boolean"},
    "is_archived": {"type": "boolean"},
    "items": {"type": "array", "items": _ITEM},
    "location": {"type": ["object", "null"]},
    "note": _TEXT,
    "number": _TEXT,
    "owners": {"type": "array", "items": {"type": "object"}},
    "related": {"type": "array", "items": _RELATED},
    "sales_rep": _TEXT,
    "sales_rep_name": _TEXT,
    "sections": {"type": "array"},
    "status": {"type": "integer", "minimum": 0, "maximum": 1_000_000},
    "tax": _NUMBER,
    "template_id": _TEXT,
    "terms": _TEXT,
}
INVOICE_CHANGES: Schema = {"type": "object", "properties": _INVOICE_FIELDS}
INVOICE: Schema = {**INVOICE_CHANGES, "required": ["is_active", "items", "related", "status", "type"]}

_BOUNDS: Schema = {
    "type": "object",
    "properties": {name: {"type": "integer", "minimum": 0, "maximum": 2**53} for name in ("gte", "gt", "lte", "lt")},
    "additionalProperties": False,
}
FILTER: Schema = {
    "type": "object",
    "required": ["must"],
    "properties": {
        "must": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["range"],
                "properties": {
                    "range": {
                        "type": "object",
                        "properties": {"date_updated": _BOUNDS, "date_created": _BOUNDS},
                        "additionalProperties": False,
                    }
                },
                "additionalProperties": False,
            },
        }
    },
    "additionalProperties": False,
}


def mistake(value: Json, schema: Schema, where: str) -> str | None:
    """The first way in which a value breaks its schema, as one line that names the place; None when it fits."""
    if "enum" in schema:
        fits = any(type(value) is type(option) and value == option for option in schema["enum"])
        return None if fits else f"{where}: expected one of {schema['enum']}"
    expected = schema.get("type", _ANYTHING)
    kinds = [expected] if isinstance(expected, str) else expected
    if _kind(value) not in kinds and not ("number" in kinds and _kind(value) == "integer"):
        return f"{where}: expected {' or '.join(kinds)}"
    match _kind(value):
        case "object":
            return _mistake_in_object(value, schema, where)
        case "array":
            return _first(mistake(item, schema.get("items", {}), f"{where}[{at}]") for at, item in enumerate(value))
        case "string":
            fits = "pattern" not in schema or re.fullmatch(schema["pattern"], value) is not None
        case "integer" | "number":
            fits = "minimum" not in schema or schema["minimum"] <= value <= schema["maximum"]
        case _:
            fits = True
    return None if fits else f"{where}: not digits such as 862.50, or out of range"


def _kind(value: Json) -> str:
    return next(kind for types, kind in _KINDS if isinstance(value, types))


_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "boolean"),  # before int, of which it is one in Python
    (int, "integer"),
    (Decimal, "number"),
    (str, "string"),
    (list, "array"),
    (dict, "object"),
    (NoneType, "null"),
)
_ANYTHING = [kind for _, kind in _KINDS]


def _first(mistakes: Iterable[str | None]) -> str | None:
    return next(filter(None, mistakes), None)


def _mistake_in_object(value: Body, schema: Schema, where: str) -> str | None:
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            return f"{where}: {name} is missing"
    if schema.get("additionalProperties", True) is False and not properties.keys() >= value.keys():
        return f"{where}: unknown {', '.join(sorted(value.keys() - properties.keys()))}"
    return _first(mistake(value[name], properties[name], f"{where}.{name}") for name in properties if name in value)
