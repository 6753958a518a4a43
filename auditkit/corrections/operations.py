"""What each operation is: at which vendor, which fields it may set, what is sent, and what must come of it.

Everything here follows from an object's before-image and the new values alone, so that what is shown, approved, sent
and verified cannot differ.

Not here: the plan that holds these (plan), and sending (apply).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from auditkit.corrections.diff import COMPUTED_FROM, REQUIRED_NRB_FIELDS
from auditkit.errors import PlanError, ValueRefused
from auditkit.values import cents, quantity, time_from_ms, time_from_s, total_after_markup
from auditkit.vendors.bodies import (
    READ_ONLY_INVOICE_FIELDS,
    READ_ONLY_NRB_FIELDS,
    InvoiceChange,
    NewInvoice,
    NrbChange,
    checked,
)

__all__ = [
    "ARRAYS",
    "DATES",
    "KINDS",
    "Kind",
    "OperationName",
    "amount",
    "body",
    "expected_amounts",
    "line_total",
    "money",
    "refuse",
]

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


DATES = frozenset({"nrbInvoiceDate", "date_invoice", "date_due"})
_FIGURES = ("quantity", "price", "cost", "amount", "tax_rate")
_NEW_LINE_FIELDS = frozenset(
    {"name", "description", "item_type", "uom", "quantity", "price", "cost", "sku", "color", "category"}
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
    for name in after.keys() & DATES:
        _refuse_no_time(object_id, name, after[name])
    if "items" in after:
        _refuse_lines(object_id, after["items"])
    if operation == "add-line":
        _refuse_other_than_added(object_id, before.get("items") or [], after["items"])
    if operation == "deactivate-invoice" and after["is_active"] is not False:
        raise PlanError(f"{object_id}: deactivate-invoice sets is_active to false; to undo it, use edit-invoice")
    if "items" in after:
        _refuse_unforeseeable(object_id, {} if kind.creates else before, after["items"], is_new=kind.creates)
    money(operation, before, after, object_id)


_NEEDED_BY_NRB = tuple(name for name in REQUIRED_NRB_FIELDS if name != "nrbName")


def expected_amounts(operation: OperationName, before: Values, after: Values) -> dict[str, Decimal]:
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


def money(operation: OperationName, before: Values, after: Values, object_id: str = "") -> Decimal:
    """The money that a change moves, never negative.

    Of an NRB by how much its total changes; the whole total, where a change decides whether the client is charged or
    the cost is booked, and where the new total cannot be told. Of an invoice the sum of what each line changes by, so
    that two that offset each other do not hide; the whole of it where it is activated or not. `PlanError` where it
    cannot be told: nobody could approve it.
    """
    if KINDS[operation].system == "aimsio":
        amounts = [amount(before.get("nrbTotalAfterMarkup")) or _nrb_total(before)]
        amounts.append(expected_amounts(operation, before, after).get("nrbTotalAfterMarkup"))
        is_open = amounts[1] is None and bool(after.keys() & COMPUTED_FROM["nrbTotalAfterMarkup"])
    else:
        moved = _moved_lines(before.get("items") or [], after["items"]) if "items" in after else Decimal(0)
        if KINDS[operation].creates or "is_active" not in after:
            return moved
        amounts, is_open = [amount(before.get(name)) for name in ("subtotal", "total")], False
    known = [value for value in amounts if value is not None]
    if is_open or after.keys() & _DECIDES_ABOUT_ALL:
        if not known:
            raise PlanError(f"{object_id}: its amount is not known, so that nobody can approve this; enter it first")
        return max(map(abs, known))
    return Decimal(0) if amounts[1] is None else abs(amounts[1] - (amounts[0] or Decimal(0)))


def _moved_lines(before: Sequence[Values], after: Sequence[Values]) -> Decimal:
    """Σ |Δ| over lines, by jnid, labour apart; lines that are new or gone count whole."""
    nothing = (Decimal(0), Decimal(0))
    old = {item.get("jnid"): (_line_amount(item), _labor(item)) for item in before}
    moved = Decimal(0)
    for item in after:
        was = old.pop(item["jnid"], nothing) if item.get("jnid") else nothing
        moved += abs(_line_amount(item) - was[0]) + abs(_labor(item) - was[1])
    return moved + sum((abs(lines) + abs(labor) for lines, labor in old.values()), Decimal(0))


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


def _refuse_no_time(object_id: str, name: str, value: object) -> None:
    try:
        (time_from_ms if name == "nrbInvoiceDate" else time_from_s)(value, name)  # type: ignore[arg-type]
    except ValueRefused as error:
        raise PlanError(f"{object_id}: {error}") from None


def _refuse_lines(object_id: str, items: Sequence[Values]) -> None:
    """Each figure of a line must be one: what cannot be read would count as nothing."""
    for place, item in enumerate(items, start=1):
        labor = item.get("labor")
        if not isinstance(item.get("jnid"), (str, type(None))) or not isinstance(labor, (Mapping, type(None))):
            raise PlanError(f"{object_id}: line {place}: jnid must be text, labor an object")
        figures = {
            **{name: item.get(name) for name in _FIGURES},
            **{f"labor.{k}": (labor or {}).get(k) for k in _FIGURES},
        }
        if wrong := sorted(name for name, value in figures.items() if value is not None and amount(value) is None):
            raise PlanError(f"{object_id}: line {place}: {', '.join(wrong)}: expected digits such as 862.50")


def _refuse_unforeseeable(object_id: str, before: Values, after: Sequence[Values], *, is_new: bool) -> None:
    """What a vendor computes anew can be foreseen only where lines and subtotal agree with each other now."""
    items = before.get("items") or []
    subtotal, lines = amount(before.get("subtotal")), line_total(items)
    if not is_new and subtotal not in (lines, lines + sum(map(_labor, items))):
        raise PlanError(f"{object_id}: its subtotal {subtotal} is not the sum of its lines, {lines}; mend that first")
    known = {item.get("jnid"): item for item in items if item.get("jnid")}
    for place, item in enumerate(after, start=1):
        said, factors = amount(item.get("amount")), _factors(item)
        old = known.get(item.get("jnid"), {})
        if not item.get("jnid"):
            if others := sorted(
                name for name, value in item.items() if value is not None and name not in _NEW_LINE_FIELDS
            ):
                raise PlanError(
                    f"{object_id}: line {place}: a new line does not set {', '.join(others)}; it sets"
                    f" {', '.join(sorted(_NEW_LINE_FIELDS))}"
                )
        elif said is None:
            continue
        elif old and _factors(old) != factors and said == amount(old.get("amount")):
            raise PlanError(f"{object_id}: line {item['jnid']}: leave amount out where quantity or price is changed")
        elif cents(factors[0] * factors[1]) not in (said, said - _labor(item)):
            raise PlanError(f"{object_id}: line {item['jnid']}: its amount is not quantity × price; mend that first")


def _factors(item: Values) -> tuple[Decimal, Decimal]:
    return amount(item.get("quantity")) or Decimal(0), amount(item.get("price")) or Decimal(0)


def _labor(item: Values) -> Decimal:
    return amount((item.get("labor") or {}).get("amount")) or Decimal(0)


def _some(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)) if len(names) < 12 else "the fields that the vendor's page lets a client write"
