"""The population of a sample: items by id, in one order on every machine, with one digest.

The order is that of the ids: by number where all are whole numbers, else by their text. So the rows of a frame may come
in any order. Not here: which items are selected (`selection.py`).
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import pandas as pd

from auditkit.analysis.exact import as_money, is_missing, plain
from auditkit.errors import QuestionRefused
from auditkit.values import did_you_mean

__all__ = ["Columns", "ItemId", "Unit", "digest_of", "id_of", "units_of"]

ItemId = int | str


@dataclass(frozen=True)
class Unit:
    """One item of a population; `stratum` is None where the population has none."""

    id: ItemId
    amount: Decimal
    stratum: str | None = None


@dataclass(frozen=True)
class Columns:
    """The columns of an item's id (None: the index), its amount, and its stratum (None: there are no strata)."""

    id: str | None
    amount: str
    stratum: str | None = None

    @classmethod
    def of(cls, frame: pd.DataFrame, id_: str | None, amount: str | None, stratum: str | None) -> "Columns":
        """The named columns; one not named is `id` or `amount`, else the only one that can be it.

        Raises `QuestionRefused` where a name is unknown, or several columns can be meant.
        """
        names = [name for name in frame.columns if isinstance(name, str)]
        for name in (id_, amount, stratum):
            if name is not None and name not in names:
                raise QuestionRefused(f"the frame has no column {name!r}; {did_you_mean(name, names)}")
        free = [name for name in names if name not in (id_, amount, stratum)]
        money = amount or _only("amount", _money_columns(frame, [name for name in free if name != "id"]))
        if id_ is None and "id" not in free and frame.index.name is not None:
            return cls(None, money, stratum)
        return cls(id_ or _only("id", [name for name in free if name != money]), money, stratum)


def units_of(frame: pd.DataFrame, columns: Columns) -> tuple[Unit, ...]:
    """The items of a frame in the order of their ids.

    Raises `QuestionRefused` for an id that is missing or occurs twice, and for an amount that is missing or a float.
    """
    ids = _ids(frame.index if columns.id is None else frame[columns.id], columns.id or "the index")
    strata = [None] * len(ids) if columns.stratum is None else [_stratum(each) for each in frame[columns.stratum]]
    units = []
    seen = set()
    for item, amount, stratum in zip(ids, frame[columns.amount].tolist(), strata, strict=True):
        if item in seen:
            raise QuestionRefused(f"{columns.id or 'the index'}: {item!r} occurs twice; a sample needs unique ids")
        seen.add(item)
        units.append(Unit(item, as_money(amount, f"item {item!r}"), stratum))
    return tuple(sorted(units, key=lambda unit: unit.id))


def digest_of(units: Iterable[Unit], snapshot: str | None) -> str:
    """SHA-256 (hex) of a snapshot's id and of every item in order: id, amount without trailing zeros, stratum."""
    whole = hashlib.sha256(json.dumps(snapshot).encode())
    for unit in units:
        whole.update(json.dumps([unit.id, _canonical(unit.amount), unit.stratum]).encode())
    return whole.hexdigest()


def id_of(value: object, what: str) -> ItemId:
    """An id as it is kept: a whole number, else its text. Raises `QuestionRefused` where it is missing."""
    item = plain(value)
    if is_missing(item) or item == "":
        raise QuestionRefused(f"{what}: an item has no id; a sample needs one for each")
    return item if isinstance(item, int) and not isinstance(item, bool) else str(item)


def _ids(values: Iterable[object], what: str) -> Sequence[ItemId]:
    ids = [id_of(value, what) for value in values]
    return ids if all(isinstance(each, int) for each in ids) else [str(each) for each in ids]


def _stratum(value: object) -> str:
    return "" if is_missing(value) else str(plain(value))


def _canonical(amount: Decimal) -> str:
    text = format(amount, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def _money_columns(frame: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """The columns that hold Decimals; without any, those that hold numbers."""
    if "amount" in names:
        return ["amount"]
    exact = [name for name in names if any(isinstance(each, Decimal) for each in frame[name])]
    return exact or [name for name in names if all(_is_number(each) for each in frame[name])]


def _is_number(value: object) -> bool:
    return isinstance(number := plain(value), (int, float)) and not isinstance(number, bool)


def _only(meaning: str, names: Sequence[str]) -> str:
    if meaning in names:
        return meaning
    if len(names) == 1:
        return names[0]
    found = f"it may be {', '.join(names[:6])}" if names else "no column can be it"
    raise QuestionRefused(f"pass {meaning}=, the column of the {meaning}: {found}")
