"""The journal: what it keeps, which damage it finds, and that a record is on disk before anything relies on it."""

import fcntl
import hashlib
import json
import os
import resource
import stat
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit import journal as journal_module
from auditkit.errors import Busy, JournalError, ValueRefused
from auditkit.journal import Head, Journal, Record, canonical, now
from auditkit.journal_verify import verify
from auditkit.settings import AccountKey

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
    """The same file, as another process would open it."""
    return Journal(journal.path, clock=lambda: NOON)


@contextmanager
def full_disk(limit):
    """No file of this process can grow beyond `limit` bytes inside the block."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# What it keeps


def test_records_are_read_back_as_written(journal):
    written = [journal.append("accept", {"rule": "r", "amount": "1.10"}), journal.append("note", {"nested": [1, None]})]
    assert list(reread(journal).records()) == written
    assert [record.body for record in reread(journal).records("note")] == [{"nested": [1, None]}]
    assert (written[0].seq, written[0].at) == (1, NOON)
    assert reread(journal).verify() == reread(journal).head == Head(2, written[1].hash)


def test_the_bytes_on_disk(journal):
    """The format that older journals have, and that verifies without this package."""
    journal.append("note", {"b": "é", "a": None})
    at, body = "2026-03-31T12:00:00.000000+00:00", r'{"a":null,"b":"\u00e9"}'
    h = hashlib.sha256(f'[1,"{"0" * 64}","{at}","note",{body}]'.encode()).hexdigest()
    assert journal.path.read_text() == f'{{"at":"{at}","body":{body},"h":"{h}","kind":"note","seq":1}}\n'
    assert journal.anchor_path.read_text() == f'{{"count":1,"head":"{h}"}}\n'


def test_a_missing_journal_is_empty_and_reading_creates_nothing(journal):
    assert list(journal.records()) == []
    assert journal.head == journal.verify() == Head(0, "0" * 64)
    assert not journal.path.parent.exists()


def test_only_the_owner_can_read_the_files(journal):
    with journal.sole_writer():
        journal.append("note", {})
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in journal.path.parent.iterdir()}
    assert modes == {"journal.jsonl": 0o600, "journal.anchor": 0o600, "journal.lock": 0o600}
    assert stat.S_IMODE(journal.path.parent.stat().st_mode) == 0o700


def test_the_anchor_names_count_and_head(ten):
    assert json.loads(ten.anchor_path.read_text()) == {"count": 10, "head": ten.head.hash}


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (1.5, "1.5 is a fraction"),
        (Decimal("1.5"), "Decimal is not JSON"),
        (float("nan"), "not JSON compliant"),
        ({1, 2}, "set is not JSON"),
        (NOON, "datetime is not JSON"),
    ],
    ids=str,
)
def test_a_value_that_would_lose_digits_or_meaning_is_refused_before_anything_is_written(journal, value, why):
    with pytest.raises(ValueRefused, match=f"^not a value for a record: .*{why}.*as text$"):
        journal.append("note", {"value": value})
    assert not journal.path.exists()


def test_a_value_nested_too_deep_is_refused(journal):
    value = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(ValueRefused, match=r"^not a value for a record: "):
        journal.append("note", {"value": value})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_canonical_text_is_ascii_and_parses_to_the_same_value(value):
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


def test_times_are_kept_in_utc_whatever_the_time_zone_of_the_machine(monkeypatch, tmp_path):
    monkeypatch.setenv("TZ", "XXX-3")
    time.tzset()
    try:
        assert now().utcoffset() == timedelta(0)
        Journal(tmp_path / "j.jsonl", clock=lambda: NOON).append("note", {})
    finally:
        monkeypatch.undo()
        time.tzset()
    assert b'"at":"2026-03-31T12:00:00.000000+00:00"' in (tmp_path / "j.jsonl").read_bytes()


def test_missing_parent_folders_are_created(tmp_path):
    assert Journal(tmp_path / "a" / "b" / "journal.jsonl").append("note", {}).seq == 1


def test_a_record_is_on_disk_with_its_folder_entry_before_append_returns(monkeypatch, journal):
    """An fsync of: the next anchor, the record, and the folder, once more where the journal is new."""
    synced, sync = [], os.fsync

    def fsync(file):
        synced.append(os.fstat(file).st_ino)
        sync(file)

    monkeypatch.setattr(os, "fsync", fsync)
    folder = journal.path.parent

    def synced_by_a_note():
        synced.clear()
        journal.append("note", {})
        names = {path.stat().st_ino: path.suffix for path in folder.iterdir()} | {folder.stat().st_ino: "folder"}
        return [names.get(file, "an anchor before") for file in synced]

    assert synced_by_a_note() == [".anchor", ".jsonl", "folder", "folder"]
    assert synced_by_a_note() == [".anchor", ".jsonl", "folder"]
    with journal.path.open("ab") as file:
        file.write(b"{")
    torn, *noted = synced_by_a_note()
    assert torn.startswith(".torn-")
    assert noted == ["folder", "an anchor before", ".jsonl", "folder", ".anchor", ".jsonl", "folder"]


# What it reads


@pytest.fixture
def opened(monkeypatch, ten):
    """How often the lines of the journal are read from its file, and from which byte."""
    starts, lines = [], Journal._lines

    def counted(self, start):
        starts.append(start)
        return lines(self, start)

    monkeypatch.setattr(Journal, "_lines", counted)
    return starts


def test_what_was_read_is_not_read_again(ten, opened):
    other = reread(ten)
    for _ in range(3):
        assert len(other.records()) == other.head.count == 10
        assert [record.seq for record in other.records("note")] == list(range(1, 11))
    assert opened == [0]
    size = ten.path.stat().st_size
    ten.append("more", {})  # its own record needs no reading
    assert ten.records("more") == other.records("more") != []
    assert opened == [0, size]


class Notes:
    """A projection that counts what it takes."""

    def __init__(self):
        self.taken = []

    def take(self, record: Record):
        if record.kind == "bad":
            raise JournalError("bad")
        self.taken.append(record.seq)


def test_a_projection_takes_each_record_once(ten):
    first = ten.projection(Notes)
    reread(ten).append("note", {})
    ten.append("note", {})
    assert ten.projection(Notes) is first
    assert first.taken == list(range(1, 13))


def test_a_projection_that_fails_is_made_anew(ten):
    assert len(ten.projection(Notes).taken) == 10
    ten.append("bad", {})
    for _ in range(2):
        with pytest.raises(JournalError, match="bad"):
            ten.projection(Notes)


def test_a_journal_changed_in_place_is_read_again(ten):
    data = ten.path.read_bytes()
    assert ten.head.count == 10
    ten.path.write_bytes(data.replace(b"862.50", b"962.50", 1))
    os.utime(ten.path, ns=(0, 0))  # another time, however coarse the file system's clock is
    for ask in (ten.records, lambda: ten.head, lambda: ten.projection(Notes), lambda: ten.append("note", {})):
        with pytest.raises(JournalError, match="line 1:"):
            ask()


def test_another_journal_in_its_place_is_read_from_its_first_line(ten, tmp_path):
    other = Journal(tmp_path / "other" / "journal.jsonl", clock=lambda: NOON)
    for number in range(12):
        other.append("note", {"n": number})
    assert ten.head.count == 10
    other.anchor_path.replace(ten.anchor_path)
    other.path.replace(ten.path)
    assert ten.head == reread(ten).head
    assert ten.head.count == 12


def test_a_folder_that_cannot_be_read_is_not_an_empty_journal(ten, monkeypatch):
    def denied(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(journal_module.Path, "stat", denied)
    with pytest.raises(JournalError, match=r"cannot be read \(Permission denied\)"):
        reread(ten).records()


# Text, gate, account and time

LONE_BYTE = "caf\udce9"  # as Python reads "café" in Latin-1 from a command line or the environment


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"a": {"b": ["x", LONE_BYTE]}},
            "a.b: is not Unicode (it holds a byte of another encoding); write it in UTF-8",
        ),
        ({LONE_BYTE: 1}, f"{LONE_BYTE}: is not Unicode (it holds a byte of another encoding); write it in UTF-8"),
        ({"note": "a\x1b[2J"}, "note: holds a control character; write one line of text"),
        ({"who": "ann\n"}, "who: holds a control character; write one line of text"),
        ({"until": "\x7f"}, "until: holds a control character; write one line of text"),
    ],
    ids=["byte in a list", "byte in a name", "escape in a note", "line feed in a person", "delete in a day"],
)
def test_text_that_a_later_reader_would_refuse_is_refused(journal, body, message):
    with pytest.raises(ValueRefused) as caught:
        journal.append("note", body)
    assert str(caught.value) == message
    assert not journal.path.exists()


def test_any_other_text_is_kept(journal):
    """A vendor's own text may hold control characters: it is kept as it is, inside JSON."""
    body = {"change": {"note": "a\x00\nb"}, "note": "é 漢 😀 \u202e\u00a0", "moved": [None, 1, "\x1b"]}
    journal.append("note", body)
    (record,) = reread(journal).records()
    assert (record.body, record.damaged) == (body, ())


