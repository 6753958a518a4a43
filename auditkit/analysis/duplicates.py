"""Duplicate records: same-same-same, near, and same-same-different, on any table.

Equal keys are grouped in one pass. Near ones are compared only if they share a *block*: a key, or a key with one
character left out, which any two keys one edit apart have in common; so the work does not grow with the square of the
rows. Not here: which duplicates are findings (the rules `nrb-duplicate` and `nrb-duplicate-near`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from auditkit.analysis.question import AMOUNT, DATE, TEXT, Question, Source, as_days, names_of
from auditkit.errors import QuestionRefused
from auditkit.sql import filled
from auditkit.values import money
from auditkit.warehouse.snapshots import Snapshot

__all__ = ["duplicates"]

_SHORTEST_EDITED, _LONGEST_EDITED = 6, 100


def duplicates(
    snapshot: Snapshot,
    same: str | Iterable[str] = (),
    near: str | Iterable[str] = (),
    different: str | Iterable[str] = (),
    *,
    table: str = "nrb",
    days: int | None = None,
    date: str | None = None,
    min_amount: Decimal | int | str | None = None,
    amount: str | None = None,
    nulls_match: bool = False,
) -> Question:
    """Groups of records that agree in `same`, almost agree in `near`, and do not all agree in `different`.

    - `same`: equal; text trimmed and case-folded. Auditors' same-same-same, ACL's DUPLICATES.
    - `near` (text): equal after keeping letters and digits, look-alikes read as plain, case-folded, leading zeros
      dropped; or one edit apart: a character changed, added, left out, or swapped with its neighbor, if both keys have
      6 to 100 characters (a letter outside a-z may count as two). ACL's FUZZYDUP, including exact ones.
    - `different`: the group holds at least two values of each: same-same-different.
    - `days`: the dates in column `date` are at most that many days apart. `min_amount`: only records whose `amount` has
      at least this absolute value.

    A group is transitive: a near b near c is one group, although a and c may be two edits, or more days, apart. So each
    record is in one group, once, whereas FUZZYDUP may list it under several owners.

    NULL equals nothing: a record with NULL (or text without a letter or digit in `near`) in any of these columns is in
    no group. With `nulls_match`, NULL is a value like others, except as a date or an amount.

    Rows: `group_no` from 1, `group_size`, the columns of the question, all other columns of the table; sorted by these.
    Raises `QuestionRefused`.
    """
    source = Source.of(snapshot, table)
    source.refuse(source.types, ["group_no", "group_size", *(name for name in source.types if name.startswith("_"))])
    asked = [*names_of(same), *names_of(near), *names_of(different)]
    if not names_of(same) and not names_of(near):
        raise QuestionRefused("nothing to compare: name columns in same or near")
    keys = _Keys(
        same=[_plain(source, name) for name in names_of(same)],
        near=[f"lookalike_key(s.{column})" for column in source.columns(near, TEXT)],
        different=[_plain(source, name) for name in names_of(different)],
        day=_bounded(source, days, date, "days", "date"),
        amount=_bounded(source, min_amount, amount, "min_amount", "amount"),
        nulls_match=nulls_match,
    )
    values: dict[str, int | Decimal] = {}
    if days is not None:
        values["days"] = as_days(days)
    if min_amount is not None:
        values["min_amount"] = money(min_amount, "min_amount") or Decimal(0)
    shown = dict.fromkeys([*asked, *filter(None, [date, amount]), *source.types])
    return Question(_sql(source, keys, source.columns(shown)), values)


@dataclass(frozen=True)
class _Keys:
    """What is compared, as SQL over a row `s`. The parts become the columns _same_1, _near_1, _zero_1 … of an item."""

    same: Sequence[str]
    near: Sequence[str]
    different: Sequence[str]
    day: str | None
    amount: str | None
    nulls_match: bool

    @property
    def equal(self) -> list[str]:
        return [f"_same_{n}" for n in _numbers(self.same)]

    @property
    def alike(self) -> list[str]:
        """The columns of a node: records that agree in all of them are not compared."""
        near = [f"_{part}_{n}" for n in _numbers(self.near) for part in ("near", "zero")]
        return [*self.equal, *near, *(["_day"] if self.day else [])]

    @property
    def parts(self) -> list[str]:
        return [
            *(f"{part} as _same_{n}" for n, part in enumerate(self.same, 1)),
            *(f"normal_key({part}) as _near_{n}" for n, part in enumerate(self.near, 1)),
            *(f"zero_free_key({part}) as _zero_{n}" for n, part in enumerate(self.near, 1)),
            *(f"{part} as _different_{n}" for n, part in enumerate(self.different, 1)),
            *([f"{self.day} as _day"] if self.day else []),
            *([f"{self.amount} as _amount"] if self.amount else []),
        ]

    @property
    def condition(self) -> str:
        """Which records can be in a group at all."""
        near = [f"_near_{n}" for n in _numbers(self.near)]
        different = [f"_different_{n}" for n in _numbers(self.different)]
        needed = [] if self.nulls_match else [*self.equal, *near, *different]
        needed += ["_day"] if self.day else []
        return " and ".join(
            [*(f"{part} is not null" for part in needed), *(["abs(_amount) >= $min_amount"] if self.amount else [])]
            or ["true"]
        )


def _sql(source: Source, keys: _Keys, columns: Sequence[str]) -> str:
    varies = [f"{_varies(f'_different_{n}')} as _varies_{n}" for n in _numbers(keys.different)]
    return filled(
        "queries/analysis/duplicates",
        parts=_list(keys.parts, 8),
        source=source.sql,
        condition=keys.condition,
        grouping=_near(keys) if keys.near else _equal(keys),
        varies="".join(f",\n        {each}" for each in varies),
        columns=_list(columns, 4),
        kept=" and ".join(["_size > 1", *(f"_varies_{n}" for n in _numbers(keys.different))]),
    )


def _varies(column: str) -> str:
    """Whether a group holds two values, NULL being one of them if NULLs match."""
    return (
        f"(min({column}) over one <> max({column}) over one"
        f" or count({column}) over one between 1 and count(*) over one - 1)"
    )


def _equal(keys: _Keys) -> str:
    name = "duplicates_equal_days" if keys.day else "duplicates_equal"
    return filled(f"queries/analysis/{name}", equal=", ".join(keys.equal)).rstrip()


def _near(keys: _Keys) -> str:
    same = "is not distinct from" if keys.nulls_match else "="
    return filled(
        "queries/analysis/duplicates_near",
        listed=", ".join(keys.alike),
        shortest=str(_SHORTEST_EDITED),
        longest=str(_LONGEST_EDITED),
        equal="".join(f" and b.{part} {same} a.{part}" for part in keys.equal),
        days="\n        and abs(days_between(a._day, b._day)) <= $days" if keys.day else "",
        alike=" and ".join(_alike(f"_near_{n}", f"_zero_{n}", same) for n in _numbers(keys.near)),
        same_node=" and ".join(f"node.{part} is not distinct from item.{part}" for part in keys.alike),
    ).rstrip()


def _alike(near: str, zero: str, same: str) -> str:
    edited = " and ".join(
        f"length({row}.{near}) between {_SHORTEST_EDITED} and {_LONGEST_EDITED}" for row in ("a", "b")
    )
    return (
        f"(b.{near} {same} a.{near} or b.{zero} = a.{zero}"
        f"\n            or {edited} and one_edit_apart(a.{near}, b.{near}))"
    )


def _plain(source: Source, name: str) -> str:
    column = source.column(name)
    return f"folded(s.{column})" if source.types[name] == "VARCHAR" else f"s.{column}"


def _bounded(source: Source, limit: object, column: str | None, limit_name: str, column_name: str) -> str | None:
    """The column of a limit. Raises `QuestionRefused` if only one of the two is given."""
    kind = DATE if column_name == "date" else AMOUNT
    if (limit is None) == (column is None):
        return None if column is None else f"s.{source.column(column, kind)}"
    if column is None:
        raise QuestionRefused(f"{limit_name} needs {column_name}: a column of {source.name}")
    raise QuestionRefused(f"{column_name} needs {limit_name}: a limit for it")


def _numbers(parts: Sequence[str]) -> range:
    return range(1, len(parts) + 1)


def _list(parts: Iterable[str], indent: int) -> str:
    return (",\n" + " " * indent).join(parts)
