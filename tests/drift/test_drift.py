"""Changes between one call and the next: no read that is COMPLETE has a gap, a duplicate or a ghost.

`make drift` goes through every schedule of the size named here; `make test` through a small part of them.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from auditkit.settings import Settings
from tests.drift.readers import Outcome, read_invoices, read_naively, read_nrbs, read_nrbs_twice, summary
from tests.drift.worlds import ORDERS, Liar, Schedule, schedules

NONE = {"silent gaps": 0, "silent duplicates": 0, "silent ghosts": 0}
SIZES = (2, 3, 4, 5)  # a page holds one row that the page before had, so 1 to 4 new ones


def every(most: int) -> Iterator[tuple[int, int, Schedule]]:
    """Records, size and schedule: all with one change, and with two or three where there are at most `most` records."""
    for records, size in itertools.product(range(1, 9), SIZES):
        calls = 2 * (2 + max(records - 1, 0) // (size - 1)) + 1  # two quiet passes, each with a page past the end
        for mutations in (1, 2, 3):
            if records <= {1: 8, 2: most + 2, 3: most - 1}[mutations]:
                for schedule in schedules(records, mutations, calls):
                    yield records, size, schedule


def outcomes(
    read: Callable[[int, Schedule, str, int], Outcome], cases: Iterator[tuple[int, int, Schedule]]
) -> Counter[Outcome]:
    return Counter(read(records, schedule, order, size) for records, size, schedule in cases for order in ORDERS)


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDITKIT_QUIET", "1")


@pytest.fixture
def one_by_one(quiet: None, tmp_path: Path) -> Settings:
    return Settings(aimsio_url=None).model_copy(update={"parallel": 1, "home": tmp_path})


def shown(name: str, counts: dict[str, int]) -> None:
    print(f"{name}: " + ", ".join(f"{count:,} {what}" for what, count in counts.items()))


def test_no_silent_gap_in_a_part_of_the_schedules() -> None:
    ours = summary(outcomes(read_invoices, itertools.islice(every(2), 0, None, 7)))
    naive = summary(outcomes(read_naively, itertools.islice(every(2), 0, None, 7)))
    assert ours["schedules"] > 2_000 and ours["complete"] > ours["schedules"] // 2
    assert ours.items() >= NONE.items()
    assert naive["silent gaps"] > 100 and naive["silent duplicates"] > 100


LIARS = [
    Liar(rows, count, beyond, ignores)
    for rows in (0, 1, 2, 3)
    for count in ("total", "page", "remaining", "capped", "more", "none")
    for beyond in ("empty", "error", "repeat", "first")
    for ignores in ("", "size", "from")
]
HARMLESS = [liar for liar in LIARS if liar.beyond == "empty" and liar.count != "more" and liar.ignores != "from"]


@pytest.mark.parametrize("order", ORDERS)
def test_a_server_that_lies_about_pages_and_counts(order: str) -> None:
    """A quiet list of 0 to 6 rows is read whole, or is INCOMPLETE; that of a harmless liar is always COMPLETE."""
    for liar, records, size in itertools.product(LIARS, range(7), SIZES):
        outcome = read_invoices(records, {}, order, size, liar)
        assert not outcome.is_silently_wrong, liar
        assert outcome.complete or liar not in HARMLESS, liar


def test_a_naive_reader_believes_a_server_that_sends_less_than_it_was_asked_for() -> None:
    outcome = read_naively(6, {}, "created, oldest first", 5, Liar(rows=3, count="page"))
    assert outcome.is_silently_wrong and outcome.gaps == 3


def lying(most: int) -> Iterator[tuple[int, int, Schedule]]:
    """As `every`, for servers whose pages are shorter, so that a pass has up to three calls for each row."""
    for records, size in itertools.product(range(1, 5), (2, 4)):
        for mutations in (1, 2):
            if records <= {1: most, 2: most - 2}[mutations]:
                for schedule in schedules(records, mutations, 6 * records + 4):
                    yield records, size, schedule


def lies(most: int) -> Counter[Outcome]:
    return Counter(
        read_invoices(records, schedule, order, size, liar)
        for liar in HARMLESS
        for records, size, schedule in itertools.islice(lying(most), 0, None, 1 if most > 3 else 29)
        for order in ORDERS
    )


def test_no_silent_gap_in_a_part_of_the_schedules_of_a_server_that_lies() -> None:
    counts = summary(lies(3))
    assert counts["schedules"] > 1_000 and counts["complete"] > counts["schedules"] // 3
    assert counts.items() >= NONE.items()


@pytest.mark.campaign
def test_no_silent_gap_in_any_schedule_of_a_server_that_lies(capsys: pytest.CaptureFixture[str]) -> None:
    counts = summary(lies(4))
    with capsys.disabled():
        shown("\ninvoices, of a server that lies", counts)
    assert counts["schedules"] >= 100_000
    assert counts.items() >= NONE.items()


@pytest.mark.campaign
def test_no_silent_gap_in_any_schedule(capsys: pytest.CaptureFixture[str]) -> None:
    ours, naive = summary(outcomes(read_invoices, every(4))), summary(outcomes(read_naively, every(4)))
    with capsys.disabled():
        shown("\ninvoices, our reader  ", ours)
        shown("invoices, naive reader", naive)
    assert ours["schedules"] >= 100_000
    assert ours.items() >= NONE.items()
    assert naive["silent gaps"] > 1_000 and naive["silent duplicates"] > 1_000


@pytest.mark.parametrize("lag", [0, 1, 2], ids=lambda lag: f"a replica {lag} calls behind")
def test_no_nrb_is_older_than_its_list(lag: int, one_by_one: Settings) -> None:
    """Changes and deletions between list and detail, and details from a replica that lags."""
    counts = summary(
        Counter(
            read_nrbs(records, schedule, lag, one_by_one)
            for records, mutations in ((1, 1), (1, 2), (2, 1), (2, 2))
            for schedule in schedules(records, mutations, 2 + records)
        )
    )
    assert counts["schedules"] > 200 and counts["complete"] > 20
    assert counts.items() >= NONE.items()


def test_a_change_without_a_stamp_is_found_when_its_content_is_due(one_by_one: Settings) -> None:
    """At every place of a read, edits that leave the time of change as it was."""
    counts = summary(
        Counter(
            read_nrbs_twice(records, schedule, one_by_one)
            for records, mutations in ((1, 1), (2, 1), (3, 1), (2, 2))
            for schedule in schedules(records, mutations, 2 + records)
        )
    )
    assert counts["schedules"] > 150 and counts["complete"] > 100
    assert counts.items() >= NONE.items()
