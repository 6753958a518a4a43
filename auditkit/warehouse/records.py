"""SQL made from the field tables: the tables of the records, and the macros that read their bodies.

`json_transform` with `r_spec()` turns the body of a record `r` into a struct `f` of JSON tokens in one parse. Then:

- `r_read(source)` reads a relation of (subject_id, position, digest, f) into typed columns. A date is still an instant,
  a list still a token under its wire name; `is_irregular` says whether some token is not in its usual form.
- `r_dated(source, zone, date_zone)` adds the calendar days to the result of `r_read`.
- `r_tokens(f)` lists {field, token}, to look at an irregular body field by field.

Not here: how a token of a kind is read (`reading.sql`), and the order of the steps (`typed/*.sql`).
"""

import json
from collections.abc import Iterator

from auditkit.fields import INVOICE, INVOICE_ITEM, INVOICE_RELATED, NRB, NRB_VERSION, RECORDS, Field, Kind, Record

__all__ = ["field_rows", "macros", "tables"]

_READ = (NRB, INVOICE, INVOICE_ITEM, INVOICE_RELATED)
_DATES = {Kind.DATE_MS: Kind.INSTANT_MS, Kind.DATE_S: Kind.INSTANT_S}
_INSTANTS = (*_DATES, *_DATES.values())
_KEY = "subject_id, position, digest"


def tables() -> str:
    """A script that creates the tables of the records, empty and commented."""
    return "\n".join(line for record in RECORDS for line in _table(record))


def macros() -> str:
    """A script that creates the macros of each record, for this connection only."""
    return "\n".join(
        f"create or replace temp macro {macro};" for record in (*_READ, NRB_VERSION) for macro in _macros(record)
    )


def field_rows() -> list[tuple[str | None, ...]]:
    """(record, field, kind, table, column, what it matters for) of every field that is read."""
    return [
        (
            record.table,
            field.wire,
            field.kind,
            field.table or record.table,
            field.column or field.day,
            field.matters,
        )
        for record in _READ
        for field in _fields(record)
    ]


def _table(record: Record) -> Iterator[str]:
    columns = ", ".join(f"{column.name} {column.type}" for column in record.columns)
    yield f"create or replace table {record.table} ({columns});"
    yield f"comment on table {record.table} is {_literal(record.holds)};"
    for column in record.columns:
        yield f"comment on column {record.table}.{column.name} is {_literal(column.meaning)};"


def _macros(record: Record) -> Iterator[str]:
    name, fields = record.table, _fields(record)
    tokens = ", ".join(f"{_token(field)} as {_name(field)}" for field in fields)
    flags = ", ".join(f"is_irregular_{_form(field)}({_name(field)}) as {_flag(field)}" for field in fields)
    values = ", ".join(value for field in fields for value in _values(field))
    is_irregular = " or ".join(f"coalesce({_flag(field)}, false)" for field in fields)
    yield f"{name}_spec() as {_literal(_spec(fields))}"
    yield (
        f"{name}_read(source) as table with sent as (select {_KEY}, {tokens} from query_table(source)),"
        f" checked as (select *, {flags} from sent)"
        f" select {_KEY}, {values}, {is_irregular} as is_irregular from checked"
    )
    days = ", ".join(day for field in fields for day in _days(field))
    replaced = f"* replace ({days})" if days else "*"
    yield f"{name}_dated(source, zone, date_zone) as table select {replaced} from query_table(source)"
    listed = ", ".join(f"{{'field': {_literal(field.wire)}, 'token': {_token(field)}}}" for field in fields)
    yield f"{name}_tokens(f) as [{listed}]"


def _fields(record: Record) -> tuple[Field, ...]:
    """The fields that are read, and the objects around them."""
    objects = {field.wire.partition(".")[0] for field in record.fields if "." in field.wire}
    return tuple(field for field in record.fields if field.is_read or field.wire in objects)


def _spec(fields: tuple[Field, ...]) -> str:
    """`json_transform`'s structure. A DECIMAL in it makes DuckDB keep every number as it is written."""
    names = dict.fromkeys(field.wire.partition(".")[0] for field in fields)
    return json.dumps({**dict.fromkeys(names, "JSON"), "exact": "DECIMAL(1,0)"})


def _values(field: Field) -> Iterator[str]:
    """The columns of one field, from its token; a day is still the instant."""
    if field.kind is Kind.LIST:
        yield _name(field)
    if field.kind in (Kind.LIST, Kind.OBJECT):
        return
    form, token = _form(field), _name(field)
    value = f"case when {_flag(field)} then read_{form}({token}) else plain_{form}({token}) end"
    for column in filter(None, (field.column, field.day)):
        yield f"{value} as {column}"


def _days(field: Field) -> Iterator[str]:
    """The columns of an instant: only within the years of an audit, and its day."""
    if field.kind not in _INSTANTS:
        return
    if field.column:
        yield f"dated({field.column}) as {field.column}"
    if field.day and field.kind in _DATES:
        yield f"calendar_day(dated({field.day}), zone, date_zone) as {field.day}"
    elif field.day:
        yield f"local_day(dated({field.day}), zone) as {field.day}"


def _form(field: Field) -> Kind:
    """The kind that names the macros of a field: read_money, read_instant_ms …"""
    return _DATES.get(field.kind, field.kind)


def _token(field: Field) -> str:
    name, _, inner = field.wire.partition(".")
    if not inner:
        return f"cast(f.{_quoted(name)} as varchar)"
    spec = json.dumps({inner: "JSON", "exact": "DECIMAL(1,0)"})
    return f"cast(json_transform(f.{_quoted(name)}, {_literal(spec)}).{_quoted(inner)} as varchar)"


def _name(field: Field) -> str:
    return _quoted(field.wire)


def _flag(field: Field) -> str:
    return _quoted(f"{field.wire} is irregular")


def _quoted(name: str) -> str:
    return f'"{name}"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
