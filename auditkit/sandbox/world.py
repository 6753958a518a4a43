"""World: one imagined account at both vendors, and what is wrong with it.

The bodies are canonical: the shape of the vendors' single reads, before any behavior of a server.

Not here: how a world is made (`dataset.build`), and how it is served.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from auditkit.sandbox.dataset_books import Job

__all__ = ["Body", "World", "to_json"]

Body = dict[str, Any]


@dataclass(frozen=True, eq=False)
class World:
    """Both vendors' records, on the day `as_of`, in one time zone.

    `nrbs` and `invoices` may be made again at each access, so that a million of them need no memory: iterate once,
    and do not expect a change to a body to stay. `hosts` are the books of the jobs with a fault: they say what an audit
    must find. `planted` counts the faults by name.
    """

    seed: int
    as_of: date
    timezone: str
    nrbs: Sequence[Body] = field(repr=False)
    invoices: Sequence[Body] = field(repr=False)
    vendors: frozenset[str] = field(repr=False)
    jobs: frozenset[str] = field(repr=False)
    hosts: Iterable[Job] = field(repr=False)
    planted: Mapping[str, int]


def to_json(body: object) -> str:
    """Compact JSON in which a Decimal is a number with exactly its digits; TypeError if it is not finite.

    The encoder cannot write a number that is not an int or a float, so a Decimal leaves it inside an object that no
    vendor sends and no text can imitate (in a text its quotes would be escaped), and is taken out of it here.
    """
    return _DECIMAL.sub(r"\1", _encode(body))


def _wrapped(value: object) -> dict[str, str]:
    if isinstance(value, Decimal) and value.is_finite():
        return {_WRAPPER: format(value, "f")}
    raise TypeError(f"{value!r} has no place in a body")


_WRAPPER = "auditkit.decimal"
_DECIMAL = re.compile(rf'\{{"{re.escape(_WRAPPER)}":"([-0-9.]+)"\}}')
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_wrapped).encode
