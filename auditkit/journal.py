"""The journal: what people decided and what was written, one record a line, append-only and hash-chained.

Each line is canonical JSON. Its `h` is the SHA-256 of its number, the `h` before it and its content, so that a line
that was changed, removed, repeated or moved is found. `journal.anchor` beside it holds the count and the last hash:
with it a cut at the end is found as well.

    append:  text → gate → anchor staged* → record* → anchor published*      (* is on disk before the next step)

A record counts once its line is on disk; nothing that comes after it can fail the append. The anchor may be one record
behind, never ahead. A last line without its end is a crash while writing: it is set aside in a file of its own, noted,
and work goes on. Any other damage is a `JournalError` that names the line, and nothing is written until a person has
looked.

Text that a later reader would refuse never enters: no half characters, and no control characters in what people write.
Where an older journal holds such text, its record is read with U+FFFD in their place, and marked as damaged.

A journal keeps what it has read: it reads and verifies only lines that are new, and everything again where the file is
another one, shorter, or changed in place.

Not here: what a decision means (checks) or when something is written (corrections). No secret belongs in a body.
"""

import contextlib
import fcntl
import json
import os
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from io import FileIO
from pathlib import Path
from typing import Any, Protocol, TypeVar

from auditkit.errors import Busy, JournalError, ValueRefused
from auditkit.files import make_private_folder, staged, sync_folder, write_whole
from auditkit.settings import AccountKey

__all__ = ["Gate", "Head", "Journal", "Projection", "Record", "canonical", "digest", "now"]


@dataclass(frozen=True)
class Head:
    """How many records there are and the hash of the last: 64 zeros where there is none."""

    count: int
    hash: str


@dataclass(frozen=True)
class Record:
    """One line: its number from 1, when it was written (UTC), what kind it is, its content, and its hash.

    `damaged` names the fields whose text was not Unicode, and is readable in part.
    """

    seq: int
    at: datetime
    kind: str
    body: Mapping[str, Any]
    hash: str
    damaged: tuple[str, ...] = ()


class Projection(Protocol):
    """What is made of the records, one after the other: a class without arguments whose objects take each record."""

    def take(self, record: Record) -> None:
        """Take the next record."""


Gate = Callable[[Mapping[str, Any]], Mapping[str, Any]]
_P = TypeVar("_P", bound=Projection)
_Stamp = tuple[int, ...] | None  # which file it is, its size, and when it changed; None where there is none
_EMPTY = Head(0, "0" * 64)
_WRITTEN_BY_PEOPLE = frozenset({"note", "until", "who"})
_UNREADABLE = (ValueError, KeyError, TypeError, OverflowError, RecursionError)  # what a damaged JSON may raise


@dataclass
class _Known:
    """What was read and verified: the records, the byte after the last one, both files' stamps, and projections."""

    records: list[Record] = field(default_factory=list)
    end: int = 0
    stamps: tuple[_Stamp, _Stamp] = (None, None)
    projections: dict[type, tuple[int, Any]] = field(default_factory=dict)

    @property
    def head(self) -> Head:
        return Head(self.records[-1].seq, self.records[-1].hash) if self.records else _EMPTY


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
    return sha256(text.encode()).hexdigest()


