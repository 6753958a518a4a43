"""JSON without surprises: reading loses nothing, writing is exact.

Python's `json` keeps the last of two equal keys, accepts `NaN`, turns 862.50 into a float and follows any depth. Here
each of those is a `BadAnswer` that names the place, and a number with a point is a `Decimal`, both ways.

Not here: what the values mean. That is `values` (money, time) and each client (records).
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from auditkit.errors import BadAnswer, ValueRefused

__all__ = ["MAX_DEPTH", "MAX_DIGITS", "CutShort", "dump", "loose_value", "parse", "split_rows"]

MAX_DEPTH = 64
MAX_DIGITS = 40

_LONGEST_LITERAL = len("false")
_NOT_UTF8 = re.compile("[\udc80-\udcff]")
_SPACE = re.compile(r"[ \t\n\r]*")
_SCANNER = json.JSONDecoder(parse_int=str, parse_float=str, strict=False)


class CutShort(BadAnswer):
    """JSON that ends too early: the rest may have been lost on its way, and may come with the next attempt."""


def parse(text: str, where: str) -> Any:  # noqa: ANN401 - JSON is any of seven types; the caller checks which
    """The value of a JSON text; numbers with a point or exponent come as `Decimal`.

    Duplicate keys, NaN and Infinity, more than 64 levels, integers of more than 40 digits, and bytes that are not UTF-8
    (in a text that was decoded with `surrogateescape`) raise `BadAnswer`, whose message starts with `where`; a text
    that ends within its object or array raises `CutShort`, which is one.
    """
    if not text.isascii() and (found := _NOT_UTF8.search(text)):
        raise BadAnswer(f"{where}: expected UTF-8, found another byte at {len(text[: found.start()].encode())}")

    def integer(digits: str) -> int:
        if len(digits) > MAX_DIGITS:
            raise BadAnswer(f"{where}: expected a number, found an integer of {len(digits)} digits")
        return int(digits)

    def fraction(literal: str) -> Decimal:
        try:
            return Decimal(literal)
        except InvalidOperation:
            raise BadAnswer(f"{where}: expected a number, found {literal[:40]}") from None

    def constant(name: str) -> NoReturn:
        raise BadAnswer(f"{where}: expected a number, found {name}, which JSON does not have")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) < len(pairs):
            twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
            raise BadAnswer(f"{where}: expected each key once, found {twice[:40]!r} more than once in one object")
        return members

    try:
        value = json.loads(
            text, parse_int=integer, parse_float=fraction, parse_constant=constant, object_pairs_hook=unique
        )
    except json.JSONDecodeError as error:
        kind = CutShort if _ends_early(text, error) else BadAnswer
        raise kind(f"{where}: expected JSON, found none at line {error.lineno}: {error.msg}") from None
    except RecursionError:
        raise BadAnswer(f"{where}: expected at most {MAX_DEPTH} levels of JSON, found far more") from None
    _refuse_depth(value, where)
    return value


def split_rows(text: str, key: str, where: str) -> tuple[dict[str, Any], list[str]]:
    """An object whose array under a top-level key is empty, and the exact source text of each row of that array.

    The object is parsed strictly, the rows are not: parse each, so that one bad row is one bad row. The slices are as
    they came, so that a digest over one is a digest over what the vendor sent. No such array, or text that is not JSON
    at all, raises `BadAnswer`.
    """
    try:
        slices, envelope = _rows(text, key)
    except (json.JSONDecodeError, RecursionError, _NoArray):
        whole = parse(text, where)  # raises for what is not JSON
        found = type(whole).__name__
        raise BadAnswer(f"{where}: expected an array under {key!r}, found {found}") from None
    return parse(envelope, where), slices


def loose_value(text: str) -> Any:  # noqa: ANN401 - JSON is any of seven types; the caller checks which
    """The value of a row that `split_rows` gave and `parse` refuses, to find out which record it is."""
    return _SCANNER.raw_decode(text)[0]


def dump(value: object) -> str:
    """JSON text of a value, compact, in the order given, in ASCII; a `Decimal` becomes exactly its digits: 862.50.

    A float, a Decimal that is no number, a key that is no text and any other type raise `ValueRefused`.
    """
    match value:
        case None | bool() | int() | str():
            return json.dumps(value)
        case Decimal() if value.is_finite():
            return format(value, "f")
        case Mapping():
            for key in value:
                if not isinstance(key, str):
                    raise ValueRefused(f"JSON: expected a text as key, found {type(key).__name__}")
            return "{" + ",".join(f"{json.dumps(key)}:{dump(member)}" for key, member in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(dump(member) for member in value) + "]"
    raise ValueRefused(f"JSON: expected text, whole number, Decimal, true, false or null, found {type(value).__name__}")


def _ends_early(text: str, error: json.JSONDecodeError) -> bool:
    read = text.strip()
    if not read.startswith(("{", "[")) or error.msg == "Extra data":
        return False
    if error.msg.startswith("Unterminated string") or not text[error.pos :].strip():
        return True
    return len(text) - error.pos <= _LONGEST_LITERAL and read[-1] not in "]}"


def _refuse_depth(value: object, where: str) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node if isinstance(node, list) else ())
            if isinstance(child, (dict, list))
        ]
        if not level:
            return
    raise BadAnswer(f"{where}: expected at most {MAX_DEPTH} levels of JSON, found more")


class _NoArray(Exception):
    """The text has no object with an array under the key."""


def _rows(text: str, key: str) -> tuple[list[str], str]:
    """The slices of the first array under a key, and the text without them."""
    start = _array_start(text, key)
    slices: list[str] = []
    end = _skip(text, start + 1)
    while text[end : end + 1] != "]":
        row = _skip(text, end + 1) if slices else end
        after = _SCANNER.raw_decode(text, row)[1]
        slices.append(text[row:after])
        end = _skip(text, after)
        if text[end : end + 1] not in ("]", ","):
            raise _NoArray
    return slices, f"{text[:start]}[{text[end:]}"


def _array_start(text: str, wanted: str) -> int:
    position = _skip(text, 0)
    if text[position : position + 1] != "{":
        raise _NoArray
    while True:
        key, end = _SCANNER.raw_decode(text, _skip(text, position + 1))
        start = _skip(text, _skip(text, end) + 1)
        if key == wanted and text[start : start + 1] == "[":
            return start
        position = _skip(text, _SCANNER.raw_decode(text, start)[1])
        if text[position : position + 1] != ",":
            raise _NoArray


def _skip(text: str, position: int) -> int:
    space = _SPACE.match(text, position)
    return space.end() if space else position
