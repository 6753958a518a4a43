"""What an audit costs however small the account is: statements and CPU seconds, part by part.

    python -m benchmarks.fixed_cost [--nrbs 60]

The first audit is made in a new home by a new process, so it also reads every rule and step; it is measured as `first`.
The second one audits the same home again. A statement of a script counts as one. CPU seconds are user and system time
of this process, and for the second audit the best of three.
"""

import argparse
import contextlib
import hashlib
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

from auditkit.checks.findings import find
from auditkit.checks.linking import link
from auditkit.checks.reconcile import reconcile
from auditkit.checks.run import Decisions, Parameters, run
from auditkit.sandbox.dataset import build
from auditkit.warehouse import tables
from auditkit.warehouse.schema import rebuild_schema, rebuild_typed
from auditkit.warehouse.snapshots import Draft, Store

ZONE = "America/Edmonton"
PARTS = ("copy and publish", "schema", "typing", "linking", "reconciling", "rules", "the rest")


@dataclass
class Cost:
    """What one part of an audit took."""

    statements: int = 0
    seconds: float = 0.0


class Meter:
    """Counts statements and CPU seconds under the name of the part that runs; a part within a part counts alone."""

    def __init__(self) -> None:
        self.costs: dict[str, Cost] = defaultdict(Cost)
        self._part, self._since = "", time.process_time()

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count what happens in the block as `name`."""
        outer = self._switch(name)
        try:
            yield
        finally:
            self._switch(outer)

    def count(self, statements: int) -> None:
        """Count statements of the part that runs."""
        self.costs[self._part].statements += statements

    def _switch(self, name: str) -> str:
        now, outer = time.process_time(), self._part
        self.costs[outer].seconds += now - self._since
        self._part, self._since = name, now
        return outer

    def measured(self, name: str, function: Any) -> Any:
        """The function, counted as a part."""

        def counted(*arguments: Any, **named: Any) -> Any:
            with self.part(name):
                return function(*arguments, **named)

        return counted


def main() -> None:
    """Print a table: a row for each part of an audit, and the sum."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nrbs", type=int, default=60)
    world = build(seed=1, nrbs=parser.parse_args().nrbs, faults={})
    bodies = {"nrb": list(world.nrbs), "invoice": list(world.invoices)}
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        first = _audit(store, bodies)
        again = min((_audit(store, {}) for _ in range(3)), key=lambda costs: _sum(costs).seconds)
    print(f"{len(bodies['nrb'])} NRBs, {len(bodies['invoice'])} invoices")
    print(f"{'':<18}{'first: statements':>18}{'CPU s':>8}{'again: statements':>20}{'CPU s':>8}")
    for name in PARTS:
        _print(name, first[name], again[name])
    _print("sum", _sum(first), _sum(again))


def _audit(store: Store, bodies: dict[str, list[dict[str, Any]]]) -> dict[str, Cost]:
    """One audit as `auditkit audit` makes it, after these bodies were put into the raw tables."""
    meter = Meter()
    with contextlib.ExitStack() as stack:
        stack.enter_context(_counted(meter))
        with meter.part("copy and publish"), store.writer(), store.draft(keep_previous=False) as draft:
            with meter.part("schema"):
                rebuild_schema(draft)
            with meter.part("the rest"):
                _load(draft, bodies)
            with meter.part("typing"):
                rebuild_typed(draft, sync_id=1, zone=ZONE)
            parameters = Parameters(date(2026, 9, 30), ZONE, "test", "test", own_rules=store.folder / "rules")
            with meter.part("the rest"):
                run(draft, parameters, Decisions())
    return meter.costs


@contextlib.contextmanager
def _counted(meter: Meter) -> Iterator[None]:
    query, script = Draft.query, tables.run_script

    def one(draft: Draft, *arguments: Any) -> Any:
        meter.count(1)
        return query(draft, *arguments)

    def several(connection: Any, text: str, parameters: Any) -> None:
        meter.count(len(connection.extract_statements(text)))
        script(connection, text, parameters)

    with (
        patch.object(Draft, "query", one),
        patch("auditkit.warehouse.snapshots.run_script", several),
        patch("auditkit.checks.run.link", meter.measured("linking", link)),
        patch("auditkit.checks.run.reconcile", meter.measured("reconciling", reconcile)),
        patch("auditkit.checks.run.find", meter.measured("rules", find)),
    ):
        yield


def _load(draft: Draft, bodies: dict[str, list[dict[str, Any]]]) -> None:
    for kind, key, field in (("nrb", "guid", "nrbGuid"), ("invoice", "jnid", "jnid")):
        texts = [json.dumps(body, default=str) for body in bodies.get(kind, ())]
        if texts:
            digests = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
            ids = [body[field] for body in bodies[kind]]
            syncs = [1] * len(texts)
            columns = {key: ids, "digest": digests, "body": texts, "first_sync": syncs, "last_sync": syncs}
            draft.insert(f"raw.{kind}_body", columns)
    if bodies:
        draft.query("insert into sync_run by name select 1 as sync_id, 'COMPLETE' as status")


def _sum(costs: dict[str, Cost]) -> Cost:
    chosen = [costs[name] for name in PARTS]
    return Cost(sum(cost.statements for cost in chosen), sum(cost.seconds for cost in chosen))


def _print(name: str, first: Cost, again: Cost) -> None:
    print(f"{name:<18}{first.statements:>18,}{first.seconds:>8.2f}{again.statements:>20,}{again.seconds:>8.2f}")


if __name__ == "__main__":
    main()
