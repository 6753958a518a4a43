"""The fields of an NRB, in the order and with the types of Aimsio's page: one table for requests, answers and OpenAPI.

A type that only a sample shows counts as documented: null, and nrbVendorTax as text. Which fields are required holds
for new NRBs alone, because an edit sends only what it changes, so it is in the descriptions and not in the schema.

Not here: whether a job, vendor or key exists; that takes the state.
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
    "IMPORT",
    "LENIENT_IMPORT",
    "NRB_CREATION_NEEDS",
    "NRB_FIELDS",
    "NRB_NUMBERS",
    "NRB_READ_ONLY",
    "NRB_REQUIRED",
    "NRB_WRITABLE",
]

_REQUIRED = "Required for a new NRB."
_MILLISECONDS: Schema = described(
    {"type": ["integer", "null"], "minimum": 0, "maximum": 253_402_300_799_999}, "Epoch milliseconds."
)


def _read_only(schema: Schema) -> Schema:
    return {**schema, "readOnly": True}


NRB_FIELDS: Mapping[str, Schema] = {
    "nrbGuid": described(TEXT, "Made by Aimsio; a request names an existing NRB by it."),
    "nrbExternalId": described(TEXT, "Recommended to identify a new or existing NRB."),
    "nrbOriginReference": described(TEXT, "May identify a new or existing NRB."),
    "nrbJobOrderNumber": described(TEXT, f"{_REQUIRED} An existing job number."),
    "nrbWBSGuid": _read_only(TEXT),
    "nrbWBSSharedIdentifier": described(TEXT, "A WBS shared identifier under the NRB's job."),
    "nrbPONumber": TEXT,
    "nrbPurchaseOrderGuid": _read_only(TEXT),
    "nrbPurchaseOrderCostItemOriginReference": _read_only(TEXT),
    "nrbInvoiceNumber": described(TEXT, "The vendor's invoice number."),
    "nrbInvoiceDate": _MILLISECONDS,
    "nrbName": TEXT,
    "nrbTypeUname": described(TEXT, "A new NRB needs nrbTypeUname or nrbTypeName."),
    "nrbTypeName": described(TEXT, "A new NRB needs nrbTypeUname or nrbTypeName."),
    "nrbDocumentType": enum("RECEIPT_AP_INVOICE", "RECEIPT_PACKING_SLIP", "RECEIPT_FIELD_TICKET", "RECEIPT_BOL", None),
    "nrbAccountType": described(enum("Billable", "Not Billable", None), _REQUIRED),
    "nrbIsBillable": described(FLAG, _REQUIRED),
    "nrbVendorGuid": _read_only(TEXT),
    "nrbVendorCode": described(TEXT, f"{_REQUIRED} An existing company code that is not a client's."),
    "nrbRate": described(NUMBER, _REQUIRED),
    "nrbQuantity": described(NUMBER, _REQUIRED),
    "nrbVendorTax": described(NUMBER_OR_TEXT, "A number in the page's table, text in its sample."),
    "nrbUpcharge": described(NUMBER, "Markup in percent."),
    "nrbMarkupAppliesOn": enum("SUB_TOTAL", "SUB_TOTAL_AND_VENDOR_TAX", None),
    "nrbTotalAfterMarkup": _read_only(NUMBER),
    "nrbIsExported": FLAG,
    "isInternal": FLAG,
    "nrbShouldReconcileWithPO": described(FLAG, "If true, nrbExternalId and nrbPONumber are required."),
    "nrbBilledInGuid": _read_only(TEXT),
    "nrbBilledInName": _read_only(TEXT),
    "nrbFileName": TEXT,
    "nrbNotes": TEXT,
    "nrbCreatedAt": _read_only(_MILLISECONDS),
    "nrbCreatedByUserName": _read_only(TEXT),
    "nrbCreatedByFullName": _read_only(TEXT),
    "nrbUpdatedAt": _read_only(_MILLISECONDS),
    "nrbLineItems": _read_only(array(ANYTHING, is_nullable=True)),
    "nrbParentGuid": _read_only(described(TEXT, "The parent's guid, if this is a child.")),
    "nrbParentExternalId": _read_only(described(TEXT, "The parent's external id, if this is a child.")),
    "nrbChildren": described(
        array(ANYTHING, is_nullable=True), "Only of a RECEIPT_AP_INVOICE; none of them is a RECEIPT_AP_INVOICE."
    ),
}
NRB_READ_ONLY = tuple(name for name, schema in NRB_FIELDS.items() if schema.get("readOnly"))
NRB_WRITABLE = tuple(name for name in NRB_FIELDS if name not in (*NRB_READ_ONLY, "nrbGuid", "nrbChildren"))
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
# The page's required fields, except the two that are null in its own sample, and except the type's name, which its
# uname replaces.
NRB_CREATION_NEEDS = tuple(name for name in NRB_REQUIRED if name not in ("nrbExternalId", "nrbName", "nrbTypeName"))

_SENT = {name: schema for name, schema in NRB_FIELDS.items() if name not in NRB_READ_ONLY}
_NO_CHILDREN: Schema = {**array(ANYTHING, is_nullable=True), "maxItems": 0}
_CHILD = record("ChildNrbToSave", {**_SENT, "nrbChildren": _NO_CHILDREN})
_NRB = record("NrbToSave", {**_SENT, "nrbChildren": {**NRB_FIELDS["nrbChildren"], "items": _CHILD}})
IMPORT = record("NrbListToSave", {"nrbList": array(_NRB)}, required=["nrbList"])
LENIENT_IMPORT = lenient(IMPORT)