def test_text_of_an_older_journal_that_is_not_unicode_is_read_in_part(journal, monkeypatch):
    body = {"note": LONE_BYTE, "list": [{"text": "\ud83d"}, "😀", 1], LONE_BYTE: None}
    with monkeypatch.context() as patch:
        patch.setattr(journal_module, "_refuse_unreadable", lambda body: None)
        written = journal.append("note", body)
    (record,) = reread(journal).records()
    assert record.body == {"note": "caf\ufffd", "list": [{"text": "\ufffd"}, "😀", 1], "caf\ufffd": None}
    assert record.damaged == (LONE_BYTE, "list.text", "note")
    assert reread(journal).verify() == Head(1, written.hash)
    assert reread(journal).append("note", {}).seq == 2


def test_the_gate_sees_each_body_before_anything_is_written(tmp_path):
    def gate(body):
        if not body:
            raise PermissionError("empty")
        return {**body, "passed": True}

    journal = Journal(tmp_path / "home" / "journal.jsonl", gate=gate)
    with pytest.raises(PermissionError, match="empty"):
        journal.append("note", {})
    assert not journal.path.parent.exists()
    assert journal.append("note", {"n": 1}).body == {"n": 1, "passed": True}


def test_the_account_is_that_of_the_last_record_that_names_one(journal):
    assert journal.account is None
    for body in ({"environment": "here"}, {"environment": "here", "account": 1}, {"environment": 1, "account": "ours"}):
        journal.append("note", body)
        assert journal.account is None
    journal.append("note", {"environment": "there", "account": "theirs"})
    journal.append("note", {"environment": "here", "account": "ours"})
    journal.append("note", {"text": "of no account"})
    assert reread(journal).account == journal.account == AccountKey("here", "ours")


