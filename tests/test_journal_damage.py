"""A journal of twenty records, damaged in every small way: both verifiers find all of it, some only by the anchor.

`make mutants` tries every change and prints how many were found; other runs try some of each kind.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

import pytest

from auditkit.errors import JournalError
from auditkit.journal import Head, Journal
from auditkit.journal_verify import verify

RECORDS = 20
NO_ANCHOR = "journal.anchor: is missing, so that a cut at the end would not show"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    journal = Journal(tmp_path / "journal.jsonl", clock=lambda: datetime(2026, 3, 31, 12, tzinfo=UTC))
    for number in range(RECORDS):
        journal.append("note", {"number": number, "text": "é ü 漢 \u202e", "money": "862.50", "none": None})
    return journal.path


def bits_flipped(data: bytes) -> Iterator[bytes]:
    for place in range(len(data) * 8):
        changed = bytearray(data)
        changed[place // 8] ^= 1 << place % 8
        yield bytes(changed)


def bytes_taken_out(data: bytes) -> Iterator[bytes]:
    return (data[:place] + data[place + 1 :] for place in range(len(data)))


def ends_cut_off(data: bytes) -> Iterator[bytes]:
    return (data[:end] for end in range(len(data)))


def lines_moved(data: bytes) -> Iterator[bytes]:
    """Each line removed, and repeated in each later place; each two lines swapped."""
    lines = data.splitlines(keepends=True)
    for here, line in enumerate(lines):
        yield b"".join(lines[:here] + lines[here + 1 :])
        for later in range(here, len(lines)):
            yield b"".join([*lines[: later + 1], line, *lines[later + 1 :]])
    for one, other in combinations(range(len(lines)), 2):
        swapped = lines.copy()
        swapped[one], swapped[other] = lines[other], lines[one]
        yield b"".join(swapped)


Changes = Callable[[bytes], Iterator[bytes]]


def cases(steps: dict[Changes, int]) -> list[object]:
    """Each kind of change twice: every so many of them, and all of them as a campaign."""
    return [*steps.items(), *(pytest.param(changes, 1, marks=pytest.mark.campaign) for changes in steps)]


def is_found_by_the_journal(path: Path) -> bool:
    try:
        Journal(path).verify()
    except JournalError:
        return True
    return False


def is_found_from_outside(path: Path) -> bool:
    """A missing anchor does not count: the lines themselves must reveal the damage."""
    found = verify(path)
    return bool([problem for problem in found.problems if problem != NO_ANCHOR] or found.notes)


def assert_all_found(journal: Path, file: Path, damaged: list[bytes], name: str) -> None:
    """Assert that each verifier finds each of these damaged contents, and print how many it found."""
    for is_found in (is_found_by_the_journal, is_found_from_outside):
        unseen = []
        for data in damaged:
            file.write_bytes(data)
            if not is_found(journal):
                unseen.append(data)
        found = f"{len(damaged) - len(unseen):,} of {len(damaged):,}"
        print(f"{file.name}, {name}: {found} {is_found.__name__.removeprefix('is_')}".replace("_", " "))
        assert damaged and unseen == []


@pytest.mark.parametrize(
    ("changes", "step"), cases({bits_flipped: 211, bytes_taken_out: 53, ends_cut_off: 53, lines_moved: 7})
)
def test_every_damage_is_found(path: Path, changes: Changes, step: int) -> None:
    assert_all_found(path, path, list(changes(path.read_bytes()))[::step], changes.__name__)


@pytest.mark.parametrize(("changes", "step"), cases({bits_flipped: 211, bytes_taken_out: 53, lines_moved: 7}))
def test_without_an_anchor_all_damage_but_a_cut_is_found(path: Path, changes: Changes, step: int) -> None:
    whole = path.read_bytes()
    path.with_suffix(".anchor").unlink()
    damaged = [data for data in changes(whole) if not whole.startswith(data)][::step]
    assert_all_found(path, path, damaged, f"no anchor, {changes.__name__}")


@pytest.mark.parametrize("step", [53, pytest.param(1, marks=pytest.mark.campaign)])
def test_without_an_anchor_a_cut_looks_like_a_crash(path: Path, step: int) -> None:
    """It cannot be found; the outside verifier reports that the anchor is missing."""
    whole = path.read_bytes()
    path.with_suffix(".anchor").unlink()
    line_ends = [place + 1 for place, byte in enumerate(whole[:-1]) if byte == ord("\n")]
    assert len(line_ends) == RECORDS - 1
    for end in sorted({*range(0, len(whole), step), *line_ends}):
        path.write_bytes(whole[:end])
        found, count = verify(path), whole.count(b"\n", 0, end)
        assert Journal(path).verify() == Head(found.count, found.head)
        assert (found.count, found.problems) == (count, (NO_ANCHOR,) if count else ())
        assert len(found.notes) == (end not in (0, *line_ends))


@pytest.mark.parametrize(("changes", "step"), cases({bits_flipped: 11, bytes_taken_out: 5, ends_cut_off: 5}))
def test_every_damage_of_the_anchor_is_found(path: Path, changes: Changes, step: int) -> None:
    anchor = path.with_suffix(".anchor")
    whole = anchor.read_bytes()
    damaged = [data for data in changes(whole) if data != whole.removesuffix(b"\n")]  # its newline means nothing
    assert_all_found(path, anchor, damaged[::step], changes.__name__)


def test_restoring_both_files_to_an_older_state_is_not_found(tmp_path: Path) -> None:
    """Neither verifier can find it: only a head that was written down elsewhere reveals it."""
    journal = Journal(tmp_path / "journal.jsonl")
    before = journal.append("note", {})
    kept = {path: path.read_bytes() for path in (journal.path, journal.anchor_path)}
    journal.append("note", {})
    for path, data in kept.items():
        path.write_bytes(data)
    assert Journal(journal.path).verify() == Head(1, before.hash)
    assert verify(journal.path).is_whole
