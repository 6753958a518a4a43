"""The cache of fetched records: one answer per (account, address, version), so that none is fetched twice.

requests-cache manages the file, as JSON (its default, pickle, would run a tampered row). An entry is built here from
what may be on disk: address, body and two headers of the answer; no request header, cookie or credential can be in it.
Entries never expire, because a version is a record as it was at one time.

A digest over key and body reveals an entry that was damaged, cut or moved: it counts as absent and is fetched again.
It is no signature: whoever can write this file can write the snapshots and the journal beside it too.

Not here: whether an answer may be cached (`transport` and the clients).
"""

import hashlib
import json
import os
import sqlite3
from pathlib import Path
from threading import Lock
from typing import Any

from requests.structures import CaseInsensitiveDict
from requests_cache.backends.sqlite import SQLiteCache
from requests_cache.models.request import CachedRequest
from requests_cache.models.response import CachedResponse

from auditkit.errors import StoreError
from auditkit.vendors.responses import Received

__all__ = ["DetailCache"]

_KEPT_HEADERS = ("Content-Type", "Date")
_DIGEST = "X-Digest"
_BUSY_MILLISECONDS = 10_000


class DetailCache:
    """One file per vendor, environment and account (mode 0600 in a folder of 0700); safe across threads.

    `scope` names environment and account once more inside the key, so that two of them can never share an entry.
    A killed process loses nothing that `put` returned from. A file that is not a cache raises `StoreError`.
    """

    def __init__(self, path: Path, scope: str) -> None:
        self._path = path
        self._scope = scope
        self._lock = Lock()  # requests-cache shares one connection, and one statement, between all threads
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.parent.chmod(0o700)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            path.chmod(0o600)
            _probe(path)
            self._entries = SQLiteCache(
                path,
                serializer="json",
                decode_content=False,  # the body is kept as it came, never as reformatted JSON
                wal=True,
                fast_save=False,
                busy_timeout=_BUSY_MILLISECONDS,
                use_cache_dir=False,
                use_temp=False,
                use_memory=False,
                factory=_Connection,
            )
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from None

    def get(self, address: str, version: str) -> Received | None:
        """The answer cached for an address and version; None if there is none that can be read."""
        key = self._key(address, version)
        try:
            with self._lock:
                entry = self._entries.get_response(key)
        except (ExceptionGroup, RecursionError):  # JSON, but not an entry of requests-cache
            return None
        except sqlite3.Error as error:
            raise self._unusable(error) from None
        if not isinstance(entry, CachedResponse) or entry.status_code != 200:
            return None
        headers = CaseInsensitiveDict(entry.headers)
        if headers.pop(_DIGEST, None) != _digest(key, entry.content):
            return None
        return Received(headers, entry.content, elapsed=0.0)

    def put(self, address: str, version: str, received: Received) -> None:
        """Cache an answer that was found whole and right."""
        key = self._key(address, version)
        kept = {name: received.headers[name] for name in _KEPT_HEADERS if name in received.headers}
        entry = CachedResponse(
            status_code=200,
            url=address,
            request=CachedRequest(method="GET", url=address),
            headers=CaseInsensitiveDict({**kept, _DIGEST: _digest(key, received.body)}),
            content=received.body,
        )
        try:
            with self._lock:
                self._entries.save_response(entry, key)
        except sqlite3.Error as error:
            raise self._unusable(error) from None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._entries.close()  # type: ignore[no-untyped-call]  # requests-cache leaves it without types

    def _key(self, address: str, version: str) -> str:
        return hashlib.sha256(json.dumps([self._scope, address, version]).encode()).hexdigest()

    def _unusable(self, error: Exception) -> StoreError:
        return StoreError(f"{self._path}: cannot be used as a cache ({error}); make it writable, or delete it")


class _Connection(sqlite3.Connection):
    """requests-cache retries BEGIN until it succeeds: if the file is not merely busy, that never ends."""

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:  # noqa: ANN401 - as sqlite3 has it
        try:
            return super().execute(sql, parameters)
        except sqlite3.OperationalError as error:
            if sql.startswith("BEGIN") and error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise sqlite3.DatabaseError(str(error)) from None
            raise


def _digest(key: str, body: bytes) -> str:
    return hashlib.sha256(key.encode() + body).hexdigest()


def _probe(path: Path) -> None:
    """Write once with a bounded wait: requests-cache waits forever for a file that can never be written."""
    connection = sqlite3.connect(path, timeout=_BUSY_MILLISECONDS / 1000, isolation_level=None)
    try:
        connection.execute("pragma journal_mode = wal")
        connection.execute("begin immediate")
        connection.execute("commit")
    finally:
        connection.close()
