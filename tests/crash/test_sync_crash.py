"""A sync killed anywhere: the old snapshot opens and is whole, the next run succeeds, nothing is left over.

`make test` kills at some of the points that the code names, `make crash` at each and at every call that changes a file.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import auditkit as ak
from auditkit.sandbox.dataset import build
from auditkit.sandbox.state import State
from auditkit.warehouse.snapshots import Store
from tests.commands import bytes_of
from tests.crash.killing import can_trace, file_calls, kill_at, kill_at_call, points
from tests.served import point, serving

WORLD = build(seed=21, nrbs=12, faults={})


@dataclass
class Scene:
    """A home that was synced once, and vendors whose records keep changing."""

    home: Path
    state: State
    changes: int = 0

    def change(self) -> None:
        """Each NRB and each invoice gets another note: the next sync reads and stores them all."""
        with self.state.transaction():
            self.changes += 1
            for body in WORLD.nrbs:
                self.state.put_nrb({**body, "nrbUpdatedAt": body["nrbUpdatedAt"] + 1000 * self.changes})
            for body in WORLD.invoices:
                self.state.put_invoice({**body, "note": f"change {self.changes}"})

    def sync(self) -> str:
        with ak.open() as audit:
            audit.sync()
            assert audit.sql("select count(*) as n from nrb")["n"][0] == len(WORLD.nrbs)
            return str(audit.sql("select status from sync_run order by sync_id desc limit 1")["status"][0])

    def is_whole(self, before: dict[str, str]) -> bool:
        """Whether the snapshot is still the old one; old or new, it must open and be complete."""
        with Store(self.home).open() as snapshot:
            runs = snapshot.query("select status from sync_run").rows
            assert snapshot.query("select count(*) from audit_run").scalar() == 1
            assert snapshot.query("select count(*) from nrb").scalar() == len(WORLD.nrbs)
        assert set(runs) == {("COMPLETE",)}
        return bytes_of(self.home)["audit.duckdb"] == before["audit.duckdb"]

    def leftovers(self) -> list[str]:
        """Files that a finished run must not leave, whatever was killed before it."""
        return sorted(str(path.relative_to(self.home)) for path in self.home.rglob(".building*"))


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    with serving(WORLD, tmp_path) as address, State(tmp_path / "vendors.sqlite") as state:
        point(monkeypatch, address, tmp_path / "home")
        made = Scene(tmp_path / "home", state)
        assert made.sync() == "COMPLETE"
        yield made


def survives(scene: Scene, before: dict[str, str]) -> bool:
    """Whether the old snapshot survived a kill; the next sync must succeed and leave nothing over."""
    stood = scene.is_whole(before)
    assert scene.sync() == "COMPLETE"
    assert scene.leftovers() == []
    return stood


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.campaign)])
def test_a_sync_killed_at_its_points(scene: Scene, every: int) -> None:
    scene.change()
    passed = points("sync")
    assert passed[-1] == "published" and len(set(passed)) >= 8
    for name in list(dict.fromkeys(passed))[::-every]:
        scene.change()
        before = bytes_of(scene.home)
        assert kill_at(name, 1, "sync"), name
        assert survives(scene, before) == (name != "published"), name


@pytest.mark.campaign
def test_a_sync_killed_at_every_call_that_changes_a_file(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    if not can_trace():
        pytest.skip("strace is not here, or may not trace")
    scene.change()
    calls = file_calls(scene.home, "sync")
    results: Counter[str] = Counter()
    for kind, number in calls:
        scene.change()
        before = bytes_of(scene.home)
        killed = kill_at_call(kind, number, "sync")
        results["killed" if killed else "ended first"] += 1
        results["old snapshot whole" if survives(scene, before) else "new snapshot whole"] += 1
    with capsys.disabled():
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(kind for kind, _ in calls).items()))
        print(f"\nsync, killed at every call that changes a file ({kinds}): {dict(results)}; lost 0, left behind 0")
    assert results["killed"] > 50
