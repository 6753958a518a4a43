"""Small vendors whose records change between one call and the next, at every place where they could."""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from auditkit.errors import NotThere
from auditkit.vendors.aimsio import Stub
from auditkit.vendors.jobnimbus import Page

Mutation = tuple[Literal["insert", "edit", "delete"], int]
Schedule = Mapping[int, Sequence[Mutation]]  # before which call what happens
Row = tuple[str, int, int]  # id, created, updated

FIRST = 1_200_000_000
DAY = 86_400
ORDERS = {
    "created, oldest first": lambda row: (row[1], row[0]),
    "created, newest first": lambda row: (-row[1], row[0]),
    "updated, oldest first": lambda row: (row[2], row[0]),
    "updated, newest first": lambda row: (-row[2], row[0]),
}


def schedules(records: int, mutations: int, calls: int) -> Iterator[Schedule]:
    """Every way in which so many changes can happen before some of the calls, in order."""
    kinds: list[Mutation] = [("insert", 0)]
    kinds += [(kind, number) for number in range(records) for kind in ("edit", "delete")]
    for places in itertools.combinations_with_replacement(range(1, calls + 1), mutations):
        for chosen in itertools.product(kinds, repeat=mutations):
            schedule: dict[int, list[Mutation]] = {}
            for place, mutation in zip(places, chosen, strict=True):
                schedule.setdefault(place, []).append(mutation)
            yield schedule


@dataclass
class World:
    """What one vendor holds. It changes before its calls as the schedule says, and remembers who lived when."""

    records: int
    schedule: Schedule
    calls: int = 0
    rows: dict[str, Row] = field(default_factory=dict)
    deleted_at: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rows = {f"r{n}": (f"r{n}", FIRST + n * DAY, FIRST + n * DAY) for n in range(self.records)}

    def called(self) -> None:
        """Count a call, and let happen what happens before it."""
        for number, (kind, which) in enumerate(self.schedule.get(self.calls, ())):
            now = FIRST + (1000 + 10 * self.calls + number) * DAY
            name = f"r{which}"
            if kind == "insert":
                self.rows[f"new{now}"] = (f"new{now}", now, now)
            elif name in self.rows and kind == "delete":
                del self.rows[name]
                self.deleted_at[name] = self.calls
            elif name in self.rows:
                self.rows[name] = (name, self.rows[name][1], now)
        self.calls += 1


@dataclass
class Invoices(World):
    """A JobNimbus of few invoices: from, size, and the filter on `date_created`."""

    order: str = "created, oldest first"

    def page(self, start: int, size: int, filter: Mapping[str, Any] | None = None) -> Page:
        self.called()
        limits = filter["must"][0]["range"]["date_created"] if filter else {}
        within = [row for row in self.rows.values() if limits.get("gte", 0) <= row[1] < limits.get("lt", 2**63)]
        asked = sorted(within, key=ORDERS[self.order])[start : start + size]
        return Page(len(self.rows), [(row[0], json.dumps({"date_created": row[1], "at": row[2]})) for row in asked])


@dataclass
class Nrbs(World):
    """An Aimsio of few NRBs. A replica that lags answers details as they were `lag` calls ago."""

    lag: int = 0
    past: list[dict[str, Row]] = field(default_factory=list)

    def stubs(self) -> list[Stub]:
        self.called()
        self.past.append(dict(self.rows))
        return [Stub(row[0], row[2], None) for row in self.rows.values()]

    def nrb(self, guid: str, version: str | None = None) -> str:
        self.called()
        self.past.append(dict(self.rows))
        seen = self.past[max(len(self.past) - 1 - self.lag, 0)]
        if guid not in seen:
            raise NotThere(guid)
        return json.dumps({"nrbGuid": guid, "nrbUpdatedAt": seen[guid][2]})


@dataclass
class FakeRawTable:
    """Keeps bodies in memory: the raw table itself is tested elsewhere."""

    held: dict[str, int] = field(default_factory=dict)

    batches: dict[int, list[tuple[str, str]]] = field(default_factory=dict)

    def add(self, rows: list[tuple[str, str]], batch: int) -> None:
        self.batches.setdefault(batch, []).extend(rows)

    def discard(self, batch: int) -> None:
        self.batches.pop(batch, None)

    def own_versions(self, batch: int) -> dict[str, int]:
        return {guid: json.loads(body)["nrbUpdatedAt"] for guid, body in self.batches.get(batch, ())}

    def held_versions(self) -> dict[str, int]:
        return dict(self.held)

    def hold(self, versions: Mapping[str, int]) -> None:
        self.held = dict(versions)

    @property
    def bodies(self) -> list[tuple[str, str]]:
        return [row for batch in sorted(self.batches) for row in self.batches[batch]]
