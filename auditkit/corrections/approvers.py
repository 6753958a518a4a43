"""Approvers: who may sign plans, and up to how much, as `approvers.toml` in the home lists them.

A person who only prepares is listed too, with limits of 0: otherwise one person could sign with a second key made for
the purpose. The list counts as it is when something is approved or applied; the journal keeps each change of it.

Not here: who signed what (approval) and how keys are kept (identity).
"""

import os
import re
import stat
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from auditkit.corrections.identity import folded, is_public_key, valid_name
from auditkit.errors import ApprovalRefused, SettingsError
from auditkit.journal import Journal, Record

__all__ = ["APPROVAL", "APPROVERS_FILE", "Approver", "changes", "read_approvers", "record_changes"]

APPROVERS_FILE = "approvers.toml"
APPROVAL = "approval"  # a record's kind, as the next
LIST = "approvers"
MOST_OBJECTS = 1_000_000
_MONEY = re.compile(r"[0-9]{1,15}(\.[0-9]{1,2})?")
_ADVICE = "list each person as `auditkit identity new` prints it"


@dataclass(frozen=True)
class Approver:
    """A listed person: the key, and the largest plan that this person may approve. All 0: none.

    `demo`: counts on the demo only.
    """

    name: str
    public_key: str
    max_objects: int = 0
    max_money: Decimal = Decimal(0)
    may_override: bool = False
    demo: bool = False

    @property
    def fields(self) -> dict[str, Any]:
        """The entry as the journal holds it: money as text with two decimals."""
        return {**asdict(self), "max_money": f"{self.max_money:.2f}"}


@dataclass(frozen=True)
class _Key:
    """A key of an entry: what it must be, in words, and how its value is read; None where it is not that."""

    must_be: str
    read: Callable[[Any], Any]


def _yes_or_no(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


_KEYS: Mapping[str, _Key] = {
    "name": _Key(
        'a person\'s name as text, e.g. "ann.lee"', lambda value: valid_name(value) if isinstance(value, str) else None
    ),
    "public_key": _Key(
        "the public key that `auditkit identity new` printed",
        lambda value: value if isinstance(value, str) and is_public_key(value) else None,
    ),
    "max_objects": _Key(
        "a whole number from 0, e.g. 25",
        lambda value: value if type(value) is int and 0 <= value <= MOST_OBJECTS else None,
    ),
    "max_money": _Key(
        'money from 0 as text, with at most two decimals, e.g. "5000.00"',
        lambda value: Decimal(value) if isinstance(value, str) and _MONEY.fullmatch(value) else None,
    ),
    "may_override": _Key("true or false", _yes_or_no),
    "demo": _Key("true or false", _yes_or_no),
}


def read_approvers(path: Path) -> tuple[Approver, ...]:
    """The people listed in approvers.toml, in its order.

    `SettingsError` for a file that is missing or that others may write, for a malformed entry, and for a name (in any
    spelling) or key that is listed twice.
    """
    found = _read(path)
    entries = found.pop("approver", None)
    if found or not isinstance(entries, list):
        raise SettingsError(f"{path}: must hold [[approver]] entries and nothing else; {_ADVICE}")
    approvers = tuple(_entry(f"{path}: approver {number}", entry) for number, entry in enumerate(entries, start=1))
    for number, approver in enumerate(approvers):
        for other in approvers[:number]:
            if folded(other.name) == folded(approver.name):
                raise SettingsError(f"{path}: {approver.name} is listed twice; keep one entry for each person")
            if other.public_key == approver.public_key:
                raise SettingsError(
                    f"{path}: {other.name} and {approver.name} have one key; each needs a key of their own"
                )
    return approvers


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                raise SettingsError(f"{path}: others may write it and list anybody; check it, then chmod 600 it")
            return tomllib.load(file)
    except FileNotFoundError:
        raise SettingsError(f"{path}: is missing, so nobody may sign; {_ADVICE}") from None
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}); {_ADVICE}") from None
    except SettingsError:  # it is a ValueError too
        raise
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path}: not TOML ({' '.join(str(error).split())}); {_ADVICE}") from None


def _entry(where: str, entry: object) -> Approver:
    if not isinstance(entry, dict):
        raise SettingsError(f"{where}: is not an entry; {_ADVICE}")
    if unknown := sorted(entry.keys() - _KEYS.keys()):
        raise SettingsError(f"{where}: unknown key {unknown[0]!a}; an entry has {', '.join(_KEYS)}")
    if missing := [name for name in ("name", "public_key") if name not in entry]:
        raise SettingsError(f"{where}: {missing[0]} is missing; write {_KEYS[missing[0]].must_be}")
    values = {}
    for name, value in entry.items():
        try:
            values[name] = _KEYS[name].read(value)
        except SettingsError as error:
            raise SettingsError(f"{where}: {error}") from None
        if values[name] is None:
            raise SettingsError(f"{where}: {name} must be {_KEYS[name].must_be}")
    return Approver(**values)


def changes(approvers: Sequence[Approver], journal: Journal) -> list[str]:
    """How the list differs from the one at the last approval, one line each: to be shown before each approval.

    It is not compared with the one last recorded: a refused attempt records the list too, and nobody may have seen it.
    """
    return _differences(journal.projection(_Lists).approved_with, approvers)


def record_changes(approvers: Sequence[Approver], journal: Journal, *, occasion: str, plan: str, who: str) -> None:
    """Journal the whole list if it is not the one last recorded: on which occasion, for which plan, by whom."""
    if lines := _differences(journal.projection(_Lists).latest, approvers):
        entries = [approver.fields for approver in approvers]
        journal.append(LIST, {"approvers": entries, "changes": lines, "occasion": occasion, "plan": plan, "who": who})


class _Lists:
    """The list as the journal last recorded it, and as it was at the last approval."""

    def __init__(self) -> None:
        self.latest: Sequence[Approver] = ()
        self.approved_with: Sequence[Approver] = ()

    def take(self, record: Record) -> None:
        if record.kind == LIST:
            self.latest = _list(record)
        elif record.kind == APPROVAL:
            self.approved_with = self.latest


def _list(record: Record) -> Sequence[Approver]:
    entries = record.body.get("approvers")
    if not isinstance(entries, list):
        raise ApprovalRefused(
            f"journal line {record.seq}: is not a list of approvers as auditkit writes it; find out who wrote it"
        )
    return [_entry(f"journal line {record.seq}", entry) for entry in entries]


def _differences(before: Sequence[Approver], after: Sequence[Approver]) -> list[str]:
    old, new = ({folded(each.name): each.fields for each in entries} for entries in (before, after))
    lines = []
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            lines.append(f"{name}: no longer listed")
        elif name not in old:
            lines.append(
                f"{name}: newly listed with {', '.join(f'{k} {v}' for k, v in new[name].items() if k != 'name')}"
            )
        elif moved := [f"{k} {old[name][k]} → {v}" for k, v in new[name].items() if old[name][k] != v]:
            lines.append(f"{name}: {', '.join(moved)}")
    return lines
