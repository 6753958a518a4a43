"""Small vendors whose records change between one call and the next, at every place where they could."""

import itertools
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from auditkit.errors import NotThere, Refused
from auditkit.sync.raw import Held
from auditkit.vendors.aimsio import NrbRead, Stub
from auditkit.vendors.jobnimbus import Page

Mutation = tuple[Literal["insert", "edit", "delete"], int]
Schedule = Mapping[int, Sequence[Mutation]]  # before which call what happens
Row = tuple[str, int, int]  # id, created, updated

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIRST = 1_200_000_000
DAY = 86_400
ORDERS = {
    "created, oldest first": lambda row: (row[1], row[0]),
    "created, newest first": lambda row: (-row[1], row[0]),
    "updated, oldest first": lambda row: (row[2], row[0]),
    "updated, newest first": lambda row: (-row[2], row[0]),
}


@dataclass(frozen=True)
class Liar:
    """How a server of pages departs from what was asked.

    `rows` is the most rows on a page (0: as asked), `count` what its count counts, `beyond` its answer past the last
    row. `ignores` names a parameter that it ignores.
    """

    rows: int = 0
    count: Literal["total", "page", "remaining", "capped", "more", "none"] = "total"
    beyond: Literal["empty", "error", "repeat", "first"] = "empty"
    ignores: Literal["", "size", "from"] = ""

    def page(self, asked: Sequence[Row], start: int, size: int) -> tuple[int | None, list[Row]]:
        """The count and the rows of one page; `asked` is the whole list in its order."""
        start = 0 if self.ignores == "from" else start
        size = len(asked) if self.ignores == "size" else size
        size = min(size, self.rows) if self.rows else size
        rows = list(asked[start : start + size])
        if start >= len(asked) and asked and self.beyond != "empty":
            if self.beyond == "error":
                error = Refused("from is beyond the end")
                error.status = 400
                raise error
            rows = list(asked[-size:] if self.beyond == "repeat" else asked[:size])
        counts = {
            "total": len(asked),
            "page": len(rows),
            "remaining": max(len(asked) - start, 0),
            "capped": min(len(asked), 2),
            "more": len(asked) + 1,
        }
        return counts.get(self.count), rows


HONEST = Liar()


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
    """What one vendor holds. It changes before its calls as the schedule says, and remembers when records were deleted.

    `quiet_edits`: an edit does not move the time of change.
    """

    records: int
    schedule: Schedule
    calls: int = 0
    quiet_edits: bool = False
    rows: dict[str, Row] = field(default_factory=dict)
    contents: dict[str, int] = field(default_factory=dict)
    deleted_at: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rows = {f"r{n}": (f"r{n}", FIRST + n * DAY, FIRST + n * DAY) for n in range(self.records)}

    def called(self) -> None:
        """Count a call, after what happens before it."""
        for number, (kind, which) in enumerate(self.schedule.get(self.calls, ())):
            now = FIRST + (1000 + 10 * self.calls + number) * DAY
            name = f"r{which}"
            if kind == "insert":
                self.rows[f"new{now}"] = (f"new{now}", now, now)
            elif name in self.rows and kind == "delete":
                del self.rows[name]
                self.deleted_at[name] = self.calls
            elif name in self.rows:
                self.contents[name] = now
                self.rows[name] = (name, self.rows[name][1], self.rows[name][2] if self.quiet_edits else now)
        self.calls += 1


@dataclass
class Invoices(World):
    """A JobNimbus of few invoices: from, size, and the filter on `date_created`."""

    order: str = "created, oldest first"
    liar: Liar = HONEST

    def page(self, start: int, size: int, filter: Mapping[str, Any] | None = None) -> Page:
        self.called()
        limits = filter["must"][0]["range"]["date_created"] if filter else {}
        within = [row for row in self.rows.values() if limits.get("gte", 0) <= row[1] < limits.get("lt", 2**63)]
        count, rows = self.liar.page(sorted(within, key=ORDERS[self.order]), start, size)
        return Page(count, [(row[0], json.dumps({"date_created": row[1], "at": row[2]})) for row in rows])


@dataclass
class Nrbs(World):
    """An Aimsio of few NRBs. A replica that lags answers details as they were `lag` calls ago."""

    lag: int = 0
    past: list[dict[str, Row]] = field(default_factory=list)

    def stubs(self) -> list[Stub]:
        self.called()
        self.past.append(dict(self.rows))
        return [Stub(row[0], row[2], None) for row in self.rows.values()]

    def read(self, guid: str, version: str | None = None, *, refresh: bool = False) -> NrbRead:
        self.called()
        self.past.append(dict(self.rows))
        seen = self.past[max(len(self.past) - 1 - self.lag, 0)]
        if guid not in seen:
            raise NotThere(guid)
        body = {"nrbGuid": guid, "nrbUpdatedAt": seen[guid][2], "content": self.contents.get(guid)}
        return NrbRead(json.dumps(body), seen[guid][2], NOW, from_cache=False)


@dataclass
class FakeRawTable:
    """Keeps bodies in memory: the raw table itself is tested elsewhere."""

    kept: dict[str, Held] = field(default_factory=dict)
    before: dict[str, str] = field(default_factory=dict)
    batches: dict[int, list[tuple[str, str]]] = field(default_factory=dict)

    def add(self, rows: list[tuple[str, str]], batch: int) -> None:
        self.batches.setdefault(batch, []).extend(rows)

    def discard(self, batch: int) -> None:
        self.batches.pop(batch, None)

    def held(self) -> dict[str, Held]:
        return dict(self.kept)

    def hold(self, held: Mapping[str, Held]) -> None:
        self.kept = dict(held)

    def bodies(self, identifiers: Collection[str]) -> dict[str, str]:
        return {guid: body for guid, body in self.before.items() if guid in identifiers}

    @property
    def rows(self) -> list[tuple[str, str]]:
        return [row for batch in sorted(self.batches) for row in self.batches[batch]]