def test_an_instant_is_not_before_the_latest_record(tmp_path):
    clock = iter([NOON, NOON + timedelta(hours=2), NOON + timedelta(hours=1)])
    journal = Journal(tmp_path / "journal.jsonl", clock=lambda: next(clock))
    assert journal.not_before(NOON) == NOON
    for _ in range(3):
        journal.append("note", {})
    assert journal.not_before(NOON + timedelta(minutes=119)) == NOON + timedelta(hours=2)
    assert journal.not_before(NOON + timedelta(minutes=121)) == NOON + timedelta(minutes=121)


# Which damage it finds


def damaged(journal, data):
    journal.path.write_bytes(data)
    with pytest.raises(JournalError) as caught:
        reread(journal).verify()
    with pytest.raises(JournalError):
        reread(journal).append("note", {})
    return str(caught.value)


RECORD = b'{"at":"%s","body":%s,"h":"","kind":"note","seq":4}'
IS_NONE = "is not a record"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b"", IS_NONE),
        (b"1", IS_NONE),
        (b"\xff", IS_NONE),
        (b"{}", IS_NONE),
        (b"[" * 100_000, IS_NONE),
        (RECORD % (b"noon", b"{}"), IS_NONE),
        (RECORD % (b"0001-01-01T00:00:00+23:59", b"{}"), IS_NONE),  # before the first year in UTC
        (RECORD % (b"2026-03-31T12:00:00+00:00", b"1.5"), IS_NONE),
        (RECORD % (b"2026-03-31T12:00:00+00:00", b"NaN"), IS_NONE),
        (RECORD % (b"2026-03-31T12:00:00+00:00", b"{}"), "was changed, moved, repeated or follows a removed one"),
    ],
    ids=count(),
)
def test_a_line_that_is_not_a_record_is_reported_with_its_number(ten, line, what):
    lines = ten.path.read_bytes().splitlines(keepends=True)
    message = damaged(ten, b"".join([*lines[:3], line + b"\n", *lines[4:]]))
    assert message == f"{ten.path} line 4: {what}; nothing is written until it is restored from a copy that verifies"


def test_a_record_with_more_behind_it_is_damage_and_not_a_torn_line(ten):
    whole = ten.path.read_bytes()
    for more in (b"\x8a", b" ", b"{"):
        message = damaged(ten, whole[:-1] + more)
        assert message.startswith(f"{ten.path} line 10: does not end where its record ends; ")


@pytest.mark.parametrize("line", range(10))
def test_a_removed_repeated_or_swapped_line_is_reported_with_its_number(ten, line):
    lines = ten.path.read_bytes().splitlines(keepends=True)
    before, here, after = lines[:line], lines[line], lines[line + 1 :]
    number = min(line + 1, 10)
    assert f"line {number}" in damaged(ten, b"".join(before + after))
    assert f"line {line + 2}" in damaged(ten, b"".join([*before, here, here, *after]))
    if after:
        assert f"line {line + 1}" in damaged(ten, b"".join([*before, after[0], here, *after[1:]]))


