"""Every threshold of linking, with the measurement behind it. The steps in `sql/link` take them as parameters.

Changing one shows its effect on the untidy worlds of `benchmarks.linking`.
"""

from decimal import Decimal

__all__ = ["ASKS", "CHANCE", "SETTLES", "SQL_PARAMETERS", "SUM_RANGE", "TWICE", "rounding"]

# Points of evidence. At 3 no pair of 3,000 in ten untidy worlds was wrong; at 2 one in twelve was.
SETTLES = 3
ASKS = 2

# How many coincidences may be expected in one block (Markov: so is the chance of any). Measured on 2,000 unrelated
# blocks of each of eight kinds: 0 to 3 false pairs, 0 to 2 false groups, where the bound allows 2 of each.
CHANCE = Decimal("0.001")

# NRBs that share a vendor's number may differ so much from the lines that name it, and still be what these charge for.
SUM_RANGE = (Decimal("0.80"), Decimal("1.25"))

# Charged within this share of twice the total: charged twice, rather than too much.
TWICE = Decimal("0.05")

SQL_PARAMETERS: dict[str, int | Decimal] = {"settles": SETTLES, "asks": ASKS, "chance": CHANCE, "twice": TWICE}


def rounding(members: int) -> int:
    """How many cents a sum of rounded amounts may differ from a rounded sum."""
    return (members + 1) // 2
