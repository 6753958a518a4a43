"""The fields of every record that a vendor sends: one table per record, one row per field.

Everything that depends on a field follows from its row: the column and its comment (`warehouse/records.py`), how its
JSON is read, the fields that may be sent (`vendors/bodies.py`), and the page of tables in the manual. A new field of an
API is one new row.

Not here: how a value of a kind is read (`warehouse/reading.sql`), and what a field means to the audit.
"""

from dataclasses import dataclass
from enum import StrEnum

__all__ = [
    "INVOICE",
    "INVOICE_ITEM",
    "INVOICE_RELATED",
    "NRB",
    "NRB_VERSION",
    "RECORDS",
    "SQL_TYPES",
    "Access",
    "Column",
    "Field",
    "Kind",
    "Matters",
    "Record",
]


class Kind(StrEnum):
    """What the JSON of a field holds. `DATE_*` is a calendar day that the vendor sends as an instant."""

    TEXT = "text"
    MONEY = "money"
    QUANTITY = "quantity"
    CODE = "code"
    FLAG = "flag"
    INSTANT_MS = "instant_ms"
    INSTANT_S = "instant_s"
    DATE_MS = "date_ms"
    DATE_S = "date_s"
    LIST = "list"
    OBJECT = "object"


class Access(StrEnum):
    """Whether we may send a field; `REQUIRED` ones the vendor's page wants in every new record."""

    READ_ONLY = "read-only"
    WRITABLE = "writable"
    REQUIRED = "required"


class Matters(StrEnum):
    """What a field decides. Without its identity a record is quarantined; without its money the audit is incomplete.

    A field of `DECISION` decides on which job, invoice or side of the statement a record counts.
    """

    IDENTITY = "identity"
    MONEY = "money"
    DECISION = "decision"


@dataclass(frozen=True)
class Field:
    """One field as the vendor names it (`labor.price` is inside the object `labor`), and the columns made from it.

    An instant can have two columns: `column` holds the instant, `day` its calendar day. A list fills a `table` instead.
    A field with none of these is named on the vendor's page, and not read. `constant` is the only value we may send.
    """

    wire: str
    kind: Kind
    access: Access
    column: str | None = None
    meaning: str = ""
    day: str | None = None
    matters: Matters | None = None
    table: str | None = None
    constant: str | None = None

    @property
    def is_read(self) -> bool:
        """Whether a column or table is made from this field."""
        return bool(self.column or self.day or self.table)

    @property
    def columns(self) -> tuple["Column", ...]:
        """The columns made from this field, in their order."""
        meaning = f"{self.wire}: {self.meaning}" if self.meaning else self.wire
        if self.kind in (Kind.DATE_MS, Kind.DATE_S):
            whose = "as a calendar day"
        else:
            whose = "as a day in the account's time zone"
        day_meaning = f"{self.column} {whose}" if self.column else f"{meaning} {whose}"
        return (
            *((Column(self.column, SQL_TYPES[self.kind], meaning),) if self.column else ()),
            *((Column(self.day, "date", day_meaning),) if self.day else ()),
        )


@dataclass(frozen=True)
class Column:
    """One column of a public table: its name, SQL type and comment."""

    name: str
    type: str
    meaning: str


@dataclass(frozen=True)
class Record:
    """One record and its table: the rows are its fields, and the columns that the audit adds, in the table's order.

    `key` are the columns that say which record it is, before all others.
    """

    table: str
    holds: str
    key: tuple[Column, ...]
    rows: tuple[Field | Column, ...]

    @property
    def fields(self) -> tuple[Field, ...]:
        """The vendor's fields."""
        return tuple(row for row in self.rows if isinstance(row, Field))

    @property
    def names(self) -> frozenset[str]:
        """The fields that the vendor's page names."""
        return frozenset(field.wire for field in self.fields)

    @property
    def read_only(self) -> frozenset[str]:
        """The fields that may not be sent."""
        return frozenset(field.wire for field in self.fields if field.access is Access.READ_ONLY)

    @property
    def required(self) -> tuple[str, ...]:
        """The fields that the vendor's page wants in every new record."""
        return tuple(field.wire for field in self.fields if field.access is Access.REQUIRED)

    @property
    def columns(self) -> tuple[Column, ...]:
        """Every column of the table, in its order."""
        own = (row.columns if isinstance(row, Field) else (row,) for row in self.rows)
        return (*self.key, *(column for columns in own for column in columns))


