"""record-changed-after-export: money or job changed while the ledger held it, or the mark was taken away."""

from collections.abc import Iterator

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
        "there-and-back": "100.00",  # 50.00 up, and 50.00 down again
    }
    assert found["moved"]["reason"] == "job changed, after export, since sync 2"
    assert found["there-and-back"]["evidence"]["changes"] == 2
