"""Money, quantities and times: exact, never through a float; a missing value stays None.

Both vendors send money as strings *and* as numbers, and time in two units. A value that a vendor sent is read by
`read_*`, which takes every form that writers of JSON give a number. A value that a person typed, or that we are about
to send, goes through the strict functions (`money`, `quantity`, `time_from_*`), which refuse a doubtful form.
`warehouse/reading.sql` reads by the same rules in bulk; tests compare the two.

Not here: anything that knows a vendor's field name, a table or a setting.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from auditkit.errors import ValueRefused

__all__ = [
    "CENT",
    "SUB_TOTAL",
    "SUB_TOTAL_AND_VENDOR_TAX",
    "cents",
    "did_you_mean",
    "local_day",
    "money",
    "one_line",
    "printable",
    "quantity",
    "read_money",
    "read_quantity",
    "read_time_ms",
    "read_time_s",
    "time_from_ms",
    "time_from_s",
    "time_to_ms",
    "time_to_s",
    "total_after_markup",
]

CENT = Decimal("0.01")
SUB_TOTAL = "SUB_TOTAL"
SUB_TOTAL_AND_VENDOR_TAX = "SUB_TOTAL_AND_VENDOR_TAX"

_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
_NUMERAL = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?")
_SIX_DECIMALS = Decimal("0.000001")
_LIMIT = Decimal(10) ** 15
_INTEGER = re.compile(r"-?[0-9]{1,16}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = datetime(2005, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_FIRST_READ = datetime(1900, 1, 1, tzinfo=UTC)
_LAST_READ = datetime(2200, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_MILLISECOND = timedelta(milliseconds=1)
_MICROSECOND = timedelta(microseconds=1)

Wire = str | int | Decimal | None


def _number(value: Wire, what: str) -> Decimal | None:
    if value is None:
        return None
    if isinstance(value, (bool, float)):
        raise ValueRefused(f"{what}: expected digits, found {type(value).__name__} {value!r}")
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    if not _NUMBER.fullmatch(text):
        raise ValueRefused(f"{what}: expected digits such as 862.50, found {text[:40]!r}")
    return Decimal(text)


def money(value: Wire, what: str = "money") -> Decimal | None:
    """An amount with exactly two decimals, strictly.

    `"862.50"`, `"37.500"`, `10000` and `15438.99` are amounts. A third *significant* decimal, `NaN`, `1e3`,
    `"1,000.00"`, `" 1 "`, full-width digits, a bool and a float raise `ValueRefused`. None stays None.
    """
    number = _number(value, what)
    if number is None:
        return None
    exact = number.quantize(CENT)
    if exact != number:
        raise ValueRefused(f"{what}: expected whole cents, found {value}")
    return exact


def quantity(value: Wire, what: str = "quantity") -> Decimal | None:
    """A rate, quantity or percentage, as strictly as `money`, with up to six decimals kept as they are written."""
    return _number(value, what)


def read_quantity(value: Wire, what: str = "quantity") -> Decimal | None:
    """A number that a vendor sent, rounded half up to six decimals: writers of floats make 16392.469999999998.

    Text, int or Decimal; an exponent is read exactly, blank text is None. Anything else, and 10^15 or more, raises
    `ValueRefused`.
    """
    if value is None or (isinstance(value, str) and _is_blank(value)):
        return None
    if isinstance(value, (bool, float)) or not _NUMERAL.fullmatch(str(value)):
        raise ValueRefused(f"{what}: expected a number such as 862.50, found {str(value)[:40]!r}")
    number = Decimal(value)
    if abs(number) < _LIMIT and abs(number := number.quantize(_SIX_DECIMALS, ROUND_HALF_UP) + 0) < _LIMIT:
        return number
    raise ValueRefused(f"{what}: expected a number of at most 15 digits before the point, found {str(value)[:40]!r}")


def read_money(value: Wire, what: str = "money") -> Decimal | None:
    """An amount that a vendor sent: as `read_quantity`, then rounded half up to the cent."""
    number = read_quantity(value, what)
    return None if number is None else cents(number)


def cents(amount: Decimal) -> Decimal:
    """The amount rounded half up (away from zero) to the cent; `ValueRefused` beyond the digits that money has."""
    try:
        return amount.quantize(CENT, rounding=ROUND_HALF_UP)
    except InvalidOperation:
        raise ValueRefused(f"an amount of {amount:e} has more digits than money") from None


def _time(value: Wire, unit: timedelta, what: str) -> datetime | None:
    if value is None:
        return None
    if isinstance(value, bool) or not _INTEGER.fullmatch(str(value)):
        raise ValueRefused(f"{what}: expected whole epoch units, found {str(value)[:40]!r}")
    count = int(value)
    try:
        instant = _EPOCH + count * unit
    except OverflowError:
        instant = _EPOCH
    if not _EARLIEST <= instant < _LATEST:
        name = "seconds" if unit == _SECOND else "milliseconds"
        raise ValueRefused(f"{what}: {count} is not between 2005 and 2100 in epoch {name}")
    return instant


def time_from_ms(value: Wire, what: str = "time") -> datetime | None:
    """An instant in UTC from Aimsio's epoch **milliseconds**, strictly: whole, and between 2005 and 2100."""
    return _time(value, _MILLISECOND, what)


