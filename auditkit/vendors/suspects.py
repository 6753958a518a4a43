"""Records whose content may have changed without a newer version: written by corrections, read by the next sync.

A correction reads a record before it changes it. If that record is not as the snapshot has it, although its version is
the same, its id is noted here, and the next sync reads it again. The file holds ids and times, one JSON object a line.

Not here: why a record is suspected (`corrections`), and reading it again (`sync`).
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from auditkit.errors import StoreError

__all__ = ["SUSPECTS_FILE", "Suspects"]

SUSPECTS_FILE = "suspects.jsonl"


class Suspects:
    """The suspected records of one home, by subject (`nrb`) and id. A line that cannot be read is ignored."""

    def __init__(self, home: Path) -> None:
        self._path = home / SUSPECTS_FILE

    def add(self, subject: str, identifier: str, at: datetime) -> None:
        """Suspect a record that was seen with other content at an instant. Raises `StoreError`."""
        with self._locked() as descriptor:
            line = json.dumps({"subject": subject, "id": identifier, "at": at.isoformat()})
            os.write(descriptor, f"{line}\n".encode())

    def of(self, subject: str) -> dict[str, datetime]:
        """id → when it was suspected last. Raises `StoreError`."""
        if not self._path.exists():
            return {}
        with self._locked() as descriptor:
            return _latest(descriptor, subject)

    def clear(self, subject: str, verified: Mapping[str, datetime]) -> None:
        """Drop the records that were read (id → when) after they were suspected. Raises `StoreError`."""
        if not self._path.exists():
            return
        with self._locked() as descriptor:
            left = [
                (kind, identifier, at)
                for kind, identifier, at in _lines(descriptor)
                if kind != subject or identifier not in verified or verified[identifier] < at
            ]
            text = "".join(json.dumps({"subject": k, "id": i, "at": at.isoformat()}) + "\n" for k, i, at in left)
            os.ftruncate(descriptor, 0)
            os.write(descriptor, text.encode())

    @contextmanager
    def _locked(self) -> Iterator[int]:
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise StoreError(f"{self._path}: cannot be opened ({error.strerror}); make the home writable") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        except OSError as error:
            raise StoreError(f"{self._path}: cannot be written ({error.strerror}); make the home writable") from None
        finally:
            os.close(descriptor)


def _latest(descriptor: int, subject: str) -> dict[str, datetime]:
    latest: dict[str, datetime] = {}
    for kind, identifier, at in _lines(descriptor):
        if kind == subject:
            latest[identifier] = max(at, latest.get(identifier, at))
    return latest


def _lines(descriptor: int) -> Iterator[tuple[str, str, datetime]]:
    size = os.fstat(descriptor).st_size
    for line in os.pread(descriptor, size, 0).splitlines():
        try:
            value = json.loads(line)
            yield str(value["subject"]), str(value["id"]), datetime.fromisoformat(value["at"])
        except (ValueError, KeyError, TypeError):
            continue
