"""A change in words, for the person who must check it before signing: each field before → after.

Everything follows from the before-image and the new values, as the request does, so that both show the same.

Not here: what is signed and sent (plan, operations), and tables (terminal).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from decimal import Decimal
from typing import Any

from auditkit.corrections.amounts import amount
from auditkit.corrections.diff import covers
from auditkit.corrections.invoice_lines import line_total
from auditkit.corrections.operations.invoice import related_labels
from auditkit.errors import ValueRefused
from auditkit.values import CENT
from auditkit.vendors.bodies import TIMES

__all__ = ["Cell", "DisplayNames", "rendered_fields"]

Cell = str | int | bool | Decimal | None
Values = Mapping[str, Any]

_MONEY = frozenset(
    {"nrbRate", "nrbVendorTax", "nrbTotalAfterMarkup", "subtotal", "total", "due", "price", "cost", "amount"}
)


@dataclass(frozen=True)
class DisplayNames:
    """What a home knows and a plan does not contain: the account's time zone and the names of JobNimbus's statuses."""

    zone: tzinfo = UTC
    statuses: Mapping[int, str] = field(default_factory=dict)


def rendered_fields(
    before: Values, after: Values, follows: Mapping[str, Decimal], words: DisplayNames
) -> Iterator[tuple[str, Cell, Cell]]:
    """Each changed field, each line that is added, removed or changed, and each expected amount: name, before, after.

    Money is Decimal with two decimals, or more where it has more. A day is text, 2026-07-03, with the time where the
    day stays the same.
    """
    for name, value in after.items():
        was = before.get(name)
        if name in TIMES:
            yield name, *_times(name, was, value, words.zone)
        else:
            yield name, _shown(name, was, words), _shown(name, value, words)
    if "items" in after:
        yield from _lines(before.get("items") or [], after["items"])
    for name, due in follows.items():
        yield f"{name} (computed)", _shown(name, before.get(name), words), _shown(name, due, words)


def _shown(name: str, value: Any, words: DisplayNames) -> Cell:  # noqa: ANN401 — any JSON
    if value is None:
        return None
    if name == "items":
        return f"{len(value)} line{'s' * (len(value) != 1)}, {line_total(value):,.2f}"
    if name == "related":
        return ", ".join(related_labels(value))
    if name == "status" and value in words.statuses:
        return f"{words.statuses[value]} ({value})"
    if name in _MONEY and (known := amount(value)) is not None:
        return _money(known)
    return format(value, "f") if isinstance(value, Decimal) else value


def _times(name: str, before: Any, after: Any, zone: tzinfo) -> tuple[Cell, Cell]:  # noqa: ANN401 — any JSON
    read = TIMES[name]
    try:
        instants = [instant and instant.astimezone(zone) for instant in (read(before, name), read(after, name))]
    except ValueRefused:
        return before, after  # what a vendor holds may be anything
    one, other = (f"{instant:%Y-%m-%d}" if instant else None for instant in instants)
    if one == other:
        one, other = (f"{instant:%Y-%m-%d %H:%M:%S}" if instant else None for instant in instants)
    return one, other


def _lines(before: Sequence[Values], after: Sequence[Values]) -> Iterator[tuple[str, Cell, Cell]]:
    """Each line that is added, removed or changed: which, before, after. One sent without amount keeps its amount."""
    old = {str(item.get("jnid")): item for item in before}
    for item in after:
        was = old.pop(str(item.get("jnid")), None)
        if was is None:
            yield "items: new line", None, _line(item)
            continue
        names = was.keys() | item if "amount" in item else (was.keys() | item) - {"amount"}
        changed = [name for name in sorted(names) if not _is_same(name, was.get(name), item.get(name))]
        if changed or line_total([was]) != line_total([item]):
            words = ", ".join(f"{name} {_figure(name, was)} → {_figure(name, item)}" for name in changed)
            yield "items: changed line", _line(was), f"{_line(item)}{f' ({words})' if words else ''}"
    for item in old.values():
        yield "items: removed line", _line(item), None


def _is_same(name: str, one: object, other: object) -> bool:
    return covers(one, other, name) and covers(other, one, name)


def _figure(name: str, item: Values) -> str:
    value = _shown(name, item.get(name), DisplayNames())
    return f"{value:,}" if isinstance(value, Decimal) else str(value)


def _line(item: Values) -> str:
    """Name, description and amount of a line, with quantity and price where they are not obvious."""
    words = " · ".join(str(item[name]) for name in ("name", "description") if item.get(name))
    number, price = amount(item.get("quantity")), amount(item.get("price"))
    product = ""
    if number is not None and price is not None and (number != 1 or price != round(price, 2)):
        product = f"{_plain(number)} × {_money(price):,} = "
    return f"{words}: {product}{line_total([item]):,.2f}"


def _money(value: Decimal) -> Decimal:
    return value.quantize(CENT) if value == round(value, 2) else _plain(value)


def _plain(value: Decimal) -> Decimal:
    """Without zeros at its end, and without an exponent."""
    return Decimal(f"{value.normalize():f}")
