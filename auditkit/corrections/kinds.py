"""What each operation is: at which vendor, which fields it may set, what is sent, and what must come of it.

Everything here follows from an object's before-image and the new values alone, so that what is shown, approved, sent
and verified cannot differ.

Not here: the plan that holds these (plan), and sending (apply).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from auditkit.apis.records import (
    READ_ONLY_INVOICE_FIELDS,
    READ_ONLY_NRB_FIELDS,
    InvoiceChange,
    NewInvoice,
    NrbChange,
    checked,
)
from auditkit.corrections.comparing import COMPUTED_FROM, REQUIRED_NRB_FIELDS
from auditkit.errors import PlanError, ValueRefused
from auditkit.values import cents, quantity, total_after_markup

__all__ = ["ARRAYS", "KINDS", "Kind", "OperationName", "amount", "body", "follows", "line_total", "money", "refuse"]

OperationName = Literal["edit-nrb", "create-nrb", "edit-invoice", "add-line", "create-invoice", "deactivate-invoice"]
Values = Mapping[str, Any]

# Held in a plan as the text of their JSON, digit by digit.
ARRAYS = frozenset({"items", "related"})

_NRB_FIELDS = frozenset(NrbChange.model_fields) - {
    *("nrbGuid", "nrbChildren", "nrbFileName", "nrbFileMimeType", "nrbFileBase64Content")
}
_INVOICE_FIELDS = frozenset(
    {"external_id", "number", "date_invoice", "date_due", "items", "note", "internal_note", "terms", "is_active"}
)
_NEW_INVOICE_FIELDS = _INVOICE_FIELDS | {"type", "status", "related", "customer"}
# Whoever sets one of these decides about the whole amount: whether the client is charged, and whether it is booked.
_DECIDES_ABOUT_ALL = frozenset(
    {
        "nrbIsBillable",
        "nrbAccountType",
        "isInternal",
        "nrbIsExported",
        "nrbJobOrderNumber",
        "nrbVendorCode",
        "is_active",
    }
)


@dataclass(frozen=True)
class Kind:
    """One operation. `id_field` names the object, `search_field` finds one that was created; `quiet` is in seconds.

    `quiet` is how long a request without an answer may still land: three times the 5 seconds after which Aimsio drops a
    call that waits in its queue; JobNimbus tells none, so a minute.
    """

    system: Literal["aimsio", "jobnimbus"]
    fields: frozenset[str]
    creates: bool = False

    @property
    def id_field(self) -> str:
        """The field that names an object."""
        return "nrbGuid" if self.system == "aimsio" else "jnid"

    @property
    def search_field(self) -> str:
        """The field that a creation fills with the operation's own key."""
        return "nrbExternalId" if self.system == "aimsio" else "external_id"

    @property
    def quiet(self) -> float:
        """Seconds after which a request that was not answered can no longer land."""
        return 15.0 if self.system == "aimsio" else 60.0


KINDS: Mapping[OperationName, Kind] = {
    "edit-nrb": Kind("aimsio", _NRB_FIELDS),
    "create-nrb": Kind("aimsio", _NRB_FIELDS, creates=True),
    "edit-invoice": Kind("jobnimbus", _INVOICE_FIELDS),
    "add-line": Kind("jobnimbus", frozenset({"items"})),
    "create-invoice": Kind("jobnimbus", _NEW_INVOICE_FIELDS, creates=True),
    "deactivate-invoice": Kind("jobnimbus", frozenset({"is_active"})),
}


def body(operation: OperationName, object_id: str, before: Values, after: Values) -> dict[str, Any]:
    """What is sent: the object's id, an NRB's required fields as read (a null one is left out), and the changes."""
    kind = KINDS[operation]
    if kind.creates:
        return dict(after)
    needed = REQUIRED_NRB_FIELDS if kind.system == "aimsio" else ()
    kept = {name: before[name] for name in needed if before.get(name) is not None}
    return {kind.id_field: object_id, **kept, **after}


def refuse(operation: OperationName, object_id: str, before: Values, after: Values) -> None:
    """Raise `PlanError` for what an operation may not do; one line that names object and field."""
    kind = KINDS[operation]
    sent = body(operation, object_id, before, after)
    try:
        if kind.system == "aimsio":
            checked(sent, NrbChange, READ_ONLY_NRB_FIELDS, object_id)
        else:
            checked(sent, NewInvoice if kind.creates else InvoiceChange, READ_ONLY_INVOICE_FIELDS, object_id)
    except ValueRefused as error:
        raise PlanError(f"{error}; it cannot be corrected this way") from None
    if others := sorted(after.keys() - kind.fields):
        raise PlanError(f"{object_id}: {operation} does not set {', '.join(others)}; it sets {_some(kind.fields)}")
    if kind.creates and after.get(kind.search_field) != object_id:
        raise PlanError(f"{object_id}: {kind.search_field} must be the key by which the new object is found")
    if operation == "create-nrb" and (missing := [name for name in _NEEDED_BY_NRB if after.get(name) is None]):
        raise PlanError(f"{object_id}: a new NRB needs {', '.join(missing)}")
    if "items" in after and after["items"] is None:
        raise PlanError(f"{object_id}: items cannot be null; an empty array takes every line away")
    if operation == "add-line":
        _refuse_other_than_added(object_id, before.get("items") or [], after["items"])
    if operation == "deactivate-invoice" and after["is_active"] is not False:
        raise PlanError(f"{object_id}: deactivate-invoice sets is_active to false; to undo it, use edit-invoice")
    if "items" in after and not kind.creates:
        _refuse_unforeseeable(object_id, before, after["items"])


