"""record-vanished: present before, gone from a complete list, and 404 by id."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from auditkit.checks.run import Decisions
from auditkit.warehouse.snapshots import Snapshot
from tests.syncs import BOOKS, FIRST, SECOND, THIRD, after, corrected, noon
from tests.world import amounts, findings, invoice, line, subjects


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    syncs = ((FIRST, BOOKS), (SECOND, BOOKS[:1]), (THIRD, BOOKS[:1]))
    with after(tmp_path_factory.mktemp("history"), *syncs) as opened:
        yield opened


def test_what_vanished(snapshot: Snapshot) -> None:
    found = findings(snapshot, "record-vanished")
    assert amounts(found) == {"gone": "42.00", "gone-without-total": None, "i2": "7.00"}
    assert found["gone"]["reason"] == "last seen in sync 1, answered 404 in sync 2"
    assert found["i2"]["subject_type"] == "invoice"
    assert snapshot.query("select count(*) from nrb where guid like 'gone%'").scalar() == 0


def test_nothing_has_vanished_from_a_first_sync(tmp_path: Path) -> None:
    with after(tmp_path, (FIRST, BOOKS)) as snapshot:
        assert subjects(snapshot, "record-vanished") == set()


def test_what_is_listed_again_has_not_vanished(tmp_path: Path) -> None:
    with after(tmp_path, (FIRST, BOOKS), (SECOND, BOOKS[:1]), (FIRST, BOOKS)) as snapshot:
        assert subjects(snapshot, "record-vanished") == set()
        spans = snapshot.query("select first_sync, last_sync from raw.nrb_body where guid = 'gone' order by 1").rows
        assert spans == [(1, 1), (3, 3)]


# ── What auditkit itself deactivated ────────────────────────────────────────────────────────────────────────────────

GONE = invoice([line("other")], "i2", number="INV-2", total="7.00")
HIDDEN = ((), [GONE]), ((), [])


@pytest.mark.parametrize(
    ("decisions", "is_exception"),
    [
        (corrected("VERIFIED", noon(1) + timedelta(hours=1)), False),
        (corrected("VERIFIED", noon(1) - timedelta(hours=1)), True),
        (corrected("UNKNOWN", noon(1) + timedelta(hours=1)), True),
        (corrected("VERIFIED", noon(1) + timedelta(hours=1), operation="edit-invoice"), True),
        (corrected("VERIFIED", noon(1) + timedelta(hours=1), jnid="i3"), True),
        (Decisions(), True),
    ],
    ids=["verified", "active again since", "not verified", "another operation", "another invoice", "nobody"],
)
def test_a_deactivation_that_auditkit_verified_is_no_vanishing(
    decisions: Decisions, is_exception: bool, tmp_path: Path
) -> None:
    """JobNimbus may hide a deactivated invoice: then it is listed no more and answered 404."""
    with after(tmp_path, *HIDDEN, decisions=decisions) as snapshot:
        assert subjects(snapshot, "record-vanished") == ({"i2"} if is_exception else set())


def test_an_invoice_that_was_seen_deactivated_before_it_was_hidden(tmp_path: Path) -> None:
    void = {**GONE, "is_active": False}
    decisions = corrected("VERIFIED", noon(1) + timedelta(hours=1))
    with after(tmp_path, ((), [GONE]), ((), [void]), ((), []), decisions=decisions) as snapshot:
        assert subjects(snapshot, "record-vanished") == set()
