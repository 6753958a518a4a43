"""What changes between one call and the next: no read calls itself complete and has a gap, a double or a ghost.

`make drift` goes through every schedule of the size named here; `make test` through a small part of them.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from auditkit.settings import Settings
from tests.drift.readers import Outcome, read_invoices, read_naively, read_nrbs, summary
from tests.drift.worlds import ORDERS, Schedule, schedules

NONE = {"silent gaps": 0, "silent duplicates": 0, "silent ghosts": 0}
SIZES = (2, 3, 4, 5)  # a page holds one row that the page before had, so 1 to 4 new ones


def every(most: int) -> Iterator[tuple[int, int, Schedule]]:
    """Records, size and schedule: all with one change, and with two or three where there are at most `most` records."""
    for records, size in itertools.product(range(1, 9), SIZES):
        calls = 2 * (1 + max(records - 1, 0) // (size - 1)) + 1  # two quiet passes
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
def one_by_one(quiet: None) -> Settings:
    return Settings(aimsio_url=None).model_copy(update={"parallel": 1})


def shown(name: str, counts: dict[str, int]) -> None:
    print(f"{name}: " + ", ".join(f"{count:,} {what}" for what, count in counts.items()))


def test_no_silent_gap_in_a_part_of_the_schedules() -> None:
    ours = summary(outcomes(read_invoices, itertools.islice(every(2), 0, None, 7)))
    naive = summary(outcomes(read_naively, itertools.islice(every(2), 0, None, 7)))
    assert ours["schedules"] > 2_000 and ours["complete"] > ours["schedules"] // 2
    assert ours.items() >= NONE.items()
    assert naive["silent gaps"] > 100 and naive["silent duplicates"] > 100


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
