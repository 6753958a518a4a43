"""The bodies that we send, and the one answer that we act on, as the vendors' pages describe them.

A body is checked and typed: fields that the vendor computes are refused by name, unknown ones as well, and what the
page calls a number is sent as a JSON number with exactly the digits it was given, never through a float.

Not here: which fields there are (`fields.py`), and how a record that was *read* is typed (`warehouse`).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, ForwardRef, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationError, create_model

from auditkit.errors import BadAnswer, ValueRefused
from auditkit.fields import INVOICE, INVOICE_ITEM, NRB, Access, Kind, Record
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

# The fields that the vendors' pages name: one beyond them is kept as it was sent, and a notice names it.
NRB_FIELDS, READ_ONLY_NRB_FIELDS = NRB.names, NRB.read_only
INVOICE_FIELDS, READ_ONLY_INVOICE_FIELDS = INVOICE.names, INVOICE.read_only

# The dates that people plan with → how the vendor's own number is read as an instant, or refused.
_READERS: Mapping[Kind, Callable[[Any, str], datetime | None]] = {Kind.DATE_MS: time_from_ms, Kind.DATE_S: time_from_s}
TIMES = {field.wire: _READERS[field.kind] for field in (*NRB.fields, *INVOICE.fields) if field.kind in _READERS}


def _amount(value: Any) -> Any:  # noqa: ANN401  pydantic passes any value
    if isinstance(value, (bool, float)):
        raise ValueError(f"expected digits, found {type(value).__name__}")
    quantity(value)
    return value


Amount = Annotated[Any, PlainValidator(_amount)]


def _numbers(record: Record) -> frozenset[str]:
    """The fields that the vendor's page calls a number, or shows as one. In an object: `labor.price` is `price`."""
    return frozenset(
        field.wire.rpartition(".")[2]
        for field in record.fields
        if field.kind in (Kind.MONEY, Kind.QUANTITY) and field.access is not Access.READ_ONLY
    )


_NRB_NUMBERS, _LINE_NUMBERS = _numbers(NRB), _numbers(INVOICE_ITEM)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


_WHOLE_NUMBERS = (Kind.CODE, Kind.INSTANT_MS, Kind.INSTANT_S, Kind.DATE_MS, Kind.DATE_S)
_TYPES: dict[Kind, Any] = {
    Kind.TEXT: str,
    Kind.FLAG: bool,
    Kind.LIST: list[Mapping[str, Any]],
    Kind.OBJECT: Mapping[str, Any],
    **dict.fromkeys((Kind.MONEY, Kind.QUANTITY), Amount),
    **dict.fromkeys(_WHOLE_NUMBERS, int),
}


def _model(name: str, record: Record, *, creates: bool = False, **others: Any) -> type[_Body]:  # noqa: ANN401
    """A model of the fields that may be sent; each is optional, but the required ones of a record to create."""
    fields: dict[str, Any] = {}
    for field in record.fields:
        if field.access is not Access.READ_ONLY:
            type_ = Literal[field.constant] if field.constant else _TYPES[field.kind]
            is_needed = creates and field.access is Access.REQUIRED
            fields[field.wire] = (type_, ...) if is_needed else (type_ | None, None)
    return create_model(name, __base__=_Body, **{**fields, **others})


# One NRB in Aimsio's `nrbList`; its children are NRBs of the same kind.
NrbChange = _model("NrbChange", NRB, nrbChildren=(ForwardRef("list[NrbChange] | None"), None))
NrbChange.model_rebuild(_types_namespace={"NrbChange": NrbChange})
# What a PUT to JobNimbus may change of an invoice; arrays are sent whole.
InvoiceChange = _model("InvoiceChange", INVOICE)
# An invoice to create: the fields that JobNimbus's page requires must be there.
NewInvoice = _model("NewInvoice", INVOICE, creates=True)


def checked(body: Mapping[str, Any], model: type[BaseModel], read_only: frozenset[str], what: str) -> dict[str, Any]:
    """The body as `typed`, if each of its fields may be sent; else raises `ValueRefused`, naming those that may not."""
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


def _none_is_empty(value: Any) -> Any:  # noqa: ANN401  pydantic passes any value
    return () if value is None else value


class ImportResult(BaseModel):
    """Aimsio's answer to a POST: counts of records, without their ids. Counts are strict, other fields are ignored.

    A status of 200 proves nothing: see `is_clean_edit` and `is_clean_create`.
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
        """The result in an answer's text. Raises `BadAnswer` for a count that is missing or no whole number."""
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
