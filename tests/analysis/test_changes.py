"""What changed between two reads, field by field."""

from collections.abc import Iterator

import pytest

from auditkit.sql import read
from auditkit.warehouse.snapshots import Snapshot
from tests.syncs import BOOKS, FIRST, SECOND, THIRD, after


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    syncs = ((FIRST, BOOKS), (SECOND, BOOKS[:1]), (THIRD, BOOKS[:1]))
    with after(tmp_path_factory.mktemp("history"), *syncs) as opened:
        yield opened


def test_changes_field_by_field(snapshot: Snapshot) -> None:
    rows = snapshot.query(read("queries/changes"), {"since": 1}).rows
    assert {(change, subject) for change, _, subject, *_ in rows if change == "vanished"} == {
        ("vanished", "gone"),
        ("vanished", "gone-without-total"),
        ("vanished", "i2"),
    }
    changed = {(subject, field): (before, now) for change, _, subject, _, field, before, now in rows if field}
    assert changed["dearer", "nrbTotalAfterMarkup"] == ('"100.00"', '"100.01"')
    assert changed["unmarked", "nrbIsExported"] == ("true", "null")
    assert changed["noted", "nrbNotes"][1] == '"a note is neither money nor job"'
    assert not {subject for subject, _ in changed} & {"same", "there-and-back"}
    since_second = snapshot.query(read("queries/changes"), {"since": 2}).rows
    assert {(row[0], row[2], row[4]) for row in since_second if row[2] == "there-and-back"} == {
        ("changed", "there-and-back", field) for field in ("nrbRate", "nrbTotalAfterMarkup")
    }
    assert [(row[0], row[2]) for row in since_second if row[0] != "changed"] == [("appeared", "returned")]
