"""JSON Schema, as far as the sandbox needs it: building blocks, and the first mistake in a value.

The server checks request bodies against the same schemas that its OpenAPI document shows, so the two cannot differ.
`mistake` knows only the keywords that are used here.

Not here: the fields of a record; they are in `nrb_fields.py` and `invoice_fields.py`.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import NoneType

from auditkit.sandbox.wire import Body, Json

__all__ = [
    "ANYTHING",
    "FLAG",
    "NUMBER",
    "NUMBER_OR_TEXT",
    "SENT",
    "TEXT",
    "Schema",
    "array",
    "described",
    "enum",
    "lenient",
    "mistake",
    "record",
]

Schema = Mapping[str, Json]

SENT = "ToSave"  # ends the title of a schema that is of requests alone
_BIG = 999_999_999_999
_LONGEST_SHOWN = 40

ANYTHING: Schema = {}
TEXT: Schema = {"type": ["string", "null"]}
FLAG: Schema = {"type": ["boolean", "null"]}
NUMBER: Schema = {"type": ["number", "null"], "minimum": -_BIG, "maximum": _BIG}
NUMBER_OR_TEXT: Schema = {"anyOf": [NUMBER, {"type": "string", "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$"}]}


def described(schema: Schema, description: str) -> Schema:
    """The schema with the page's words about the field."""
    return {**schema, "description": description}


def enum(*values: str | None) -> Schema:
    """One of these values."""
    return {"enum": list(values)}


def array(items: Schema, *, is_nullable: bool = False) -> Schema:
    """An array of such items."""
    return {"type": ["array", "null"] if is_nullable else "array", "items": items}


def record(title: str, properties: Mapping[str, Schema], required: Iterable[str] = ()) -> Schema:
    """An object that may hold these properties and no others. Titles are unique: they name types in OpenAPI."""
    schema = {"title": title, "type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": list(required)} if required else schema


def lenient(schema: Schema) -> Schema:
    """The same schema for a server that reads more than is documented: numbers also as text, unknown fields ignored."""
    if schema.items() >= NUMBER.items():
        kept = {keyword: value for keyword, value in schema.items() if keyword not in NUMBER}
        return {**kept, **NUMBER_OR_TEXT}
    relaxed = {keyword: value for keyword, value in schema.items() if keyword != "additionalProperties"}
    if "properties" in schema:
        relaxed["properties"] = {name: lenient(value) for name, value in schema["properties"].items()}
    if "items" in schema:
        relaxed["items"] = lenient(schema["items"])
    return relaxed


def mistake(value: Json, schema: Schema, where: str) -> str | None:
    """The first way in which a value does not fit its schema, as one line that names the place; None if it fits."""
    if "enum" in schema:
        fits = any(type(value) is type(option) and value == option for option in schema["enum"])
        return None if fits else f"{where}: expected one of {schema['enum']}, found {_shown(value)}"
    if "anyOf" in schema:
        mistakes = [mistake(value, option, where) for option in schema["anyOf"]]
        return None if None in mistakes else mistakes[-1] if isinstance(value, str) else mistakes[0]
    expected = schema.get("type", _ALL_KINDS)
    kinds = [expected] if isinstance(expected, str) else expected
    if _kind(value) not in kinds and not ("number" in kinds and _kind(value) == "integer"):
        return f"{where}: expected {' or '.join(kinds)}, found {_shown(value)}"
    match _kind(value):
        case "object":
            return _mistake_in_object(value, schema, where)
        case "array":
            return _mistake_in_array(value, schema, where)
        case "string":
            fits = "pattern" not in schema or re.fullmatch(schema["pattern"], value) is not None
        case "integer" | "number":
            fits = "minimum" not in schema or schema["minimum"] <= value <= schema["maximum"]
        case _:
            fits = True
    return None if fits else f"{where}: not digits such as 862.50, or out of range"


def _kind(value: Json) -> str:
    return next(kind for types, kind in _KINDS if isinstance(value, types))


_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "boolean"),  # before int, of which it is one in Python
    (int, "integer"),
    (Decimal, "number"),
    (str, "string"),
    (list, "array"),
    (dict, "object"),
    (NoneType, "null"),
)
_ALL_KINDS = [kind for _, kind in _KINDS]


def _shown(value: Json) -> str:
    """What was found, by its kind; a string with its text, cut where it is long."""
    return f"string {value[:_LONGEST_SHOWN]!r}" if isinstance(value, str) else _kind(value)


def _first(mistakes: Iterable[str | None]) -> str | None:
    return next(filter(None, mistakes), None)


def _mistake_in_array(value: list[Json], schema: Schema, where: str) -> str | None:
    if len(value) > schema.get("maxItems", len(value)):
        return f"{where}: expected at most {schema['maxItems']} items, found {len(value)}"
    return _first(mistake(item, schema.get("items", ANYTHING), f"{where}[{at}]") for at, item in enumerate(value))


def _mistake_in_object(value: Body, schema: Schema, where: str) -> str | None:
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            return f"{where}: {name} is missing"
    if not schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", len(value)):
        return f"{where}: expected {schema['minProperties']} field, found {len(value)}"
    others = schema.get("additionalProperties", ANYTHING)
    for name in value:
        if name not in properties and others is False:
            near = difflib.get_close_matches(name, properties, n=1)
            return f"{where}: a request has no field {name!r}{f'; did you mean {near[0]}?' if near else ''}"
    return _first(mistake(item, properties.get(name, others), f"{where}.{name}") for name, item in value.items())