class Journal:
    """The journal at `path`. Opening reads nothing and creates nothing; the first `append` creates file and folder.

    `gate` is asked before anything is written: it gives the body as it is to be written, or raises.
    """

    def __init__(self, path: Path, clock: Callable[[], datetime] = now, gate: Gate | None = None) -> None:
        self.path = path
        self.anchor_path = path.with_suffix(".anchor")
        self._clock = clock
        self._gate = gate
        self._known = _Known()
        self._write_failed = False

    def append(self, kind: str, body: Mapping[str, Any]) -> Record:
        """Write one record and return it once it is on disk.

        Other processes wait meanwhile. Raises `ValueRefused` for a body that a later reader would refuse, what the gate
        raises, and `JournalError` when the journal is damaged or cannot be written: then nothing may be sent, and this
        object writes no more, because a failed fsync leaves unknown what is on disk.
        """
        content = json.loads(canonical(self._gate(body) if self._gate else body))
        _refuse_unreadable(content)
        if self._write_failed:
            raise JournalError(f"{self.path}: an earlier record could not be written; restart once the disk is well")
        try:
            with self._locked() as file:
                self._refresh()
                self._update_anchor()
                self._set_torn_aside(file)
                return self._write(file, kind, content)
        except OSError as error:
            self._write_failed = True
            reason = error.strerror or error
            raise JournalError(f"{self.path}: cannot be written ({reason}); nothing is sent until it can") from error

    def records(self, kind: str | None = None) -> list[Record]:
        """Every record from the first, or those of one kind, all verified."""
        self._refresh()
        return [record for record in self._known.records if kind in (None, record.kind)]

    def projection(self, of: type[_P]) -> _P:
        """The one object of a class that has taken every record so far; it takes only those that are new to it."""
        self._refresh()
        taken, made = self._known.projections.pop(of, (0, None))
        made = made or of()
        for record in self._known.records[taken:]:
            made.take(record)  # one that raises is not kept, so that it raises next time too
        self._known.projections[of] = (len(self._known.records), made)
        return made

    def verify(self) -> Head:
        """Read everything again, also what this object knew; return count and head, or raise `JournalError`."""
        self._known = _Known()
        return self.head

    @property
    def head(self) -> Head:
        """Count and last hash, for a report."""
        self._refresh()
        return self._known.head

    @property
    def account(self) -> AccountKey | None:
        """The account of the last record that names one; None where none does."""
        return self.projection(_Account).account

    def not_before(self, instant: datetime) -> datetime:
        """The later of an instant and that of the latest record: a clock that was set back revives nothing."""
        return max(instant, self.projection(_Latest).at)

    @contextmanager
    def sole_writer(self) -> Iterator[None]:
        """Hold the right to write at a vendor: one process per journal. A second is refused at once with `Busy`."""
        path = self.path.with_suffix(".lock")
        with ExitStack() as held:
            try:
                make_private_folder(self.path.parent)
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
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

    # ── Writing ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def _locked(self) -> Iterator[int]:
        make_private_folder(self.path.parent)
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
        finally:
            os.close(file)

    def _write(self, file: int, kind: str, body: Mapping[str, Any]) -> Record:
        record = _record(self._known.head, self._clock(), kind, body)
        line = _line(record)
        # What needs space comes before the record, so that a full disk refuses both.
        with staged(self.anchor_path, _anchor_text(Head(record.seq, record.hash))) as anchor:
            if os.write(file, line) != len(line):
                raise OSError("the disk took a part of the record only")
            os.fsync(file)
            if record.seq == 1:
                sync_folder(self.path.parent)
            self._known.records.append(record)
            self._known.end += len(line)
            with contextlib.suppress(OSError):  # the record counts; the next append moves the anchor first, or fails
                anchor.publish()
        try:
            self._known.stamps = (_stamp_of(os.fstat(file)), _stamp_of(self.anchor_path.stat()))
        except OSError:
            self._known.stamps = (None, None)  # everything is read again
        return record

    def _update_anchor(self) -> None:
        """Name the last record, where a kill or a failure left the anchor one behind."""
        head = self._known.head
        if self._anchor() != head:
            for leftover in self.path.parent.glob(f".*.{self.anchor_path.name}"):
                leftover.unlink(missing_ok=True)
            write_whole(self.anchor_path, _anchor_text(head))

    def _set_torn_aside(self, file: int) -> None:
        """Keep what a crash left of a last line beside the journal, cut it off, and note that."""
        size = os.fstat(file).st_size
        if size == self._known.end:
            return
        fragment = os.pread(file, size, self._known.end)  # to the end of the file
        beside = self.path.with_name(f"{self.path.name}.torn-{sha256(fragment).hexdigest()[:12]}")
        write_whole(beside, fragment)
        os.ftruncate(file, self._known.end)
        self._write(file, "torn", {"bytes": len(fragment), "kept_in": beside.name})

    # ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _refresh(self) -> None:
        """Read and verify what is new. Raises `JournalError`, and knows nothing then."""
        stamps = (self._stamp(self.path), self._stamp(self.anchor_path))
        if stamps == self._known.stamps:
            return
        known, self._known = self._known, _Known()
        if not _only_grew(known.stamps[0], stamps[0]):
            known = _Known()
        # The anchor comes first: a writer beside us adds the line, then moves the anchor.
        anchor = self._anchor()
        for line in self._lines(known.end):
            if not line.endswith(b"\n"):
                self._refuse_unless_torn(line, len(known.records) + 1)
                break
            known.records.append(self._parse(line, known.head))
            known.end += len(line)
        self._check_anchor(anchor, known.records)
        known.stamps = stamps
        self._known = known

    def _stamp(self, path: Path) -> _Stamp:
        try:
            return _stamp_of(path.stat())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _cannot_read(path, error) from error

    def _lines(self, start: int) -> Iterator[bytes]:
        try:
            with self.path.open("rb") as file:
                file.seek(start)
                yield from file
        except FileNotFoundError:
            return
        except OSError as error:
            raise _cannot_read(self.path, error) from error

    def _parse(self, line: bytes, head: Head) -> Record:
        """The record of a line, which must be to the byte what this place in the chain would have written."""
        try:
            found = json.loads(line)
            record = _record(head, datetime.fromisoformat(found["at"]), found["kind"], found["body"])
        except _UNREADABLE:
            raise self._damage(head.count + 1, "is not a record") from None
        if _line(record) != line:
            raise self._damage(head.count + 1, "was changed, moved, repeated or follows a removed one")
        if damaged := tuple(place for place, text in _texts(record.body) if not _is_unicode(text)):
            return replace(record, body=_readable(record.body), damaged=damaged)
        return record

    def _check_anchor(self, anchor: Head, records: list[Record]) -> None:
        if anchor.count > len(records):
            raise self._damage(len(records) + 1, f"is missing: {self.anchor_path.name} counts {anchor.count} records")
        if anchor.count and records[anchor.count - 1].hash != anchor.hash:
            raise self._damage(anchor.count, f"is not the record that {self.anchor_path.name} names")

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
            raise _cannot_read(self.anchor_path, error) from error
        except _UNREADABLE:
            raise JournalError(f"{self.anchor_path}: is not an anchor; restore it, or remove it after a look") from None
        return anchor


