"""What JobNimbus does to an invoice: create it, merge changes into it, compute its totals, answer it.

Everything here takes and returns bodies. What had to be invented is listed in `invented.py`.

Not here: HTTP, and the types of fields, which were checked before.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation, localcontext
from typing import Any

from auditkit.sandbox.behaviors import Behaviors
from auditkit.sandbox.clock import seconds
from auditkit.sandbox.invented import status_name
from auditkit.sandbox.state import State
from auditkit.sandbox.wire import CENT, EXACT, Body, Json, loads_stored

__all__ = ["MONEY", "changed_invoice", "new_invoice", "slim", "with_strings"]

_NAMESPACE = uuid.UUID("5a0db0c5-7e57-4a11-8c0e-a1b51054ad02")
# What a write stores as it comes. Items, related records, tax and cost are completed first; the rest is computed.
_WRITABLE = frozenset(
    {
        *("attachment_id", "customer", "date_due", "date_invoice", "esigned", "external_id", "internal_note"),
        *("is_active", "is_archived", "location", "note", "number", "owners", "sales_rep", "sales_rep_name"),
        *("sections", "status", "template_id", "terms"),
    }
)
_SENT_NUMBERS = frozenset({"tax", "cost"})

_BLANK: Mapping[str, Any] = {
    "type": "invoice",
    **dict.fromkeys(("external_id", "guid", "merged", "class_id", "class_name", "supplier", "recid")),
    **dict.fromkeys(("attachment_id", "customer", "created_by", "created_by_name", "date_created", "date_updated")),
    "esigned": False,
    "is_active": True,
    "is_archived": False,
    "related": [],
    **dict.fromkeys(("status", "status_name", "number")),
    "location": {"id": 1},
    **dict.fromkeys(("subtotal", "margin", "tax", "total", "cost", "total_paid", "due"), 0),
    "terms": None,
    "note": "",
    **dict.fromkeys(("date_due", "date_invoice", "date_status_change", "date_paid_in_full")),
    "items": [],
    "sections": [],
    "payments": [],
    "owners": [],
    **dict.fromkeys(("sales_rep", "sales_rep_name", "jnid")),
    "internal_note": "",
    **dict.fromkeys(("template_id", "first_payment_date", "version", "duplicate_from_id")),
}
_BLANK_LABOR: Mapping[str, Any] = {
    "quickbooksId": None,
    "price": 0,
    "preSurchargePrice": None,
    "cost": 0,
    **dict.fromkeys(("addMarkup", "addMarkupIsExcluded")),
    "amount": 0,
    **dict.fromkeys(("tax_couch_id", "tax_name")),
    "tax_rate": 0,
}
_BLANK_ITEM: Mapping[str, Any] = {
    **dict.fromkeys(("quickbooksId", "showGroupTotal", "addMarkup", "addMarkupIsExcluded")),
    "photos": [],
    **dict.fromkeys(("jnid", "name", "uom", "item_type", "description")),
    "quantity": 1,
    "price": 0,
    "preSurchargePrice": None,
    "cost": 0,
    "amount": 0,
    **dict.fromkeys(("tax_couch_id", "tax_name")),
    "tax_rate": 0,
    "labor": _BLANK_LABOR,
    **dict.fromkeys(("sku", "color", "category")),
}
_ITEM_NUMBERS = frozenset({"quantity", "price", "cost", "tax_rate"})
_LABOR_NUMBERS = frozenset({"price", "cost", "amount", "tax_rate"})

MONEY = frozenset({"subtotal", "tax", "total", "cost", "total_paid", "due", "price", "amount"})
_SECONDARY = frozenset({"sections", "owners", "photos", "template_id", "margin"})
_NEVER_DROPPED = frozenset({"jnid", "number", "subtotal", "tax", "total", "due", "related", "items", "status"})


def new_invoice(sent: Body, state: State, behaviors: Behaviors, now: datetime, actor: str | None) -> Body:
    """The invoice that a POST creates: what was sent, what JobNimbus computes, and defaults for the rest."""
    count = state.next_number("invoice")
    identity = uuid.uuid5(_NAMESPACE, f"invoice {count}")
    blank = {
        **_BLANK,
        "jnid": identity.hex[:24],
        "guid": str(identity).upper(),
        "recid": count,
        "number": str(count),
        "created_by": actor or "api",
        "created_by_name": actor or "API",
        "date_created": sent.get("date_created") or seconds(now),
        "date_status_change": seconds(now),
    }
    given = {name: value for name, value in sent.items() if value is not None}
    return changed_invoice(blank, given, state, behaviors, now)


def changed_invoice(before: Body, sent: Body, state: State, behaviors: Behaviors, now: datetime) -> Body:
    """The invoice after a PUT: top-level fields merged, read-only ones ignored, date_updated moved forward."""
    after = {**before, **{name: value for name, value in sent.items() if name in _WRITABLE}}
    after |= {name: _number(sent[name] or 0) for name in _SENT_NUMBERS & sent.keys()}
    if "related" in sent:
        after["related"] = [_related(item, state) for item in sent["related"]]
    if "items" in sent:
        after["items"] = _items(sent["items"], before["items"] if behaviors.items == "merged" else (), before["jnid"])
    if after["status"] != before["status"]:
        after["status_name"] = state.value_of("status", str(after["status"])) or status_name(after["status"])
        after["date_status_change"] = seconds(now)
    if sent.keys() & {"items", "tax"}:
        after |= _totals(after)
    last = before.get("date_updated")
    after["date_updated"] = max(seconds(now), last + 1) if isinstance(last, int) else seconds(now)
    return after


def _related(sent: Body, state: State) -> Body:
    known = state.value_of("related", sent["id"], scope=sent["type"])
    if known is not None:
        return loads_stored(known)
    return {"id": sent["id"], "name": None, "number": None, "type": sent["type"], "email": None, "subject": None}


def _items(sent: Sequence[Body], stored: Sequence[Body], jnid: str) -> list[Body]:
    """The items after a write: what was sent, each merged into the stored item of its jnid if there is one."""
    items = [dict(item) for item in stored]
    free = {at: item.get("jnid") for at, item in enumerate(items)}
    for item in sent:
        at = next((at for at, its_jnid in free.items() if its_jnid == item.get("jnid") is not None), None)
        if at is None:
            own = {"jnid": uuid.uuid5(_NAMESPACE, f"{jnid} item {len(items)}").hex[:24]}
            items.append(_item(item, {**_BLANK_ITEM, **own}))
        else:
            del free[at]
            items[at] = _item(item, items[at])
    return items


def _item(sent: Body, base: Body) -> Body:
    item = {**base, **{name: sent[name] for name in _BLANK_ITEM if sent.get(name) is not None}}
    item |= {name: _number(item[name]) for name in _ITEM_NUMBERS & sent.keys()}
    labor = {**_BLANK_LABOR, **(base["labor"] or {}), **(sent.get("labor") or {})}
    item["labor"] = labor | {name: _number(labor[name] or 0) for name in _LABOR_NUMBERS}
    with localcontext(EXACT):
        item["amount"] = _number((Decimal(item["quantity"]) * Decimal(item["price"])).quantize(CENT))
    return item


def _totals(body: Body) -> Body:
    """Subtotal = Σ amounts, total = subtotal + tax, due = total − total_paid; unchanged if one of them is no amount."""
    try:
        with localcontext(EXACT):
            subtotal = sum((Decimal(item["amount"]) for item in body["items"]), Decimal(0))
            total = subtotal + Decimal(body["tax"] or 0)
            due = total - Decimal(body["total_paid"] or 0)
    except (InvalidOperation, TypeError, ValueError):
        return {}
    return {"subtotal": _number(subtotal), "total": _number(total), "due": _number(due)}


def _number(value: str | int | Decimal) -> int | Decimal:
    """A number as in the samples: 10000, 15438.99, without zeros at the end of a fraction."""
    number = Decimal(value)
    whole = int(number)
    return whole if number == whole else number.normalize(EXACT)


def with_strings(value: Json) -> Json:
    """The same body with its money as JSON strings, at every depth."""
    if isinstance(value, list):
        return [with_strings(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: _text(item) if name in MONEY else with_strings(item) for name, item in value.items()}


def _text(value: Json) -> Json:
    is_number = isinstance(value, (int, Decimal)) and not isinstance(value, bool)
    return format(Decimal(value), "f") if is_number else value


def slim(body: Body) -> Body:
    """A list row without null, empty and secondary fields, also within its items; ids, dates and totals stay."""
    kept = {name: value for name, value in body.items() if not _is_dropped(name, value)}
    if isinstance(kept.get("items"), list):
        kept["items"] = [slim(item) if isinstance(item, dict) else item for item in kept["items"]]
    return kept


def _is_dropped(name: str, value: Json) -> bool:
    if name in _NEVER_DROPPED or name.startswith("date_"):
        return False
    return name in _SECONDARY or value is None or value in ("", [], {})
