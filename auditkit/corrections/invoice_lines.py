"""The lines of a JobNimbus invoice: what they add up to, how much a change of them moves, and which changes are safe.

JobNimbus computes an invoice's totals from its lines. A change whose result cannot be computed beforehand is refused,
because nobody could check it afterwards.

Not here: the rest of the invoice (operations/invoice.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from auditkit.corrections.amounts import amount
from auditkit.values import cents

__all__ = ["line_changes", "line_total", "unpredictable_lines", "unreadable_lines", "wrong_subtotal"]

Line = Mapping[str, Any]

_FIGURES = ("quantity", "price", "cost", "amount", "tax_rate")
_NEW_LINE_FIELDS = frozenset(
    {"name", "description", "item_type", "uom", "quantity", "price", "cost", "sku", "color", "category"}
)


def line_total(lines: Sequence[Line]) -> Decimal:
    """The sum of the lines' amounts: the amount that JobNimbus gives, else quantity × price rounded to cents."""
    return sum((_amount(line) for line in lines), Decimal("0.00"))


def line_changes(before: Sequence[Line], after: Sequence[Line]) -> Decimal:
    """The money that a change of lines moves: Σ |Δ amount| + Σ |Δ labor|, lines matched by jnid.

    A line that is added or removed counts in full, so that two changes that offset each other do not hide.
    """
    nothing = (Decimal(0), Decimal(0))
    old = {line.get("jnid"): (_amount(line), _labor(line)) for line in before}
    total = Decimal(0)
    for line in after:
        old_amount, old_labor = old.pop(line["jnid"], nothing) if line.get("jnid") else nothing
        total += abs(_amount(line) - old_amount) + abs(_labor(line) - old_labor)
    return total + sum((abs(amount_) + abs(labor) for amount_, labor in old.values()), Decimal(0))


def unreadable_lines(lines: Sequence[Line]) -> Iterator[str]:
    """Lines with a figure that cannot be read, in words: such a figure would count as zero."""
    for number, line in enumerate(lines, start=1):
        labor = line.get("labor")
        if not isinstance(line.get("jnid"), (str, type(None))) or not isinstance(labor, (Mapping, type(None))):
            yield f"line {number}: jnid must be text, labor an object"
            return
        figures = {
            **{name: line.get(name) for name in _FIGURES},
            **{f"labor.{name}": (labor or {}).get(name) for name in _FIGURES},
        }
        if wrong := sorted(name for name, value in figures.items() if value is not None and amount(value) is None):
            yield f"line {number}: {', '.join(wrong)}: expected digits such as 862.50"


def wrong_subtotal(lines: Sequence[Line], subtotal: object) -> Iterator[str]:
    """That lines do not add up to the subtotal of their invoice: JobNimbus would change it by more than planned."""
    total = line_total(lines)
    if amount(subtotal) not in (total, total + sum(map(_labor, lines))):
        yield f"its subtotal {subtotal} is not the sum of its lines, {total}; correct that first"


def unpredictable_lines(before: Sequence[Line], after: Sequence[Line]) -> Iterator[str]:
    """Lines whose amount after a change cannot be computed beforehand, in words.

    It can be where a line that stays is quantity × price, and a new one sets nothing that JobNimbus computes.
    """
    known = {line["jnid"]: line for line in before if line.get("jnid")}
    for number, line in enumerate(after, start=1):
        if line.get("jnid"):
            yield from _changed_amount(known.get(line["jnid"], {}), line)
            continue
        others = sorted(name for name, value in line.items() if value is not None and name not in _NEW_LINE_FIELDS)
        if others:
            yield (
                f"line {number}: a new line does not set {', '.join(others)}; it sets"
                f" {', '.join(sorted(_NEW_LINE_FIELDS))}"
            )


def _changed_amount(old: Line, line: Line) -> Iterator[str]:
    given, (number, price) = amount(line.get("amount")), _factors(line)
    if given is None:
        return
    if old and _factors(old) != (number, price) and given == amount(old.get("amount")):
        yield f"line {line['jnid']}: leave amount out where quantity or price is changed"
    elif cents(number * price) not in (given, given - _labor(line)):
        yield f"line {line['jnid']}: its amount is not quantity × price; correct that first"


def _amount(line: Line) -> Decimal:
    given = amount(line.get("amount"))
    if given is not None:
        return given
    number, price = _factors(line)
    return cents(number * price)


def _factors(line: Line) -> tuple[Decimal, Decimal]:
    return amount(line.get("quantity")) or Decimal(0), amount(line.get("price")) or Decimal(0)


def _labor(line: Line) -> Decimal:
    return amount((line.get("labor") or {}).get("amount")) or Decimal(0)
