# ruff: noqa: N815 - the fields carry the vendors' own names
"""The bodies that we send, and the one answer that we act on, as the vendors' pages describe them.

A body is checked and typed: fields that the vendor computes are refused by name, unknown ones as well, and what the
page calls a number leaves as a JSON number with the very digits it was given, never through a float.

Not here: how a record that was *read* is typed. That is SQL in the store.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationError

from auditkit.errors import BadAnswer, ValueRefused
from auditkit.values import quantity, time_from_ms, time_from_s
from auditkit.vendors.strict_json import parse

__all__ = [
    "INVOICE_FIELDS",
    "NRB_FIELDS",
    "READ_ONLY_INVOICE_FIELDS",
    "READ_ONLY_NRB_FIELDS",
    "TIMES",
    "ImportResult",
    "InvoiceChange",
    "NewInvoice",
    "NrbChange",
    "checked",
    "typed",
]

READ_ONLY_NRB_FIELDS = frozenset(
    {
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
    }
)

# JobNimbus's page marks none; these are what it computes, or what other screens than the invoice decide.
READ_ONLY_INVOICE_FIELDS = frozenset(
    {
        "cost",
        "created_by",
        "created_by_name",
        "date_paid_in_full",
        "date_status_change",
        "due",
        "esigned",
        "first_payment_date",
        "guid",
        "margin",
        "payments",
        "recid",
        "sales_rep_name",
        "status_name",
        "subtotal",
        "tax",
        "total",
        "total_paid",
    }
)

# The dates that people plan with → how the vendor's own number is read as an instant, or refused.
TIMES: Mapping[str, Callable[[Any, str], datetime | None]] = {
    "nrbInvoiceDate": time_from_ms,
    "date_invoice": time_from_s,
    "date_due": time_from_s,
}


def _amount(value: Any) -> Any:  # noqa: ANN401 - pydantic hands over whatever was given
    if isinstance(value, (bool, float)):
        raise ValueError(f"expected digits, found {type(value).__name__}")
    quantity(value)
    return value


Amount = Annotated[Any, PlainValidator(_amount)]

# What the pages call a number, or show as one.
_NRB_NUMBERS = frozenset({"nrbRate", "nrbQuantity", "nrbVendorTax", "nrbUpcharge"})
_LINE_NUMBERS = frozenset({"quantity", "price", "cost", "amount", "tax_rate"})


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class NrbChange(_Body):
    """One NRB in Aimsio's `nrbList`: every field that its page lets a client send (two more are for attachments)."""

    nrbGuid: str | None = None
    nrbExternalId: str | None = None
    nrbOriginReference: str | None = None
    nrbJobOrderNumber: str | None = None
    nrbWBSSharedIdentifier: str | None = None
    nrbPONumber: str | None = None
    nrbInvoiceNumber: str | None = None
    nrbInvoiceDate: int | None = Field(None, description="epoch milliseconds")
    nrbName: str | None = None
    nrbTypeUname: str | None = None
    nrbTypeName: str | None = None
    nrbDocumentType: str | None = None
    nrbAccountType: str | None = None
    nrbIsBillable: bool | None = None
    nrbVendorCode: str | None = None
    nrbRate: Amount = None
    nrbQuantity: Amount = None
    nrbVendorTax: Amount = None
    nrbUpcharge: Amount = Field(None, description="per cent")
    nrbMarkupAppliesOn: str | None = None
    nrbIsExported: bool | None = None
    isInternal: bool | None = None
    nrbShouldReconcileWithPO: bool | None = None
    nrbFileName: str | None = None
    nrbFileMimeType: str | None = None
    nrbFileBase64Content: str | None = None
    nrbNotes: str | None = None
    nrbChildren: "list[NrbChange] | None" = None


class InvoiceChange(_Body):
    """The fields of an invoice that a PUT to JobNimbus may change; arrays are sent whole."""

    jnid: str | None = None
    type: Literal["invoice"] | None = None
    external_id: str | None = None
    number: str | None = None
    status: int | None = None
    is_active: bool | None = None
    is_archived: bool | None = None
    date_created: int | None = Field(None, description="epoch seconds, as all dates")
    date_updated: int | None = None
    date_invoice: int | None = None
    date_due: int | None = None
    customer: str | None = None
    sales_rep: str | None = None
    owners: list[Mapping[str, Any]] | None = None
    location: Mapping[str, Any] | None = None
    related: list[Mapping[str, Any]] | None = None
    items: list[Mapping[str, Any]] | None = None
    note: str | None = None
    internal_note: str | None = None
    terms: str | None = None
    attachment_id: str | None = None
    template_id: str | None = None


