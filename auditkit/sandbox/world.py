"""World: one imagined account at both vendors, and what is wrong with it.

The bodies are canonical: the shape of the vendors' single reads, before any behavior of a server. `truth` comes from
the code that planted the faults, never from matching: it is what an audit is measured against.

Not here: how a world is made (`dataset.build`), and how it is served.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

__all__ = ["Body", "World", "to_json", "write_truth"]

Body = dict[str, Any]


@dataclass(frozen=True, eq=False)
class World:
    """Both vendors' records, on the day `as_of`, in one time zone.

    `nrbs` and `invoices` may be written anew at each access, so that a million of them need no memory: iterate once,
    and do not expect a change to a body to stay. `truth` maps a rule to the sorted subjects on which it fires: an NRB's
    guid, an invoice's jnid, a line's `jnid/position`, a job's number. `planted` counts the faults by name.
    """

    seed: int
    as_of: date
    timezone: str
    nrbs: Sequence[Body] = field(repr=False)
    invoices: Sequence[Body] = field(repr=False)
    vendors: frozenset[str] = field(repr=False)
    jobs: frozenset[str] = field(repr=False)
    truth: Mapping[str, list[str]] = field(repr=False)
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


def write_truth(world: World, path: Path) -> None:
    """Write what should be found as JSON: `{seed, as_of, counts, rules: {rule id: [subjects]}}`."""
    counts = {
        "nrbs": len(world.nrbs),
        "invoices": len(world.invoices),
        "jobs": len(world.jobs),
        "planted": dict(world.planted),
    }
    content = {"seed": world.seed, "as_of": world.as_of.isoformat(), "counts": counts, "rules": dict(world.truth)}
    path.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
