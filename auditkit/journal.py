"""The journal: what people decided and what was written, one record a line, append-only and hash-chained.

Each line is canonical JSON; its `h` is the SHA-256 of its number, the `h` before it and everything it says, so that a
line that was changed, removed, repeated or moved shows. `journal.anchor` beside it holds the count and the last hash:
with it a cut at the end shows as well. A record is on disk, with its folder entry, before `append` returns.

A last line without its end is a crash while writing: it is set aside in a file of its own, noted, and work goes on.
Any other damage is a `JournalError` that names the line, and the tool is read-only until a person has looked.

Not here: what a decision means (checks) or when something is written (corrections). No secret belongs in a body.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Any

from auditkit.errors import Busy, JournalError, ValueRefused

__all__ = ["Head", "Journal", "Record", "canonical", "digest", "links", "now"]


@dataclass(frozen=True)
class Head:
    """How many records there are and the hash of the last: 64 zeros where there is none."""

    count: int
    hash: str


@dataclass(frozen=True)
class Record:
    """One line: its number from 1, when it was written (UTC), what kind it is, what it says, and its hash."""

    seq: int
    at: datetime
    kind: str
    body: Mapping[str, Any]
    hash: str


@dataclass(frozen=True)
class _Verified:
    """How far a journal was read and found whole: the byte after its last whole line, and the head there."""

    end: int
    head: Head


_EMPTY = Head(0, "0" * 64)
_START = _Verified(0, _EMPTY)
_NOT_OURS = (ValueError, KeyError, TypeError, OverflowError, RecursionError)  # what reading a damaged JSON may raise


def now() -> datetime:
    """The present instant in UTC: the clock of every record unless another is given."""
    return datetime.now(UTC)


def canonical(value: object) -> str:
    """The one JSON text of a value: sorted keys, no spaces, ASCII. `ValueRefused` for a float, a Decimal or an object.

    Money goes in as text, so that the digits that were decided on are the digits on disk.
    """
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
        json.loads(text, parse_float=_refuse_float)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueRefused(f"not a value for a record: {error}; give numbers with a fraction as text") from None
    return text


def digest(text: str) -> str:
    """SHA-256 of a text in UTF-8, as 64 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


class Journal:
    """The journal at `path`. Opening reads nothing and creates nothing; the first `append` creates file and folder."""

    def __init__(self, path: Path, clock: Callable[[], datetime] = now) -> None:
        self.path = path
        self.anchor_path = path.with_suffix(".anchor")
        self._clock = clock
        self._verified = _START
        self._write_failed = False

    def append(self, kind: str, body: Mapping[str, Any]) -> Record:
        """Write one record and return it once it is on disk.

        Other processes wait meanwhile. Raises `JournalError` when the journal is damaged or cannot be written: then
        nothing may be sent, and this object writes no more, because a failed fsync leaves unknown what is on disk.
        """
        settled = json.loads(canonical(body))
        if self._write_failed:
            raise JournalError(f"{self.path}: an earlier record could not be written; restart once the disk is well")
        try:
            with self._locked() as file:
                self._catch_up()
                self._move_anchor()
                self._set_torn_aside(file)
                return self._write(file, kind, settled)
        except OSError as error:
            self._write_failed = True
            reason = error.strerror or error
            raise JournalError(f"{self.path}: cannot be written ({reason}); nothing is sent until it can") from error

    def records(self, kind: str | None = None) -> Iterator[Record]:
        """Every record from the first, or those of one kind; each is verified before it is given out."""
        for record, _ in self._walk(_START):
            if kind in (None, record.kind):
                yield record

    def verify(self) -> Head:
        """Read everything again, also what this object knew; return count and head, or raise `JournalError`."""
        return self._read_from(_START)

    @property
    def head(self) -> Head:
        """Count and last hash, for a report; only lines that are new to this object are read."""
        return self._catch_up()

    @contextmanager
    def sole_writer(self) -> Iterator[None]:
        """Hold the right to write at a vendor: one process per journal. A second is refused at once with `Busy`."""
        path = self.path.with_suffix(".lock")
        with ExitStack() as held:
            try:
                self._make_folder()
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
                # Without a buffer nothing is left to write, and to fail, when the right is given back.
                file = held.enter_context(os.fdopen(descriptor, "r+b", buffering=0))
                _lock(file, path)
                file.truncate()
                file.write(f"{os.getpid()}\n".encode())
            except OSError as error:
                raise JournalError(
                    f"{path}: cannot be written ({error.strerror}); nothing is sent until it can"
                ) from error
            yield

    def _make_folder(self) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        self._make_folder()
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
        finally:
            os.close(file)

    def _write(self, file: int, kind: str, body: Mapping[str, Any]) -> Record:
        before = self._verified
        record = _record(before.head, self._clock(), kind, body)
        line = _line(record)
        if os.write(file, line) != len(line):
            raise OSError("the disk took a part of the record only")
        os.fsync(file)
        if record.seq == 1:
            _sync_folder(self.path.parent)
        self._verified = _Verified(before.end + len(line), Head(record.seq, record.hash))
        self._move_anchor()
        return record

    def _move_anchor(self) -> None:
        """Name the last whole record. A kill leaves the anchor one behind: so it is moved before the next one, too."""
        head = self._verified.head
        if self._anchor() != head:
            # Its folder entry may come later: an anchor that is behind is no damage.
            _write_whole(self.anchor_path, canonical({"count": head.count, "head": head.hash}).encode() + b"\n")

    def _set_torn_aside(self, file: int) -> None:
        """Keep what a crash left of a last line beside the journal, cut it off, and note that."""
        size = os.fstat(file).st_size
        if size == self._verified.end:
            return
        fragment = os.pread(file, size, self._verified.end)  # to the end of the file
        beside = self.path.with_name(f"{self.path.name}.torn-{hashlib.sha256(fragment).hexdigest()[:12]}")
        _write_whole(beside, fragment)
        _sync_folder(beside.parent)
        os.ftruncate(file, self._verified.end)
        self._write(file, "torn", {"bytes": len(fragment), "kept_in": beside.name})

    def _catch_up(self) -> Head:
        cut = not self.path.is_file() or self.path.stat().st_size < self._verified.end
        return self._read_from(_START if cut else self._verified)

    def _read_from(self, start: _Verified) -> Head:
        self._verified = start
        for record, end in self._walk(start):
            self._verified = _Verified(end, Head(record.seq, record.hash))
        return self._verified.head

    def _walk(self, start: _Verified) -> Iterator[tuple[Record, int]]:
        """Each whole line after `start`, verified, with the byte where it ends."""
        anchor = self._anchor()  # read before the lines: a writer beside us adds the line first, then moves the anchor
        head, end = start.head, start.end
        for line in _lines(self.path, start.end):
            if not line.endswith(b"\n"):
                self._refuse_unless_torn(line, head.count + 1)
                break
            record = self._parse(line, head)
            head, end = Head(record.seq, record.hash), end + len(line)
            if anchor.count == head.count and anchor != head:
                raise self._damage(head.count, f"is not the record that {self.anchor_path.name} names")
            yield record, end
        if anchor.count > head.count:
            raise self._damage(head.count + 1, f"is missing: {self.anchor_path.name} counts {anchor.count} records")

    def _parse(self, line: bytes, head: Head) -> Record:
        """The record of a line, which must be to the byte what this place in the chain would have written."""
        try:
            found = json.loads(line)
            record = _record(head, datetime.fromisoformat(found["at"]), found["kind"], found["body"])
        except _NOT_OURS:
            raise self._damage(head.count + 1, "is not a record") from None
        if _line(record) != line:
            raise self._damage(head.count + 1, "was changed, moved, repeated or follows a removed one")
        return record

    def _refuse_unless_torn(self, fragment: bytes, number: int) -> None:
        # A torn write is the beginning of a record: a whole record with more behind it was damaged later.
        text = fragment.decode(errors="replace")
        try:
            _, end = json.JSONDecoder().raw_decode(text)
        except (ValueError, RecursionError):
            return
        if end < len(text):
            raise self._damage(number, "does not end where its record ends")

    def _damage(self, number: int, what: str) -> JournalError:
        return JournalError(
            f"{self.path} line {number}: {what}; nothing is written until it is restored from a copy that verifies"
        )

    def _anchor(self) -> Head:
        try:
            found = json.loads(self.anchor_path.read_bytes())
            anchor = Head(found["count"], found["head"])
            if type(anchor.count) is not int or anchor.count < 1:
                raise ValueError
        except FileNotFoundError:
            return _EMPTY
        except OSError as error:
            raise _unreadable(self.anchor_path, error) from error
        except _NOT_OURS:
            raise JournalError(f"{self.anchor_path}: is not an anchor; restore it, or remove it after a look") from None
        return anchor


