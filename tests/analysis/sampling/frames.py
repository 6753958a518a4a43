"""Populations to draw from."""

import random
from collections.abc import Mapping
from decimal import Decimal

import pandas as pd

__all__ = ["ledger", "population"]


def population(amounts: Mapping[str, object], **columns: object) -> pd.DataFrame:
    """A frame of ids and exact amounts, with more columns."""
    exact = [None if amount is None else Decimal(str(amount)) for amount in amounts.values()]
    return pd.DataFrame({"id": list(amounts), "amount": pd.Series(exact, dtype=object), **columns})


def ledger(items: int = 500, *, seed: int = 7) -> pd.DataFrame:
    """Skewed amounts to the cent, the same for the same seed."""
    numbers = random.Random(seed)
    return population({f"N-{n:04}": round(numbers.lognormvariate(5, 1), 2) for n in range(items)})
