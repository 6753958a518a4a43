"""record-changed-after-export: money or job changed while the ledger held it, or the mark was taken away."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from auditkit.warehouse.snapshots import Snapshot
from tests.syncs import BOOKS, FIRST, SECOND, THIRD, after
from tests.world import amounts, findings


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    syncs = ((FIRST, BOOKS), (SECOND, BOOKS[:1]), (THIRD, BOOKS[:1]))
    with after(tmp_path_factory.mktemp("history"), *syncs) as opened:
        yield opened


def test_what_changed_after_export(snapshot: Snapshot) -> None:
    found = findings(snapshot, "record-changed-after-export")
    assert amounts(found) == {
        "dearer": "0.01",
        "moved": "0.00",
        "unmarked": "100.00",
        "no-total": "0.00",
        "returned": "500.00",  # it was gone in sync 2
        "exported-twice": "30.00",  # the mark was removed, and set again at another amount
        "dearer-and-dearer": "20.00",
    }
    assert "there-and-back" not in found  # 50.00 more in sync 2, and 50.00 less again in sync 3
    assert found["moved"]["reason"] == "job changed, after export, since sync 2"
    assert found["returned"]["reason"] == "amount changed, after export, since sync 3"
    assert found["dearer-and-dearer"]["reason"] == "amount changed, after export, since sync 2"
    evidence = {"total_at_export": "100.00", "total_now": "600.00", "export_sync": 1, "change_sync": 3}
    assert {name: found["returned"]["evidence"][name] for name in evidence} == evidence


def test_what_is_changed_for_now(tmp_path: Path) -> None:
    """A sync earlier: one is 50.00 dearer for now, one has lost its mark, and one is gone."""
    with after(tmp_path, (FIRST, BOOKS), (SECOND, BOOKS[:1])) as snapshot:
        found = amounts(findings(snapshot, "record-changed-after-export"))
    assert {name: found.get(name) for name in ("there-and-back", "exported-twice", "returned")} == {
        "there-and-back": "50.00",
        "exported-twice": "100.00",
        "returned": None,
    }
