"""What is true of every operation on a JobNimbus invoice.

Not here: the operations themselves, each in a file of its own, and what lines add up to (invoice_lines.py).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from auditkit.corrections.amounts import amount
from auditkit.corrections.diff import covers
from auditkit.corrections.invoice_lines import (
    line_changes,
    line_total,
    unpredictable_lines,
    unreadable_lines,
    wrong_subtotal,
)
from auditkit.corrections.operations.base import Operation, Reversal, Subject, Values
from auditkit.errors import PlanError
from auditkit.values import time_to_s
from auditkit.vendors.bodies import READ_ONLY_INVOICE_FIELDS, InvoiceChange

__all__ = ["EDITABLE_FIELDS", "TAX_STAYS", "InvoiceOperation", "related_labels"]

TAX_STAYS = "JobNimbus does not compute the tax again when lines change: check the tax of each invoice there"
EDITABLE_FIELDS = frozenset(
    {"external_id", "number", "date_invoice", "date_due", "items", "note", "internal_note", "terms", "is_active"}
)


class InvoiceOperation(Operation):
    """An operation on an invoice. JobNimbus does not say how long a request may take effect: a minute is assumed."""

    system = "jobnimbus"
    id_field = "jnid"
    key_field = "external_id"
    quiet = 60.0
    model: ClassVar[type[BaseModel]] = InvoiceChange
    read_only = READ_ONLY_INVOICE_FIELDS
    body_query = "queries/invoice_body"
    id_query = "queries/invoice_by_number"

    def problems(self, change: Subject) -> Iterator[str]:
        """Lines must be readable, and the totals after the change known beforehand."""
        if "items" not in change.after:
            return
        if change.after["items"] is None:
            yield "items cannot be null; an empty array removes every line"
            return
        before, after = self._lines(change)
        yield from unreadable_lines(after)
        yield from self.line_problems(before, after)
        if not self.creates:
            yield from wrong_subtotal(before, change.before.get("subtotal"))
        yield from unpredictable_lines(before, after)

    def line_problems(self, before: Sequence[Values], after: Sequence[Values]) -> Iterable[str]:  # noqa: ARG002
        """What this operation refuses of lines beyond what all refuse, in words."""
        return ()

    def expected(self, change: Subject) -> dict[str, Decimal]:
        """Subtotal, total and due, each changed by what the lines change by."""
        if "items" not in change.after:
            return {}
        before, after = self._lines(change)
        difference = line_total(after) - line_total(before)
        amounts = {name: amount(value) for name, value in self.totals_before(change).items()}
        return {name: value + difference for name, value in amounts.items() if value is not None}

    def totals_before(self, change: Subject) -> Values:
        """The totals that the lines change."""
        return {name: change.before.get(name) for name in ("subtotal", "total", "due")}

    def money(self, change: Subject) -> Decimal:
        """What the lines change by; the whole invoice where it is activated or deactivated."""
        lines = line_changes(*self._lines(change)) if "items" in change.after else Decimal(0)
        if self.creates or "is_active" not in change.after:
            return lines
        totals = (amount(change.before.get(name)) for name in ("subtotal", "total"))
        known = [abs(total) for total in totals if total is not None]
        if not known:
            raise PlanError(f"{change.object_id}: its amount is not known, so nobody can approve this; enter it first")
        return max(lines, *known)

    def undo(self, change: Subject, also_changed: tuple[str, ...]) -> Reversal:
        """Back to the values before; lines without their amounts, which JobNimbus computes again."""
        emptied = dict.fromkeys(name for name in also_changed if name in EDITABLE_FIELDS)
        values = {name: change.before.get(name) for name in (*change.after, *emptied)}
        if "items" in values:
            lines = values["items"] or []
            values["items"] = [{name: value for name, value in line.items() if name != "amount"} for line in lines]
        return Reversal("edit-invoice", values, {**emptied, **change.after})

    def conditions(self, change: Subject) -> tuple[str, ...]:
        """That the tax stays, where lines of a taxed invoice change."""
        return (TAX_STAYS,) if "items" in change.after and amount(change.before.get("tax")) else ()

    @staticmethod
    def _lines(change: Subject) -> tuple[Sequence[Values], Sequence[Values]]:
        return change.before.get("items") or [], change.after["items"]

    def differences(self, snapshot: Values, body: Values) -> list[str]:
        """The snapshot holds a row of JobNimbus's list, which may lack fields but may not have other ones."""
        return sorted(name for name, value in snapshot.items() if not covers(value, body.get(name), name))

    def names(self, record: Values) -> list[str]:
        """Its number and jobs."""
        number = record.get("number")
        own = f"invoice {number}" if number else "an invoice without a number"
        return [own, *related_labels(record.get("related"), only="job")]

    def time_of_day(self, day: date, zone: ZoneInfo) -> int:
        """The first second of the day in the zone."""
        return time_to_s(datetime.combine(day, time(), zone).astimezone(UTC))


def related_labels(related: Any, only: str | None = None) -> list[str]:  # noqa: ANN401 — any JSON
    """What an invoice belongs to: kind, then number and name, else the id. `only` keeps one kind."""
    labels = []
    for each in related if isinstance(related, list) else []:
        kind, number, name = (
            each.get(key) if isinstance(each, Mapping) else None for key in ("type", "number", "name")
        )
        if only in (None, kind):
            first, *more = [str(text) for text in (number, name) if text] or [str(each.get("id"))]
            labels.append(f"{kind} {first}{f' ({more[0]})' if more else ''}")
    return labels