def test_a_forged_record_with_a_right_hash_is_found_at_the_next_line(ten, tmp_path):
    other = Journal(tmp_path / "other.jsonl", clock=lambda: NOON)
    for record in ten.records():
        other.append(record.kind, {**record.body, "money": "1.00"} if record.seq == 4 else record.body)
    lines = ten.path.read_bytes().splitlines(keepends=True)
    forged = other.path.read_bytes().splitlines(keepends=True)[3]
    assert "line 5" in damaged(ten, b"".join([*lines[:3], forged, *lines[4:]]))
    assert "line 10: is not the record that journal.anchor names" in damaged(ten, other.path.read_bytes())


@pytest.mark.parametrize(
    "text",
    [
        *("", "{}", "[]", "\xff", "[" * 100_000, '{"count":1}', '{"head":""}'),
        *(f'{{"count":{count},"head":""}}' for count in ('"x"', '"10"', "true", "1.5", "1e999", "null", "0", "-1")),
    ],
    ids=count(),
)
def test_a_broken_anchor_is_reported(ten, text):
    ten.anchor_path.write_text(text, "latin-1")
    with pytest.raises(JournalError) as caught:
        reread(ten).verify()
    assert str(caught.value) == f"{ten.anchor_path}: is not an anchor; restore it, or remove it after a look"


def test_an_anchor_of_one_record_is_valid(journal):
    journal.append("note", {})
    assert reread(journal).verify().count == 1


@pytest.mark.parametrize("suffix", [".jsonl", ".anchor"])
def test_a_file_that_cannot_be_read_is_a_journal_error(ten, suffix):
    path = ten.path.with_suffix(suffix)
    path.unlink()
    path.mkdir()
    for ask in (Journal.verify, lambda journal: journal.head, lambda journal: journal.append("note", {})):
        with pytest.raises(JournalError, match=rf"^{path}: cannot be .*Is a directory"):
            ask(reread(ten))


def test_a_lost_journal_is_not_read_as_an_empty_one(ten):
    ten.path.unlink()
    for ask in (lambda: ten.head, reread(ten).verify, lambda: reread(ten).append("note", {}), lambda: ten.head):
        with pytest.raises(JournalError, match="line 1: is missing"):
            ask()


# After a crash


@pytest.mark.parametrize("kept", [1, 20, -2, -1])
def test_a_torn_last_line_is_set_aside_and_noted(ten, kept):
    whole = ten.path.read_bytes()
    torn = reread(ten).append("note", {"text": "torn"})
    line = ten.path.read_bytes()[len(whole) :]
    ten.path.write_bytes(whole + line[:kept])
    ten.anchor_path.unlink()  # here not even the anchor of the line before

    assert reread(ten).verify().count == 10
    assert torn.seq == 11
    after = reread(ten).append("note", {"text": "after"})
    (note,) = reread(ten).records("torn")
    assert (note.seq, note.body["bytes"], after.seq) == (11, len(line[:kept]), 12)
    assert note.body["kept_in"] == f"journal.jsonl.torn-{hashlib.sha256(line[:kept]).hexdigest()[:12]}"
    assert (ten.path.parent / note.body["kept_in"]).read_bytes() == line[:kept]
    assert reread(ten).verify().count == 12


def test_a_cut_at_the_end_is_found_by_the_anchor(ten):
    lines = ten.path.read_bytes().splitlines(keepends=True)
    assert "line 9: is missing" in damaged(ten, b"".join(lines[:8]))
    assert "line 10: is missing" in damaged(ten, b"".join(lines)[:-5])


def test_a_crash_before_the_anchor_was_published_is_not_damage(ten):
    anchor = ten.anchor_path.read_bytes()
    ten.append("note", {})
    ten.anchor_path.write_bytes(anchor)
    assert reread(ten).append("note", {}).seq == 12


def test_any_torn_line_is_set_aside(ten):
    torn = b"[" * 100_000
    with ten.path.open("ab") as file:
        file.write(torn)
    assert reread(ten).append("note", {}).seq == 12
    assert [record.body.get("bytes") for record in reread(ten).records("torn")] == [len(torn)]


