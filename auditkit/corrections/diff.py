"""Before, target and now: which fields of a record are as planned, and which moved though nobody asked.

Numbers compare as Decimal ("750.000" is 750), nrbInvoiceDate as a calendar day in UTC because the server may rewrite
the time of day, an invoice's items one by one, everything else as exact JSON; a key that is absent and one that is null
are the same. A field that the server computes may move only when one it is computed from is changed: a total that moves
by itself is money.

The two vendors have no field name in common that compares in two ways, so that a field's name decides.

Not here: where the records come from and what follows from a difference.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from auditkit.corrections.amounts import amount
from auditkit.errors import ValueRefused
from auditkit.values import time_from_ms

__all__ = ["COMPUTED_FROM", "REQUIRED_NRB_FIELDS", "covers", "is_no_change", "matches", "same", "unplanned_changes"]

# As the vendor's page marks them: an edit sends each at the value that was read, lest it be emptied.
REQUIRED_NRB_FIELDS = (
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
_MOVES_WITH_EVERY_EDIT = frozenset({"nrbUpdatedAt", "date_updated"})
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
    """Whether everything planned is found: what the server adds to it is its own matter.

    Of an object each planned key, of an array each element in its place and none beside. Nothing said (null, "", 0,
    empty) covers nothing: JobNimbus writes any of them for a field that is not set. So it does with false, but a false
    that is planned says something.
    """
    if isinstance(planned, Mapping) and (isinstance(found, Mapping) or _is_nothing(found, field)):
        has = found if isinstance(found, Mapping) else {}
        return all(covers(value, has.get(name), name) for name, value in planned.items())
    if planned is not False and _is_nothing(planned, field):
        return _is_nothing(found, field)
    if isinstance(planned, list):
        return (
            isinstance(found, list)
            and len(planned) == len(found)
            and all(covers(*pair, field) for pair in zip(planned, found, strict=True))
        )
    return same(field, planned, found)


def matches(field: str, planned: object, found: object) -> bool:
    """Whether a field has the planned value: an array is covered, anything else is the same."""
    return covers(planned, found, field) if isinstance(planned, list) else same(field, planned, found)


def is_no_change(field: str, before: object, after: object) -> bool:
    """Whether setting a field changes nothing.

    A day in the account's zone may lie in two days of UTC, so that a date is unchanged only as the same instant.
    """
    return before == after if field == "nrbInvoiceDate" else same(field, before, after)


def unplanned_changes(before: Mapping[str, Any], now: Mapping[str, Any], changed: Iterable[str]) -> tuple[str, ...]:
    """The fields, sorted, that differ though neither they nor what they are computed from was to be changed."""
    asked = frozenset(changed)
    allowed = asked | _MOVES_WITH_EVERY_EDIT | {name for name, sources in COMPUTED_FROM.items() if sources & asked}
    fields = (before.keys() | now.keys()) - allowed
    return tuple(sorted(name for name in fields if not same(name, before.get(name), now.get(name))))


def _is_nothing(value: object, field: str) -> bool:
    if isinstance(value, Mapping):
        return all(_is_nothing(inner, name) for name, inner in value.items())
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
