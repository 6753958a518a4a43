"""add-line: add lines to an invoice."""

from collections.abc import Iterator, Mapping, Sequence

from auditkit.corrections.operations.base import Values
from auditkit.corrections.operations.invoice import InvoiceOperation
from auditkit.errors import PlanError

__all__ = ["AddLine"]


class AddLine(InvoiceOperation):
    """Add lines to an invoice, and leave the others as they are."""

    name = "add-line"
    charges = "adds"
    fields = frozenset({"items"})

    def requested(self, given: Values) -> tuple[Values, tuple[Values, ...]]:
        """`items` are the new lines alone."""
        lines = given.get("items")
        is_array = isinstance(lines, (list, tuple)) and all(isinstance(line, Mapping) for line in lines)
        if not lines or not is_array:
            raise PlanError("add-line: items must be the new lines: an array of one object or more")
        return {name: value for name, value in given.items() if name != "items"}, tuple(lines)

    def line_problems(self, before: Sequence[Values], after: Sequence[Values]) -> Iterator[str]:
        """Every line stays, and a new one has no jnid yet."""
        if list(after[: len(before)]) != list(before) or len(after) <= len(before):
            yield "add-line keeps every line and adds some; use edit-invoice to change lines"
        if any(line.get("jnid") for line in after[len(before) :]):
            yield "a new line must not have the jnid of another"
