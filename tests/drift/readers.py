"""Our reader and a naive one, each over one small world: what they missed or took twice without reporting it."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from auditkit.settings import Settings
from auditkit.sync.invoices import JobNimbusInvoices
from auditkit.sync.nrbs import AimsioNrbs
from auditkit.sync.raw import Held, RawTable
from auditkit.sync.source import Options
from auditkit.vendors.aimsio import AimsioClient
from auditkit.vendors.jobnimbus import JobNimbusClient
from tests.drift.worlds import HONEST, NOW, FakeRawTable, Invoices, Liar, Nrbs, Schedule


@dataclass(frozen=True)
class Outcome:
    """Whether a read was COMPLETE, and what was wrong with it nevertheless."""

    complete: bool
    gaps: int
    twice: int
    ghosts: int

    @property
    def is_silently_wrong(self) -> bool:
        return self.complete and bool(self.gaps or self.twice or self.ghosts)


def read_invoices(records: int, schedule: Schedule, order: str, size: int, liar: Liar = HONEST) -> Outcome:
    """Our read of the invoices. Of the `size` rows of a page one overlaps with the page before."""
    world, raw = Invoices(records, schedule, order=order, liar=liar), FakeRawTable()
    at_first = set(world.rows)
    settings = Settings(aimsio_url=None)
    read = JobNimbusInvoices(cast(JobNimbusClient, world), settings, size=size, window=100, pause=lambda: None)
    read.start(cast(RawTable, raw), Options())
    read.finish()
    last_pass = world.calls - read.best.pages
    kept = [jnid for jnid, _ in raw.rows]
    found = set(read.best.digests)
    assert found == set(kept)
    return Outcome(
        complete=read.problem is None,
        gaps=len((at_first & set(world.rows)) - found),
        twice=len(kept) - len(set(kept)),
        ghosts=sum(world.deleted_at.get(jnid, world.calls) <= last_pass for jnid in found),
    )


def read_naively(records: int, schedule: Schedule, order: str, size: int, liar: Liar = HONEST) -> Outcome:
    """Page after page until one is short; nothing is compared."""
    world = Invoices(records, schedule, order=order, liar=liar)
    at_first = set(world.rows)
    found: list[str] = []
    while True:
        page = world.page(len(found), size - 1)
        found += [jnid for jnid, _ in page.rows]
        if len(page.rows) < size - 1:
            break
    return Outcome(True, len((at_first & set(world.rows)) - set(found)), len(found) - len(set(found)), 0)


def read_nrbs(records: int, schedule: Schedule, lag: int, settings: Settings) -> Outcome:
    """Our read of the NRBs, one in flight. A gap: an NRB without its newest version; a ghost: one that is gone."""
    world, raw = Nrbs(records, schedule, lag=lag), FakeRawTable()
    read = AimsioNrbs(cast(AimsioClient, world), settings)
    read.start(cast(RawTable, raw), Options())
    read.finish()
    newest: dict[str, Any] = {guid: json.loads(body)["nrbUpdatedAt"] for guid, body in raw.rows}
    wrong = [guid for guid, row in world.rows.items() if newest.get(guid) != row[2]]
    is_complete = read.problem is None and not read.unread
    return Outcome(is_complete, len(wrong), 0, len(set(read.listed) - set(world.rows)))


def read_nrbs_twice(records: int, schedule: Schedule, settings: Settings) -> Outcome:
    """Two reads, the second when all content is due. Edits of the first read do not move a time of change.

    A gap: an NRB whose content is not its newest.
    """
    world, raw = Nrbs(records, schedule, quiet_edits=True), FakeRawTable()
    for verified_at in (None, NOW - timedelta(days=30)):
        raw.kept = {guid: Held(held.version, verified_at) for guid, held in raw.kept.items()}
        raw.before |= dict(raw.rows)
        read = AimsioNrbs(cast(AimsioClient, world), settings)
        read.start(cast(RawTable, raw), Options())
        read.finish()
        read.remember()
        world.schedule = {}
    newest: dict[str, Any] = {guid: json.loads(body)["content"] for guid, body in raw.rows}
    wrong = [guid for guid in world.rows if newest[guid] != world.contents.get(guid)]
    return Outcome(read.problem is None and not read.unread, len(wrong), 0, len(set(read.listed) - set(world.rows)))


def summary(outcomes: Counter[Outcome]) -> dict[str, int]:
    """Schedules, how many reads were COMPLETE, and how many of these were wrong, by kind."""
    complete = {outcome: count for outcome, count in outcomes.items() if outcome.complete}
    return {
        "schedules": outcomes.total(),
        "complete": sum(complete.values()),
        "silent gaps": sum(count for outcome, count in complete.items() if outcome.gaps),
        "silent duplicates": sum(count for outcome, count in complete.items() if outcome.twice),
        "silent ghosts": sum(count for outcome, count in complete.items() if outcome.ghosts),
    }
