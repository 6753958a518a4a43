"""The journal: what it keeps, what damage it sees, and that a record is on disk before it is acted upon."""

import json
import resource
import stat
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit.errors import Busy, JournalError, ValueRefused
from auditkit.journal import Head, Journal, canonical, links

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "home" / "journal.jsonl", clock=lambda: NOON)


@pytest.fixture
def ten(journal):
    """A journal of ten records, and its bytes."""
    for number in range(10):
        journal.append("note", {"n": number, "money": "862.50"})
    return journal


def reread(journal):
    """The same file as another process would find it."""
    return Journal(journal.path, clock=lambda: NOON)


@contextmanager
def full_disk(limit):
    """No file of this process can grow beyond `limit` bytes meanwhile."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# What it keeps


def test_what_was_written_is_read_back(journal):
    written = [journal.append("accept", {"rule": "r", "amount": "1.10"}), journal.append("note", {"nested": [1, None]})]
    assert list(reread(journal).records()) == written
    assert [record.body for record in reread(journal).records("note")] == [{"nested": [1, None]}]
    assert (written[0].seq, written[0].at) == (1, NOON)
    assert reread(journal).verify() == reread(journal).head == Head(2, written[1].hash)


def test_no_journal_is_an_empty_one_and_reading_creates_nothing(journal):
    assert list(journal.records()) == []
    assert journal.head == journal.verify() == Head(0, "0" * 64)
    assert not journal.path.parent.exists()


def test_files_are_the_owners_alone(journal):
    journal.append("note", {})
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in journal.path.parent.iterdir()}
    assert modes == {"journal.jsonl": 0o600, "journal.anchor": 0o600}
    assert stat.S_IMODE(journal.path.parent.stat().st_mode) == 0o700


def test_the_anchor_names_count_and_head(ten):
    assert json.loads(ten.anchor_path.read_text()) == {"count": 10, "head": ten.head.hash}


@pytest.mark.parametrize("value", [1.5, Decimal("1.5"), float("nan"), {1, 2}, NOON], ids=str)
def test_what_would_lose_digits_or_meaning_is_refused_before_anything_is_written(journal, value):
    with pytest.raises(ValueRefused, match="as text"):
        journal.append("note", {"value": value})
    assert not journal.path.exists()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_canonical_text_is_ascii_and_says_the_same(value):
    text = canonical(value)
    assert text.isascii()
    assert "\n" not in text
    assert json.loads(text) == value
    assert canonical(json.loads(text)) == text


def test_times_are_kept_in_utc(tmp_path):
    east = datetime.fromisoformat("2026-03-31T14:00:00+02:00")
    record = Journal(tmp_path / "j.jsonl", clock=lambda: east).append("note", {})
    (again,) = Journal(tmp_path / "j.jsonl").records()
    assert again == record
    assert again.at == east
    assert again.at.utcoffset() == timedelta(0)


# What damage it sees


def damaged(journal, data):
    journal.path.write_bytes(data)
    with pytest.raises(JournalError) as caught:
        reread(journal).verify()
    with pytest.raises(JournalError):
        reread(journal).append("note", {})
    return str(caught.value)


def test_a_flipped_bit_is_seen_in_every_byte_even_without_an_anchor(ten):
    ten.anchor_path.unlink()
    whole = ten.path.read_bytes()
    unseen = []
    for position in range(len(whole)):
        is_end = position >= len(whole) - 3  # a newline that is flipped looks like a torn line: try each of its bits
        for bit in range(8) if is_end else [position % 8]:
            flipped = bytearray(whole)
            flipped[position] ^= 1 << bit
            ten.path.write_bytes(flipped)
            try:
                reread(ten).verify()
            except JournalError:
                continue
            unseen.append((position, bit))
    assert unseen == []


@pytest.mark.parametrize("line", range(10))
def test_a_line_removed_repeated_or_swapped_is_named(ten, line):
    lines = ten.path.read_bytes().splitlines(keepends=True)
    before, here, after = lines[:line], lines[line], lines[line + 1 :]
    number = min(line + 1, 10)
    assert f"line {number}" in damaged(ten, b"".join(before + after))
    assert f"line {line + 2}" in damaged(ten, b"".join([*before, here, here, *after]))
    if after:
        assert f"line {line + 1}" in damaged(ten, b"".join([*before, after[0], here, *after[1:]]))


def test_a_record_made_anew_with_a_right_hash_is_seen_at_the_next_line(ten, tmp_path):
    other = Journal(tmp_path / "other.jsonl", clock=lambda: NOON)
    for record in ten.records():
        other.append(record.kind, {**record.body, "money": "1.00"} if record.seq == 4 else record.body)
    lines = ten.path.read_bytes().splitlines(keepends=True)
    forged = other.path.read_bytes().splitlines(keepends=True)[3]
    assert "line 5" in damaged(ten, b"".join([*lines[:3], forged, *lines[4:]]))
    assert "anchor" in damaged(ten, other.path.read_bytes())


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"count":"x","head":""}', "\xff"])
def test_a_broken_anchor_is_named(ten, text):
    ten.anchor_path.write_text(text, "latin-1")
    with pytest.raises(JournalError, match=r"journal\.anchor"):
        reread(ten).verify()


def test_a_lost_journal_is_not_an_empty_one(ten):
    ten.path.unlink()
    with pytest.raises(JournalError, match="line 1: is missing"):
        reread(ten).append("note", {})
    with pytest.raises(JournalError, match="line 1: is missing"):
        _ = ten.head


def test_damage_done_while_the_journal_is_open_is_seen_by_verify(ten):
    data = ten.path.read_bytes()
    ten.path.write_bytes(data.replace(b"862.50", b"962.50", 1))
    with pytest.raises(JournalError, match="line 1:"):
        ten.verify()


# After a crash


@pytest.mark.parametrize("kept", [1, 20, -2, -1])
def test_a_torn_last_line_is_set_aside_and_noted(ten, kept):
    whole = ten.path.read_bytes()
    torn = reread(ten).append("note", {"text": "torn"})
    line = ten.path.read_bytes()[len(whole) :]
    ten.path.write_bytes(whole + line[:kept])
    ten.anchor_path.unlink()  # a crash while writing a line leaves the anchor of the line before; here: none at all

    assert reread(ten).verify().count == 10
    assert torn.seq == 11
    after = reread(ten).append("note", {"text": "after"})
    (note,) = reread(ten).records("torn")
    assert (note.seq, note.body["bytes"], after.seq) == (11, len(line[:kept]), 12)
    assert (ten.path.parent / note.body["kept_in"]).read_bytes() == line[:kept]
    assert reread(ten).verify().count == 12


def test_a_cut_of_acknowledged_records_is_seen_by_the_anchor(ten):
    lines = ten.path.read_bytes().splitlines(keepends=True)
    assert "line 9: is missing" in damaged(ten, b"".join(lines[:8]))
    assert "line 10: is missing" in damaged(ten, b"".join(lines)[:-5])


def test_a_crash_before_the_anchor_moved_is_no_damage(ten):
    anchor = ten.anchor_path.read_bytes()
    ten.append("note", {})
    ten.anchor_path.write_bytes(anchor)
    assert reread(ten).append("note", {}).seq == 12


def test_a_full_disk_stops_everything_and_costs_no_record(ten):
    size = ten.path.stat().st_size
    with full_disk(size + 30), pytest.raises(JournalError, match="nothing is sent"):
        ten.append("note", {"text": "x" * 100})
    with pytest.raises(JournalError, match="restart"):
        ten.append("note", {})
    assert ten.path.stat().st_size == size + 30
    assert reread(ten).append("note", {}).seq == 12
    assert [record.kind for record in reread(ten).records()][-2:] == ["torn", "note"]


def test_a_journal_that_cannot_be_opened_is_a_journal_error(tmp_path):
    (tmp_path / "journal.jsonl").mkdir()
    with pytest.raises(JournalError):
        Journal(tmp_path / "journal.jsonl").append("note", {})


# Several writers


@contextmanager
def another_process(journal, code):
    """A process that runs `code` on the same `journal`, once it has said that it is ready."""
    start = "import sys, pathlib, auditkit.journal as j\njournal = j.Journal(pathlib.Path(sys.argv[1]))\n"
    command = [sys.executable, "-c", start + code, str(journal.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "ready\n"
        yield other


def test_processes_take_turns(journal):
    code = "print('ready', flush=True)\nfor n in range(40): journal.append('there', {'n': n})"
    with another_process(journal, code) as other:
        for number in range(40):
            journal.append("here", {"n": number})
    assert other.returncode == 0
    assert reread(journal).verify().count == 80
    for kind in ("here", "there"):
        assert [record.body["n"] for record in journal.records(kind)] == list(range(40))


def test_one_process_at_a_time_may_write_at_a_vendor(journal):
    code = "with journal.sole_writer(): print('ready', flush=True); sys.stdin.read()"
    with another_process(journal, code) as other:
        with pytest.raises(Busy, match=f"process {other.pid} is writing"), journal.sole_writer():
            pass
        journal.append("note", {"decisions": "go on meanwhile"})
        other.kill()
    with journal.sole_writer():
        pass


# Decisions as rows


def test_an_invoice_that_is_forbidden_takes_back_the_links_to_its_lines(journal):
    lines = [{"nrb_guid": "n1", "jnid": "i1", "line_key": key} for key in ("k1", "k2")]
    whole = {"nrb_guid": "n1", "jnid": "i1", "line_key": None}
    for kind, pair in (("link", lines[0]), ("link", {**lines[0], "jnid": "i2"}), ("forbid", whole), ("link", lines[1])):
        journal.append(kind, {**pair, "note": "said", "who": "ann"})
    assert [(row["kind"], row["jnid"], row["line_key"]) for row in links(journal)] == [
        ("link", "i2", "k1"),
        ("forbid", "i1", None),
        ("link", "i1", "k2"),
    ]


def test_the_latest_word_on_a_pair_stands(journal):
    pair = {"nrb_guid": "n1", "jnid": "i1", "line_key": "k1"}
    said = [
        ("link", {**pair, "note": "seen", "who": "ann"}),
        ("link", {**pair, "line_key": None, "note": "whole", "who": "ann"}),
        ("forbid", {**pair, "note": "no", "who": "bob"}),
        ("unlink", {**pair, "note": "not a link any more", "who": "bob"}),
        ("forbid", {**pair, "jnid": "i2", "note": "x", "who": "bob"}),
        ("unforbid", {**pair, "jnid": "i2", "note": "x", "who": "bob"}),
        ("unrelated", pair),
    ]
    for kind, body in said:
        journal.append(kind, body)
    assert links(journal) == [
        {"kind": "forbid", **pair, "note": "no", "who": "bob", "at": NOON},
        {"kind": "link", **pair, "line_key": None, "note": "whole", "who": "ann", "at": NOON},
    ]