class NewInvoice(InvoiceChange):
    """An invoice to create: the five fields that JobNimbus's page requires must be there."""

    type: Literal["invoice"]
    status: int
    is_active: bool
    related: list[Mapping[str, Any]]
    items: list[Mapping[str, Any]]


# What the vendors' pages name: a field beyond them is kept as it came, and a notice says so.
NRB_FIELDS = frozenset(NrbChange.model_fields) | READ_ONLY_NRB_FIELDS
INVOICE_FIELDS = (
    frozenset(InvoiceChange.model_fields)
    | READ_ONLY_INVOICE_FIELDS
    | {"class_id", "class_name", "duplicate_from_id", "merged", "sections", "supplier", "version"}
    | {"dummy_origin", "dummy_status_name"}
)


def checked(body: Mapping[str, Any], model: type[BaseModel], read_only: frozenset[str], what: str) -> dict[str, Any]:
    """The body as `typed`, when each of its fields may be sent; else `ValueRefused`, naming each that may not."""
    _refuse_read_only(body, read_only, what)
    try:
        model.model_validate(dict(body))
    except ValidationError as error:
        problems = [
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg'].removeprefix('Value error, ')}"
            for item in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        raise ValueRefused(f"{what}: {'; '.join(problems)}") from None
    return typed(body)


def typed(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body with numbers as numbers (`Decimal`), as the pages document them; a text that is none stays."""
    return {name: _typed(name, value) for name, value in body.items()}


def _typed(name: str, value: Any) -> Any:  # noqa: ANN401  any JSON
    if name in _NRB_NUMBERS:
        return _number(value)
    if name == "nrbChildren":
        return [typed(child) if isinstance(child, Mapping) else child for child in value or ()] if value else value
    if name == "items" and isinstance(value, (list, tuple)):
        return [_typed_line(line) if isinstance(line, Mapping) else line for line in value]
    return value


def _typed_line(line: Mapping[str, Any]) -> dict[str, Any]:
    made = {name: _number(value) if name in _LINE_NUMBERS else value for name, value in line.items()}
    labor = line.get("labor")
    return {**made, "labor": _typed_line(labor)} if isinstance(labor, Mapping) else made


def _number(value: Any) -> Any:  # noqa: ANN401  any JSON
    try:
        return quantity(value) if isinstance(value, str) else value
    except ValueRefused:
        return value


def _refuse_read_only(body: Mapping[str, Any], read_only: frozenset[str], what: str) -> None:
    if refused := sorted(read_only & set(body)):
        raise ValueRefused(f"{what}: {', '.join(refused)} cannot be written; leave it out")
    for child in body.get("nrbChildren") or ():
        if isinstance(child, Mapping):
            _refuse_read_only(child, read_only, f"{what}: nrbChildren")


def _none_is_empty(value: Any) -> Any:  # noqa: ANN401 - pydantic hands over whatever was given
    return () if value is None else value


class ImportResult(BaseModel):
    """Aimsio's answer to a POST: it counts, it does not identify. Counts are strict, further fields are ignored.

    A status of 200 says nothing: ask `is_clean_edit` or `is_clean_create`.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    created: int = Field(alias="numberOfEntitiesCreated", ge=0, strict=True)
    edited: int = Field(alias="numberOfEntitiesEdited", ge=0, strict=True)
    edited_with_errors: int = Field(alias="numberOfEntitiesEditedWithErrors", ge=0, strict=True)
    not_imported: int = Field(alias="numberOfEntitiesNotImportedDueToErrors", ge=0, strict=True)
    imported: int = Field(alias="numberOfEntitiesImported", ge=0, strict=True)
    notices: Annotated[tuple[Any, ...], BeforeValidator(_none_is_empty)] = Field(())
    text: str = Field("", exclude=True, repr=False)

    @classmethod
    def parse(cls, text: str, where: str) -> "ImportResult":
        """The result in an answer's text, which it keeps; a missing count, or one that is none, raises `BadAnswer`."""
        try:
            return cls.model_validate(parse(text, where)).model_copy(update={"text": text})
        except ValidationError as error:
            problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
            place = ".".join(str(part) for part in problem["loc"]) or "import result"
            raise BadAnswer(f"{where}: {place}: {problem['msg']}; look whether the change was made") from None

    @property
    def is_clean_edit(self) -> bool:
        """Exactly one NRB was edited, none created, without errors or notices."""
        return (self.created, self.edited) == (0, 1) and self._has_no_trouble

    @property
    def is_clean_create(self) -> bool:
        """Exactly one NRB was created, none edited, without errors or notices."""
        return (self.created, self.edited) == (1, 0) and self._has_no_trouble

    @property
    def _has_no_trouble(self) -> bool:
        return not (self.edited_with_errors or self.not_imported or self.notices)
