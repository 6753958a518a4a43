"""Every operation, by name. To add one, write its class and list it here."""

from collections.abc import Mapping

from auditkit.corrections.operations.add_line import AddLine
from auditkit.corrections.operations.base import Operation
from auditkit.corrections.operations.create_invoice import CreateInvoice
from auditkit.corrections.operations.create_nrb import CreateNrb
from auditkit.corrections.operations.deactivate_invoice import DeactivateInvoice
from auditkit.corrections.operations.edit_invoice import EditInvoice
from auditkit.corrections.operations.edit_nrb import EditNrb
from auditkit.errors import PlanError
from auditkit.values import did_you_mean

__all__ = ["OPERATIONS", "operation_named"]

OPERATIONS: Mapping[str, Operation] = {
    each.name: each for each in (EditNrb(), CreateNrb(), EditInvoice(), AddLine(), CreateInvoice(), DeactivateInvoice())
}


def operation_named(name: str) -> Operation:
    """The operation of a name. Raises `PlanError`, with the nearest name, where there is none."""
    if name not in OPERATIONS:
        raise PlanError(f"there is no operation {name!r}; {did_you_mean(name, OPERATIONS)}")
    return OPERATIONS[name]