SQL_TYPES = {
    Kind.TEXT: "varchar",
    Kind.MONEY: "decimal(18, 2)",
    Kind.QUANTITY: "decimal(24, 6)",
    Kind.CODE: "integer",
    Kind.FLAG: "boolean",
    **dict.fromkeys((Kind.INSTANT_MS, Kind.INSTANT_S, Kind.DATE_MS, Kind.DATE_S), "timestamptz"),
}

# Short names, so that a field fits on a line.
TEXT, MONEY, QUANTITY, CODE, FLAG = Kind.TEXT, Kind.MONEY, Kind.QUANTITY, Kind.CODE, Kind.FLAG
INSTANT_MS, INSTANT_S, DATE_MS, DATE_S = Kind.INSTANT_MS, Kind.INSTANT_S, Kind.DATE_MS, Kind.DATE_S
LIST, OBJECT = Kind.LIST, Kind.OBJECT
READ, SEND, NEED = Access.READ_ONLY, Access.WRITABLE, Access.REQUIRED
IDENTITY, AMOUNT, DECIDES = Matters.IDENTITY, Matters.MONEY, Matters.DECISION

# fmt: off
NRB = Record(
    "nrb",
    "One non-recurring billable item of Aimsio, parents and children alike. Money is summed over leaves only.",
    key=(),
    rows=(
        Field("nrbGuid", TEXT, SEND, "guid", matters=IDENTITY),
        Field("nrbExternalId", TEXT, NEED, "external_id", matters=DECIDES),
        Field("nrbOriginReference", TEXT, SEND, "origin_reference", matters=DECIDES),
        Field("nrbJobOrderNumber", TEXT, NEED, "job_number", matters=DECIDES),
        Field("nrbWBSGuid", TEXT, READ),
        Field("nrbWBSSharedIdentifier", TEXT, SEND, "wbs_identifier"),
        Field("nrbPONumber", TEXT, SEND, "po_number"),
        Field("nrbPurchaseOrderGuid", TEXT, READ),
        Field("nrbPurchaseOrderCostItemOriginReference", TEXT, READ),
        Field("nrbVendorGuid", TEXT, READ),
        Field("nrbInvoiceNumber", TEXT, SEND, "vendor_invoice_number", "the vendor's own invoice", matters=DECIDES),
        Field("nrbInvoiceDate", DATE_MS, SEND, day="vendor_invoice_date", matters=DECIDES),
        Field("nrbName", TEXT, NEED, "name"),
        Field("nrbTypeUname", TEXT, SEND),
        Field("nrbTypeName", TEXT, NEED, "type_name"),
        Field("nrbDocumentType", TEXT, SEND, "document_type"),
        Field("nrbAccountType", TEXT, NEED, "account_type", "Billable or Not Billable", matters=DECIDES),
        Field("nrbIsBillable", FLAG, NEED, "is_billable", matters=DECIDES),
        Field("nrbVendorCode", TEXT, NEED, "vendor_code"),
        Field("isInternal", FLAG, SEND, "is_internal", matters=DECIDES),
        Field("nrbIsExported", FLAG, SEND, "is_exported", "booked in the ledger", matters=DECIDES),
        Field("nrbShouldReconcileWithPO", FLAG, SEND, "should_reconcile_with_po"),
        Field("nrbRate", QUANTITY, NEED, "rate", matters=AMOUNT),
        Field("nrbQuantity", QUANTITY, NEED, "quantity", matters=AMOUNT),
        Field("nrbVendorTax", MONEY, SEND, "vendor_tax", matters=AMOUNT),
        Field("nrbUpcharge", QUANTITY, SEND, "upcharge_percent", "markup in percent", matters=AMOUNT),
        Field("nrbMarkupAppliesOn", TEXT, SEND, "markup_applies_on", "SUB_TOTAL or SUB_TOTAL_AND_VENDOR_TAX"),
        Field("nrbTotalAfterMarkup", MONEY, READ, "total_after_markup", "what to charge the client", matters=AMOUNT),
        Field("nrbBilledInGuid", TEXT, READ, "billed_in_guid", matters=DECIDES),
        Field("nrbBilledInName", TEXT, READ, "billed_in_name", "usually the client's invoice number", matters=DECIDES),
        Field("nrbParentGuid", TEXT, READ, "parent_guid", "or the parent that lists it", matters=DECIDES),
        Field("nrbParentExternalId", TEXT, READ),
        Column("is_leaf", "boolean", "no known child"),
        Field("nrbNotes", TEXT, SEND, "notes"),
        Field("nrbCreatedAt", INSTANT_MS, READ, "created_at", day="created_on"),
        Field("nrbCreatedByUserName", TEXT, READ, "created_by", "or the full name where there is no user name"),
        Field("nrbCreatedByFullName", TEXT, READ, "created_by_name"),
        Field("nrbUpdatedAt", INSTANT_MS, READ, "updated_at"),
        Field("nrbFileName", TEXT, SEND),
        Field("nrbFileMimeType", TEXT, SEND),
        Field("nrbFileBase64Content", TEXT, SEND),
        Field("nrbLineItems", LIST, READ),
        Field("nrbChildren", LIST, SEND, table="nrb", matters=AMOUNT),
    ),
)