@pytest.mark.parametrize(
    ("room", "reason", "kinds"),
    [(0, "File too large", ["note", "note"]), (30, "the disk took a part of the record only", ["torn", "note"])],
)
def test_a_full_disk_stops_all_writing_and_loses_no_record(ten, room, reason, kinds):
    size = ten.path.stat().st_size
    with full_disk(size + room), pytest.raises(JournalError) as caught:
        ten.append("note", {"text": "x" * 100})
    assert str(caught.value) == f"{ten.path}: cannot be written ({reason}); nothing is sent until it can"
    with pytest.raises(JournalError, match="restart"):
        ten.append("note", {})
    assert ten.path.stat().st_size == size + room
    reread(ten).append("note", {})
    assert [record.kind for record in reread(ten).records()][-2:] == kinds


def no_space_for(monkeypatch, suffix):
    """No file whose name ends with the suffix can be created."""
    real = os.open

    def opening(path, flags, *mode, **others):
        if str(path).endswith(suffix) and flags & os.O_EXCL:
            raise OSError(28, "No space left on device")
        return real(path, flags, *mode, **others)

    monkeypatch.setattr(os, "open", opening)


def test_without_space_for_the_anchor_no_record_is_written(ten, monkeypatch):
    before = ten.path.read_bytes()
    with monkeypatch.context() as patch:
        no_space_for(patch, "journal.anchor")
        with pytest.raises(JournalError, match=r"cannot be written \(No space left on device\); nothing is sent"):
            ten.append("note", {})
    assert ten.path.read_bytes() == before
    with pytest.raises(JournalError, match="restart"):
        ten.append("note", {})
    assert reread(ten).append("note", {}).seq == 11
    assert sorted(path.name for path in ten.path.parent.iterdir()) == ["journal.anchor", "journal.jsonl"]


@pytest.mark.parametrize("before", [0, 10])
def test_a_record_on_disk_counts_though_its_anchor_cannot_be_published(journal, monkeypatch, before):
    for number in range(before):
        journal.append("note", {"n": number})

    def failing(path, target):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(journal_module.Path, "replace", failing)
        record = journal.append("note", {})
        assert record == journal.records()[-1]
    if before:
        assert verify(journal.path).is_whole
    assert journal.append("note", {}).seq == before + 2
    assert json.loads(journal.anchor_path.read_text())["count"] == before + 2


def test_what_a_kill_left_of_an_anchor_is_removed(ten):
    behind = ten.anchor_path.read_bytes()
    ten.append("note", {})
    ten.anchor_path.write_bytes(behind)
    leftover = ten.path.with_name(".0123abcd.journal.anchor")
    leftover.write_bytes(b"x")
    reread(ten).append("note", {})
    assert not leftover.exists()


def test_a_link_in_the_place_of_a_new_anchor_is_not_followed(ten, tmp_path):
    """A predictable name could be a link to another file of the owner."""
    other = tmp_path / "precious"
    other.write_text("precious")
    for name in ("journal.anchor.new", "journal.lock"):
        ten.path.with_name(name).symlink_to(other)
    ten.append("note", {})
    with pytest.raises(JournalError, match="Too many levels of symbolic links"), ten.sole_writer():
        pass
    assert other.read_text() == "precious"


# Several writers


@contextmanager
def another_process(journal, code):
    """A process that runs `code` on the same `journal`, and has printed that it is ready."""
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


@pytest.mark.parametrize("before", ["", "12345678901234567890"])
def test_the_lock_holds_the_process_id_of_the_sole_writer(journal, before):
    lock = journal.path.with_name("journal.lock")
    lock.parent.mkdir()
    lock.write_text(before)
    with journal.sole_writer():
        assert lock.read_text() == f"{os.getpid()}\n"


def test_a_writer_that_has_not_written_its_process_id_yet(journal):
    lock = journal.path.with_name("journal.lock")
    lock.parent.mkdir()
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(Busy) as caught, journal.sole_writer():
            pass
    assert str(caught.value) == f"{lock}: process ? is writing; wait until it has ended"


def test_a_lock_that_cannot_be_opened_is_a_journal_error(journal):
    lock = journal.path.with_name("journal.lock")
    lock.mkdir(parents=True)
    with pytest.raises(JournalError) as caught, journal.sole_writer():
        pass
    assert str(caught.value) == f"{lock}: cannot be written (Is a directory); nothing is sent until it can"


def test_a_lock_on_a_full_disk_is_a_journal_error(journal):
    with full_disk(0), pytest.raises(JournalError) as caught, journal.sole_writer():
        pass
    lock = journal.path.with_name("journal.lock")
    assert str(caught.value) == f"{lock}: cannot be written (File too large); nothing is sent until it can"
    with journal.sole_writer():
        assert lock.read_text() == f"{os.getpid()}\n"


def test_an_error_inside_the_block_is_not_reported_as_the_locks(journal):
    with pytest.raises(TimeoutError, match="no answer"), journal.sole_writer():
        raise TimeoutError("no answer")