def links(journal: Journal) -> list[dict[str, Any]]:
    """What people decided about pairs, for the checks: the manual links and the forbidden pairs that still stand.

    One row a pair (`nrb_guid`, `jnid`, `line_key`; a null line is the whole invoice) with `kind` "link" or
    "forbid", `note`, `who` and `at`. The latest word on a pair wins, and a whole invoice forbidden takes back the
    links to its lines; "unlink" and "unforbid" take back their own kind.
    """
    standing: dict[tuple[Any, ...], dict[str, Any]] = {}
    for record in journal.records():
        kind = record.kind.removeprefix("un")
        if kind not in ("link", "forbid"):
            continue
        pair = {name: record.body.get(name) for name in ("nrb_guid", "jnid", "line_key")}
        key = tuple(pair.values())
        if kind == record.kind == "forbid" and pair["line_key"] is None:
            standing = {k: row for k, row in standing.items() if k[:2] != key[:2] or row["kind"] == "forbid"}
        if kind == record.kind:
            said = {name: record.body.get(name) for name in ("note", "who")}
            standing[key] = {"kind": kind, **pair, **said, "at": record.at}
        elif standing.get(key, {}).get("kind") == kind:
            del standing[key]
    return list(standing.values())


def _record(head: Head, at: datetime, kind: str, body: Mapping[str, Any]) -> Record:
    seq = head.count + 1
    return Record(seq, at, kind, body, digest(canonical([seq, head.hash, _utc_text(at), kind, body])))


def _line(record: Record) -> bytes:
    fields = {"seq": record.seq, "at": _utc_text(record.at), "kind": record.kind, "body": record.body, "h": record.hash}
    return canonical(fields).encode() + b"\n"


def _utc_text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _lines(path: Path, start: int) -> Iterable[bytes]:
    try:
        with path.open("rb") as file:
            file.seek(start)
            yield from file
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unreadable(path, error) from error


def _lock(file: FileIO, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = file.read().decode("latin-1").strip() or "?"
        raise Busy(f"{path}: process {holder} is writing; wait until it has ended") from None


def _unreadable(path: Path, error: OSError) -> JournalError:
    return JournalError(f"{path}: cannot be read ({error.strerror}); nothing is sent until it can")


def _write_whole(path: Path, data: bytes) -> None:
    """Write a small file so that after a crash either the old or the new one stands there, whole."""
    private = path.with_name(path.name + ".new")
    with os.fdopen(os.open(private, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    private.replace(path)


def _sync_folder(folder: Path) -> None:
    entry = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(entry)
    finally:
        os.close(entry)


def _refuse_float(literal: str) -> float:
    raise ValueError(f"{literal} is a fraction")