# JobNimbus's page marks no field read-only; these are what it computes, or what other screens than the invoice decide.
INVOICE = Record(
    "invoice",
    "One invoice of JobNimbus.",
    key=(),
    rows=(
        Field("jnid", TEXT, SEND, "jnid", "the id that JobNimbus gave it", matters=IDENTITY),
        Field("type", TEXT, NEED, constant="invoice"),
        Field("guid", TEXT, READ, "guid"),
        Field("external_id", TEXT, SEND, "external_id"),
        Field("recid", CODE, READ),
        Field("number", TEXT, SEND, "number", matters=DECIDES),
        Field("status", CODE, NEED, "status", "a code; only 4 = Closed is documented", matters=DECIDES),
        Field("status_name", TEXT, READ, "status_name", matters=DECIDES),
        Field("is_active", FLAG, NEED, "is_active", "false = void (soft-deleted)", matters=DECIDES),
        Field("is_archived", FLAG, SEND, "is_archived", "plays no part in the audit"),
        Field("date_invoice", DATE_S, SEND, "invoice_at", day="invoice_date", matters=DECIDES),
        Field("date_due", DATE_S, SEND, day="due_date"),
        Field("subtotal", MONEY, READ, "subtotal", matters=AMOUNT),
        Field("tax", MONEY, READ, "tax", matters=AMOUNT),
        Field("total", MONEY, READ, "total", matters=AMOUNT),
        Field("cost", MONEY, READ, "cost"),
        Field("margin", QUANTITY, READ, "margin"),
        Field("total_paid", MONEY, READ, "total_paid", matters=AMOUNT),
        Field("due", MONEY, READ, "due", matters=AMOUNT),
        Field("customer", TEXT, SEND, "customer", "JobNimbus id of the client"),
        Field("created_by", TEXT, READ, "created_by", "system_qbo is QuickBooks"),
        Field("created_by_name", TEXT, READ, "created_by_name"),
        Field("sales_rep", TEXT, SEND),
        Field("sales_rep_name", TEXT, READ, "sales_rep_name"),
        Field("date_created", INSTANT_S, SEND, "created_at", day="created_on"),
        Field("date_updated", INSTANT_S, SEND, "updated_at", day="updated_on"),
        Field("date_status_change", INSTANT_S, READ, "status_changed_at", day="status_changed_on"),
        Field("date_paid_in_full", INSTANT_S, READ, "paid_in_full_at", day="paid_in_full_on"),
        Field("first_payment_date", INSTANT_S, READ),
        Field("items", LIST, NEED, table="invoice_item", matters=AMOUNT),
        Field("related", LIST, NEED, table="invoice_related", matters=DECIDES),
        Field("payments", LIST, READ, table="payment"),
        Field("owners", LIST, SEND),
        Field("sections", LIST, READ),
        Field("location", OBJECT, SEND),
        Field("note", TEXT, SEND),
        Field("internal_note", TEXT, SEND),
        Field("terms", TEXT, SEND),
        Field("attachment_id", TEXT, SEND),
        Field("template_id", TEXT, SEND),
        Field("esigned", FLAG, READ),
        *(Field(name, TEXT, READ) for name in (
            "class_id", "class_name", "duplicate_from_id", "merged", "supplier", "version",
            "dummy_origin", "dummy_status_name",
        )),
    ),
)

