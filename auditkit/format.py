"""A value as text: one set of rules for pages, terminals, notebooks and Excel, and one for programs.

    value              for people              for programs (CSV)
    NULL               (empty)                 (empty)
    Decimal, int       -1,234,567.50           -1234567.50        every digit, never an exponent
    float              1,234.5                 1234.5
    bool               yes                     true
    date               2026-09-30              2026-09-30
    datetime           2026-09-30 18:00+00:00  2026-09-30T18:00:00+00:00
    list, struct       ["x", "1.10"]           the same JSON; amounts in it are text

Not here: escaping and alignment, which each sink does for itself.
"""

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

import numpy as np

__all__ = ["for_people", "for_programs", "money"]


def for_people(value: object) -> str:
    """A value as a person reads it: numbers with thousands separators. Text is as it is, hostile or not."""
    match value:
        case bool() | np.bool_():
            return "yes" if value else "no"
        case int() | np.integer() | float():
            return f"{value:,}"
        case Decimal() if value.is_finite():
            return f"{value:,f}"
        case datetime() if value == value:  # noqa: PLR0124  pandas' NaT is a datetime that does not equal itself
            return value.isoformat(sep=" ", timespec="minutes")
    return _for_both(value)


def for_programs(value: object) -> str:
    """A value as a program reads it: every digit, no separators, ISO 8601."""
    match value:
        case bool() | np.bool_():
            return "true" if value else "false"
        case str() | int() | float():
            return str(value)
        case Decimal():
            return f"{value:f}"
        case datetime() if value == value:  # noqa: PLR0124  as above
            return value.isoformat()
    return _for_both(value)


def money(amount: Decimal) -> str:
    """An amount for people, with two decimals."""
    return f"{amount:,.2f}"


def _for_both(value: object) -> str:
    match value:
        case None:
            return ""
        case list() | tuple() | Mapping():
            return json.dumps(value, default=for_programs, ensure_ascii=False)
        case datetime():
            return ""  # NaT
        case date():
            return value.isoformat()
    return str(value)
