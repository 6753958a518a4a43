"""Compare a record before, as planned and now: which fields are as planned, and which changed though nobody asked.

Numbers compare as Decimal ("750.000" is 750), nrbInvoiceDate as a calendar day in UTC because the server may rewrite
the time of day, an invoice's items one by one, everything else as exact JSON; a missing key and null are the same. A
field that the server computes may change only when one it is computed from is changed: a total that changes by itself
is a side effect.

No field name of the two vendors compares in two ways, so the name alone decides.

Not here: where the records come from and what follows from a difference.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from auditkit.corrections.amounts import amount
from auditkit.errors import ValueRefused
from auditkit.values import time_from_ms

__all__ = ["COMPUTED_FROM", "covers", "is_no_change", "matches", "same", "unplanned_changes"]

_FROM_ITEMS = frozenset({"items"})
COMPUTED_FROM: Mapping[str, frozenset[str]] = {
    "nrbTotalAfterMarkup": frozenset(
        {"nrbRate", "nrbQuantity", "nrbVendorTax", "nrbUpcharge", "nrbMarkupAppliesOn"},
    ),
    "nrbVendorGuid": frozenset({"nrbVendorCode"}),
    "nrbWBSGuid": frozenset({"nrbWBSSharedIdentifier", "nrbJobOrderNumber"}),
    "nrbPurchaseOrderGuid": frozenset({"nrbPONumber"}),
    "nrbPurchaseOrderCostItemOriginReference": frozenset({"nrbPONumber"}),
    "nrbTypeUname": frozenset({"nrbTypeName"}),
    "nrbTypeName": frozenset({"nrbTypeUname"}),
    **dict.fromkeys(("subtotal", "tax", "total", "due", "cost", "margin"), _FROM_ITEMS),
}
_CHANGES_WITH_EVERY_EDIT = frozenset({"nrbUpdatedAt", "date_updated"})
_NRB_NUMBERS = frozenset({"nrbRate", "nrbQuantity", "nrbVendorTax", "nrbUpcharge", "nrbTotalAfterMarkup"})
_INVOICE_NUMBERS = frozenset({"subtotal", "tax", "total", "cost", "margin", "total_paid", "due"})
_ITEM_NUMBERS = frozenset({"quantity", "price", "preSurchargePrice", "cost", "amount", "tax_rate"})
_NUMBERS = _NRB_NUMBERS | _INVOICE_NUMBERS | _ITEM_NUMBERS


def same(field: str, one: object, other: object) -> bool:
    """Whether two values of a field mean the same, in the field's own way of comparing."""
    if one is None or other is None:
        return one is other
    if field in _NUMBERS:
        numbers = amount(one), amount(other)
        return numbers[0] == numbers[1] if None not in numbers else _exact(one) == _exact(other)
    if field == "nrbInvoiceDate":
        return _day(one) == _day(other)
    return _exact(one) == _exact(other)


def covers(planned: object, found: object, field: str = "") -> bool:
    """Whether everything planned is found; the server may add to it.

    Of an object each planned key, of an array each element in its place and no others. An empty value (null, "", 0,
    empty) covers any other empty one, because JobNimbus writes any of them for a field that is not set; it does so with
    false too, but a planned false must be found as false.
    """
    if isinstance(planned, Mapping) and (isinstance(found, Mapping) or _is_empty(found, field)):
        has = found if isinstance(found, Mapping) else {}
        return all(covers(value, has.get(name), name) for name, value in planned.items())
    if planned is not False and _is_empty(planned, field):
        return _is_empty(found, field)
    if isinstance(planned, list):
        return (
            isinstance(found, list)
            and len(planned) == len(found)
            and all(covers(*pair, field) for pair in zip(planned, found, strict=True))
        )
    return same(field, planned, found)


def matches(field: str, planned: object, found: object) -> bool:
    """Whether a field has the planned value: an array must be covered, anything else must be the same."""
    return covers(planned, found, field) if isinstance(planned, list) else same(field, planned, found)


def is_no_change(field: str, before: object, after: object) -> bool:
    """Whether setting a field changes nothing.

    A day in the account's zone may lie in two days of UTC, so that a date is unchanged only as the same instant.
    """
    return before == after if field == "nrbInvoiceDate" else same(field, before, after)


def unplanned_changes(before: Mapping[str, Any], now: Mapping[str, Any], changed: Iterable[str]) -> tuple[str, ...]:
    """The fields, sorted, that changed though neither they nor what they are computed from was planned to change."""
    planned = frozenset(changed)
    computed = {name for name, sources in COMPUTED_FROM.items() if sources & planned}
    fields = (before.keys() | now.keys()) - planned - computed - _CHANGES_WITH_EVERY_EDIT
    return tuple(sorted(name for name in fields if not same(name, before.get(name), now.get(name))))


def _is_empty(value: object, field: str) -> bool:
    if isinstance(value, Mapping):
        return all(_is_empty(inner, name) for name, inner in value.items())
    return value is None or value in ("", [], 0) or (field in _NUMBERS and amount(value) == 0)


def _day(value: object) -> object:
    try:
        instant = time_from_ms(value) if isinstance(value, int) else None
    except ValueRefused:
        instant = None
    return _exact(value) if instant is None else instant.date()


def _exact(value: object) -> str:
    # True and 1, "1" and 1 differ here; a Decimal from a JSON number keeps its digits, marked as no text.
    return json.dumps(value, sort_keys=True, default=lambda number: ["number", str(number)])
