"""Before, target and now: which fields of an NRB are as planned, and which moved though nobody asked.

Numbers compare as Decimal ("750.000" is 750), nrbInvoiceDate as a calendar day in UTC because the server may rewrite
the time of day, everything else as exact JSON; a key that is absent and one that is null are the same. A field that the
server computes may move only when one it is computed from is changed: a total that moves by itself is money.

Not here: where the records come from and what follows from a difference.
"""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from auditkit.errors import ValueRefused
from auditkit.values import quantity, time_from_ms

__all__ = ["COMPUTED_FROM", "REQUIRED_NRB_FIELDS", "moved", "same"]

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
}
_MOVES_WITH_EVERY_EDIT = frozenset({"nrbUpdatedAt"})
_NUMBERS = frozenset({"nrbRate", "nrbQuantity", "nrbVendorTax", "nrbUpcharge", "nrbTotalAfterMarkup"})


def same(field: str, one: object, other: object) -> bool:
    """Whether two values of a field mean the same, in the field's own way of comparing."""
    if one is None or other is None:
        return one is other
    if field in _NUMBERS:
        numbers = _number(one), _number(other)
        return numbers[0] == numbers[1] if None not in numbers else _exact(one) == _exact(other)
    if field == "nrbInvoiceDate":
        return _day(one) == _day(other)
    return _exact(one) == _exact(other)


def moved(before: Mapping[str, Any], now: Mapping[str, Any], changed: Iterable[str]) -> tuple[str, ...]:
    """The fields, sorted, that differ though neither they nor what they are computed from was to be changed."""
    asked = frozenset(changed)
    allowed = asked | _MOVES_WITH_EVERY_EDIT | {name for name, sources in COMPUTED_FROM.items() if sources & asked}
    fields = (before.keys() | now.keys()) - allowed
    return tuple(sorted(name for name in fields if not same(name, before.get(name), now.get(name))))


def _number(value: object) -> Decimal | None:
    try:
        return quantity(value) if isinstance(value, (str, int, Decimal)) else None
    except ValueRefused:
        return None


def _day(value: object) -> object:
    try:
        instant = time_from_ms(value) if isinstance(value, int) else None
    except ValueRefused:
        instant = None
    return _exact(value) if instant is None else instant.date()


def _exact(value: object) -> str:
    # True and 1, "1" and 1 differ here; a Decimal from a JSON number keeps its digits, marked as no text.
    return json.dumps(value, sort_keys=True, default=lambda number: ["number", str(number)])
