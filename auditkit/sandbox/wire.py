"""JSON, read strictly and written exactly: a number with a fraction is a Decimal, never a float.

Not here: what a body means, or which fields it may have.
"""

import json
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, NoReturn

__all__ = ["CENT", "EXACT", "Body", "Json", "dumps", "loads", "loads_stored"]

Json = Any  # any JSON value, with Decimal for a fraction
Body = dict[str, Json]

CENT = Decimal("0.01")
EXACT = Context(prec=100, rounding=ROUND_HALF_UP)  # wide enough that no product of two accepted numbers is rounded
_MOST_DIGITS = 400  # covers every finite double; Decimal would also take 1e999999999 and print it in full


def loads(data: bytes) -> Json:
    """The value of a request body or parameter. Raises ValueError for anything that is not strict JSON in UTF-8."""
    text = data.decode("utf-8")
    try:
        value = json.loads(text, parse_float=_fraction, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if "\\ud" in text.lower():
        json.dumps(value, ensure_ascii=False, default=str).encode("utf-8")  # raises for half a surrogate pair
    return value


def loads_stored(text: str) -> Body:
    """A body of the state file; numbers keep their digits."""
    body: Body = json.loads(text, parse_float=Decimal)
    return body


def dumps(value: Json) -> str:
    """Compact ASCII JSON; a Decimal becomes a number with exactly its digits."""
    try:
        return _encode(value)
    except TypeError:  # it holds a Decimal, which is written here; parts without one go to the fast encoder
        if isinstance(value, dict):
            return "{" + ",".join([f"{_encode(key)}:{dumps(item)}" for key, item in value.items()]) + "}"
        if isinstance(value, (list, tuple)):
            return "[" + ",".join([dumps(item) for item in value]) + "]"
        return format(value, "f")


_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


def _fraction(text: str) -> Decimal | int:
    number = Decimal(text)
    if not -_MOST_DIGITS <= number.adjusted() <= _MOST_DIGITS or len(text) > _MOST_DIGITS:
        raise ValueError(f"a number out of range: {text[:20]}")
    whole = int(number)
    return whole if whole == number else number  # 2.0 is an integer in JSON Schema, so it is one here


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")