class _Account:
    def __init__(self) -> None:
        self.account: AccountKey | None = None

    def take(self, record: Record) -> None:
        environment, account = record.body.get("environment"), record.body.get("account")
        if isinstance(environment, str) and isinstance(account, str):
            self.account = AccountKey(environment, account)


class _Latest:
    def __init__(self) -> None:
        self.at = datetime.min.replace(tzinfo=UTC)

    def take(self, record: Record) -> None:
        self.at = max(self.at, record.at)


# ── Text ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _refuse_unreadable(body: object) -> None:
    for place, text in _texts(body):
        if not _is_unicode(text):
            raise ValueRefused(f"{place}: is not Unicode (it holds a byte of another encoding); write it in UTF-8")
        if place in _WRITTEN_BY_PEOPLE and any(unicodedata.category(each) == "Cc" for each in text):
            raise ValueRefused(f"{place}: holds a control character; write one line of text")


def _texts(value: object, place: str = "") -> Iterator[tuple[str, str]]:
    """Each text in a JSON value, with its place: `approval.override`."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for name, member in value.items():
            yield place or name, name
            yield from _texts(member, f"{place}.{name}" if place else name)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member, place)


def _is_unicode(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= each <= "\udfff" for each in text)


def _readable(value: Any) -> Any:  # noqa: ANN401  any JSON
    """The value with U+FFFD for each half of a character."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Mapping):
        return {_readable(name): _readable(member) for name, member in value.items()}
    return [_readable(member) for member in value] if isinstance(value, list) else value


# ── Lines ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _record(head: Head, at: datetime, kind: str, body: Mapping[str, Any]) -> Record:
    seq = head.count + 1
    return Record(seq, at, kind, body, digest(canonical([seq, head.hash, _utc_text(at), kind, body])))


def _line(record: Record) -> bytes:
    fields = {"seq": record.seq, "at": _utc_text(record.at), "kind": record.kind, "body": record.body, "h": record.hash}
    return canonical(fields).encode() + b"\n"


def _anchor_text(head: Head) -> bytes:
    return canonical({"count": head.count, "head": head.hash}).encode() + b"\n"


def _utc_text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _stamp_of(found: os.stat_result) -> tuple[int, ...]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _only_grew(before: _Stamp, after: _Stamp) -> bool:
    """Whether a file is unchanged or longer: one that changed and is not longer was changed in place, cut, or moved."""
    if before is None or after is None:
        return False
    return before == after or (before[:2] == after[:2] and before[2] < after[2])


def _lock(file: FileIO, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = file.read().decode("latin-1").strip() or "?"
        raise Busy(f"{path}: process {holder} is writing; wait until it has ended") from None


def _cannot_read(path: Path, error: OSError) -> JournalError:
    return JournalError(f"{path}: cannot be read ({error.strerror}); nothing is sent until it can")


def _refuse_float(literal: str) -> float:
    raise ValueError(f"{literal} is a fraction")