_NEEDED_BY_NRB = tuple(name for name in REQUIRED_NRB_FIELDS if name != "nrbName")


def follows(operation: OperationName, before: Values, after: Values) -> dict[str, Decimal]:
    """The amounts that the vendor computes and that must come out so: field → amount. What cannot be told is left out.

    Of an NRB its total after mark-up; of an invoice subtotal, total and due, moved by what its lines are moved by.
    """
    if KINDS[operation].system == "aimsio":
        total = _nrb_total({**before, **after}) if COMPUTED_FROM["nrbTotalAfterMarkup"] & after.keys() else None
        return {} if total is None else {"nrbTotalAfterMarkup": total}
    if "items" not in after:
        return {}
    change = line_total(after["items"]) - line_total(before.get("items") or [])
    start = dict.fromkeys(("subtotal", "total"), 0) if KINDS[operation].creates else before
    amounts = {name: amount(start.get(name)) for name in ("subtotal", "total", "due")}
    return {name: value + change for name, value in amounts.items() if value is not None}


def money(operation: OperationName, before: Values, after: Values) -> Decimal:
    """The money that a change moves, never negative: by how much a total changes.

    The whole total, where a change decides whether the client is charged, the cost is booked or the document counts,
    and where the new total cannot be told.
    """
    name = "nrbTotalAfterMarkup" if KINDS[operation].system == "aimsio" else "subtotal"
    old, new = amount(before.get(name)) or Decimal(0), follows(operation, before, after).get(name)
    is_open = new is None and after.keys() & (COMPUTED_FROM["nrbTotalAfterMarkup"] | {"items"})
    if is_open or after.keys() & _DECIDES_ABOUT_ALL:
        return max(abs(old), abs(new or old))
    return Decimal(0) if new is None else abs(new - old)


def line_total(items: Sequence[Values]) -> Decimal:
    """The sum of the amounts of lines: as JobNimbus says it, else quantity × price, in whole cents."""
    return sum((_line_amount(item) for item in items), Decimal("0.00"))


def amount(value: object) -> Decimal | None:
    """An amount as a vendor sends it; None where it is none."""
    try:
        return quantity(value) if isinstance(value, (str, int, Decimal)) and not isinstance(value, bool) else None
    except ValueRefused:
        return None


def _line_amount(item: Values) -> Decimal:
    said = amount(item.get("amount"))
    if said is not None:
        return said
    number, price = _factors(item)
    return cents(number * price)


def _nrb_total(nrb: Values) -> Decimal | None:
    rate, number = amount(nrb.get("nrbRate")), amount(nrb.get("nrbQuantity"))
    if rate is None or number is None:
        return None
    upcharge, tax = amount(nrb.get("nrbUpcharge")), amount(nrb.get("nrbVendorTax"))
    return total_after_markup(rate, number, upcharge, tax, nrb.get("nrbMarkupAppliesOn"))


def _refuse_other_than_added(object_id: str, before: Sequence[Values], after: Sequence[Values]) -> None:
    if list(after[: len(before)]) != list(before) or len(after) <= len(before):
        raise PlanError(f"{object_id}: add-line keeps every line as it is and adds some; use edit-invoice for the rest")
    if any(item.get("jnid") for item in after[len(before) :]):
        raise PlanError(f"{object_id}: a new line must not have the jnid of another")


def _refuse_unforeseeable(object_id: str, before: Values, after: Sequence[Values]) -> None:
    """What a vendor computes anew can be foreseen only where lines and subtotal agree with each other now."""
    items = before.get("items") or []
    subtotal, lines = amount(before.get("subtotal")), line_total(items)
    if subtotal is not None and subtotal not in (lines, lines + sum(map(_labor, items))):
        raise PlanError(f"{object_id}: its subtotal {subtotal} is not the sum of its lines, {lines}; mend that first")
    known = {item.get("jnid"): item for item in items}
    for item in after:
        said, factors = amount(item.get("amount")), _factors(item)
        old = known.get(item.get("jnid"))
        if said is None or old is None:
            continue
        if _factors(old) != factors and said == amount(old.get("amount")):
            raise PlanError(f"{object_id}: line {item['jnid']}: leave amount out where quantity or price is changed")
        if cents(factors[0] * factors[1]) not in (said, said - _labor(item)):
            raise PlanError(f"{object_id}: line {item['jnid']}: its amount is not quantity × price; mend that first")


def _factors(item: Values) -> tuple[Decimal, Decimal]:
    return amount(item.get("quantity")) or Decimal(0), amount(item.get("price")) or Decimal(0)


def _labor(item: Values) -> Decimal:
    return amount((item.get("labor") or {}).get("amount")) or Decimal(0)


def _some(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)) if len(names) < 12 else "the fields that the vendor's page lets a client write"
