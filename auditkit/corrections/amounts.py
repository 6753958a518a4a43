"""An amount as a vendor sends it: text, a whole number or a Decimal.

Not here: what an amount belongs to (operations, invoice_lines) and how it is shown (render).
"""

from decimal import Decimal

from auditkit.errors import ValueRefused
from auditkit.values import quantity

__all__ = ["amount"]


def amount(value: object) -> Decimal | None:
    """The amount that a vendor sent; None where the value is not one."""
    try:
        return quantity(value) if isinstance(value, (str, int, Decimal)) else None
    except ValueRefused:
        return None