_OF_INVOICE = Column("jnid", "varchar", "the invoice")

INVOICE_ITEM = Record(
    "invoice_item",
    "One line of an invoice.",
    key=(
        _OF_INVOICE,
        Column("position", "integer", "index in the array of items, from 0"),
        Column("line_key", "varchar", "stable id: digest of invoice, name, description, quantity, price, occurrence"),
    ),
    rows=(
        Field("jnid", TEXT, SEND, "item_jnid", "the product or service"),
        Field("name", TEXT, SEND, "name", matters=DECIDES),
        Field("description", TEXT, SEND, "description", matters=DECIDES),
        Field("uom", TEXT, SEND, "uom", "unit of measure"),
        Field("item_type", TEXT, SEND, "item_type", "e.g. material or labor"),
        Field("quantity", QUANTITY, SEND, "quantity", matters=AMOUNT),
        Field("price", QUANTITY, SEND, "price", "of one unit", matters=AMOUNT),
        Field("amount", MONEY, SEND, "amount", "else quantity × price, rounded half up", matters=AMOUNT),
        Column("amount_derived", "boolean", "true where the vendor sent no amount"),
        Field("cost", MONEY, SEND, "cost"),
        Field("tax_rate", QUANTITY, SEND, "tax_rate"),
        Field("labor", OBJECT, SEND, matters=AMOUNT),
        Field("labor.price", QUANTITY, SEND, "labor_price", matters=AMOUNT),
        Field("labor.amount", MONEY, SEND, "labor_amount", matters=AMOUNT),
    ),
)

INVOICE_RELATED = Record(
    "invoice_related",
    "One job or contact that an invoice belongs to.",
    key=(_OF_INVOICE, Column("position", "integer", "index in the array, from 0")),
    rows=(
        Field("id", TEXT, SEND, "related_id", "the jnid of the job or contact", matters=DECIDES),
        Field("type", TEXT, SEND, "type", "job or contact", matters=DECIDES),
        Field("number", TEXT, SEND, "number", matters=DECIDES),
        Field("name", TEXT, SEND, "name", "e.g. Client / JOB-NUMBER", matters=DECIDES),
    ),
)
# fmt: on

_LEDGER = ("is_exported", "job_number", "rate", "quantity", "vendor_tax", "upcharge_percent", "total_after_markup")
NRB_VERSION = Record(
    "nrb_version",
    "One version of an NRB that changed between syncs: the fields that an export to the ledger depends on."
    " NULL where a field could not be read.",
    key=(
        Column("guid", "varchar", "nrbGuid"),
        Column("first_sync", "integer", "the first sync that saw this version"),
        Column("last_sync", "integer", "the last sync in which this version was current"),
        Column("digest", "varchar", "SHA-256 of the body in raw.nrb_body"),
    ),
    rows=(
        *(field for name in _LEDGER for field in NRB.fields if field.column == name),
        Column("partly_read", "boolean", "true where one of these fields was sent and could not be read"),
    ),
)

RECORDS = (NRB, INVOICE, INVOICE_ITEM, INVOICE_RELATED, NRB_VERSION)
