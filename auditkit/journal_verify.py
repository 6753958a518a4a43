"""Verify a journal from the outside: `auditkit journal verify`, or this file alone, `python journal_verify.py PATH`.

Written apart from `journal.py` and with the standard library only, so that an auditor can read it in a minute, copy it
to another machine, and rely on neither the writer nor the rest of the package.

A journal is one JSON object a line. Its `h` is the SHA-256 of the canonical JSON of [seq, the `h` before it, at, kind,
body]; the first follows 64 zeros. `journal.anchor` beside it holds the count and the last `h` as they were at the last
whole write: it may be one behind, never ahead.
"""

import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Verified", "verify"]

_FIRST = "0" * 64
_FIELDS = {"seq", "at", "kind", "body", "h"}


@dataclass(frozen=True)
class Verified:
    """What was found: how many records, the last hash, every problem with its line, and notes on what is no problem."""

    count: int
    head: str
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """No line was changed, removed, moved, repeated or cut off."""
        return not self.problems


def verify(path: Path) -> Verified:
    """Read a journal from its first line to its last. Where neither it nor its anchor is there, it is empty."""
    lines = path.read_bytes().split(b"\n") if path.exists() else [b""]
    *whole, rest = lines
    before, hashes, problems, notes = _FIRST, [], [], []
    for number, line in enumerate(whole, start=1):
        problem, own = _check_line(line, number, before)
        if problem:
            problems.append(f"line {number}: {problem}")
        elif not _is_unicode(line):
            notes.append(f"line {number}: holds text that is not Unicode; it is shown in part")
        before = own or before
        hashes.append(before)
    if rest:
        notes.append(f"line {len(whole) + 1}: an unfinished record of {len(rest)} bytes, as a crash leaves it")
    if path.exists() or not path.with_suffix(".anchor").exists():
        problems += _check_anchor(path.with_suffix(".anchor"), hashes)
    else:
        problems.append("is missing, though its anchor is there")
    return Verified(len(whole), before, tuple(problems), tuple(notes))


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _check_line(line: bytes, number: int, before: str) -> tuple[str | None, str | None]:
    """What is wrong with a line, and the hash that the next one must follow."""
    try:
        record = json.loads(line)
        if not isinstance(record, dict) or set(record) != _FIELDS:
            return "is not a record", None
        own = str(record["h"])
        if _canonical(record) != line:
            return "is not written as records are: it was changed by hand", own
        hashed = _canonical([record["seq"], before, record["at"], record["kind"], record["body"]])
    except (ValueError, RecursionError):
        return "is not a record", None
    if record["seq"] != number:
        return f"is record {record['seq']!a}: a line was removed, moved or repeated", own
    if hashlib.sha256(hashed).hexdigest() != own:
        return "does not follow the line before it, or was changed", own
    return None, own


def _is_unicode(line: bytes) -> bool:
    """Whether no text of a record holds half of a character, which no reader can show."""
    try:
        json.dumps(json.loads(line), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_anchor(path: Path, hashes: list[str]) -> list[str]:
    if not path.exists():
        return [f"{path.name}: is missing, so that a cut at the end would not show"] if hashes else []
    try:
        anchor = json.loads(path.read_bytes())
        count, head = anchor["count"], str(anchor["head"])
    except (ValueError, KeyError, TypeError, RecursionError):
        count, head = -1, ""
    if type(count) is not int or count < 0:
        return [f"{path.name}: is not an anchor"]
    if count > len(hashes):
        return [f"{path.name}: counts {count} records, the journal holds {len(hashes)}: its end was cut off"]
    if count < len(hashes) - 1:
        return [f"{path.name}: counts {count} records, the journal holds {len(hashes)}: it is an older one"]
    if head != (hashes[count - 1] if count else _FIRST):
        return [f"{path.name}: names another record than line {count}"]
    return []


if __name__ == "__main__":
    found = verify(Path(sys.argv[1]))
    print(*found.problems, *found.notes, f"{found.count} records, head {found.head}", sep="\n")  # noqa: T201  a script
    sys.exit(0 if found.is_whole else 2)