def time_from_s(value: Wire, what: str = "time") -> datetime | None:
    """An instant in UTC from JobNimbus's epoch **seconds**, as strictly; its 0 means unset."""
    return None if str(value) == "0" else _time(value, _SECOND, what)


def read_time_ms(value: Wire, what: str = "time") -> datetime | None:
    """An instant in UTC that Aimsio sent in epoch milliseconds, in any form of a number, between 1900 and 2200."""
    return _read_time(value, _MILLISECOND, what)


def read_time_s(value: Wire, what: str = "time") -> datetime | None:
    """An instant in UTC that JobNimbus sent in epoch seconds, as `read_time_ms`; its 0 means unset."""
    return None if read_quantity(value, what) == 0 else _read_time(value, _SECOND, what)


def _read_time(value: Wire, unit: timedelta, what: str) -> datetime | None:
    count = read_quantity(value, what)
    if count is None:
        return None
    microseconds = (count * (unit // _MICROSECOND)).to_integral_value(ROUND_HALF_UP)
    try:
        instant = _EPOCH + int(microseconds) * _MICROSECOND
    except OverflowError:
        instant = _EPOCH.replace(year=1)
    if not _FIRST_READ <= instant < _LAST_READ:
        name = "seconds" if unit == _SECOND else "milliseconds"
        raise ValueRefused(f"{what}: expected epoch {name} between the years 1900 and 2200, found {str(value)[:40]!r}")
    return instant


def _is_blank(text: str) -> bool:
    return all(each in "\t\n\f\r " or unicodedata.category(each).startswith("Z") for each in text)


def time_to_ms(instant: datetime) -> int:
    """Epoch milliseconds of an aware instant, exactly (below a millisecond is cut)."""
    return (instant - _EPOCH) // _MILLISECOND


def time_to_s(instant: datetime) -> int:
    """Epoch seconds of an aware instant, exactly (below a second is cut)."""
    return (instant - _EPOCH) // _SECOND


def printable(text: str) -> str:
    """Text for people without what a terminal would act upon; lines stay lines."""
    if text.isprintable():  # most is, and there may be millions
        return text
    return "".join(each if each.isprintable() or each == "\n" else "\N{REPLACEMENT CHARACTER}" for each in text)


def one_line(text: str) -> str:
    """The same in one line."""
    return printable(text.replace("\n", " "))


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """The calendar day of an instant in the account's zone: the day that decides month and cut-off."""
    return instant.astimezone(zone).date()


def total_after_markup(
    rate: Decimal,
    quantity: Decimal,
    upcharge_percent: Decimal | None,
    vendor_tax: Decimal | None,
    applies_on: str | None,
) -> Decimal:
    """What Aimsio charges for an NRB: the markup is a percentage; the result is rounded half up to the cent.

    With `SUB_TOTAL` (also when unset) the vendor's tax is added after the markup: 750 × 1.10 + 37.50 = 862.50, the
    figure of the vendor's own sample. With `SUB_TOTAL_AND_VENDOR_TAX` the tax is marked up as well, by analogy: 866.25.
    """
    subtotal, tax = rate * quantity, vendor_tax or Decimal(0)
    factor = 1 + (upcharge_percent or Decimal(0)) * CENT
    if applies_on == SUB_TOTAL_AND_VENDOR_TAX:
        return cents((subtotal + tax) * factor)
    return cents(subtotal * factor + tax)


def did_you_mean(name: str, known: Iterable[str], *, most: int = 12) -> str:
    """How a message about an unknown name ends: the nearest known name, else the known ones, at most `most`."""
    names = list(known)
    by_case = {each.lower(): each for each in names}
    near = [by_case[each] for each in difflib.get_close_matches(name.lower(), by_case, n=1)]
    if near:
        return f"did you mean {near[0]}?"
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"there are {', '.join(names[:most])}{more}" if names else "there are none"
