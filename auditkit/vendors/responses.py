"""From an HTTP response to a whole body, or to the error that describes it.

A body is read up to a cap, and gzip is checked to its end (urllib3 accepts a stream that was cut short). A response of
any status but 200 becomes a typed error that carries the vendor's own message, without our credentials.

Not here: the connection (`http`), and whether to try again (`transport`).
"""

import contextlib
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests
import urllib3.exceptions

from auditkit.errors import ApiError, BadAnswer, Denied, NotThere, Refused
from auditkit.vendors.auth import Credentials
from auditkit.vendors.rate_limit import MAX_PAUSE_SECONDS

__all__ = [
    "MAX_BODY_BYTES",
    "MAX_MESSAGE",
    "Received",
    "TransientError",
    "body_start",
    "printable",
    "refusal",
    "server_date",
    "whole_body",
]

MAX_BODY_BYTES = 64 * 2**20
MAX_MESSAGE = 200  # characters of a vendor's message that an error repeats

_CHUNK = 2**16
_GZIP = 31  # zlib's wbits for a stream with gzip's header and checksums
_TRANSIENT_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
_OTHER_ENCODINGS = frozenset({"br", "compress", "deflate", "zstd"})


class TransientError(Exception):
    """An attempt failed in a way that may pass; `error` is what to raise if it is not retried.

    `pause` is the number of seconds for which the vendor asks not to be called.
    """

    def __init__(self, error: ApiError, status: int | None = None, pause: float = 0.0) -> None:
        super().__init__(str(error))
        self.error = error
        self.status = status
        self.pause = pause


@dataclass(frozen=True)
class Received:
    """A response of status 200: headers, the decoded body, and the seconds from the request to its last byte."""

    headers: Mapping[str, str]
    body: bytes
    elapsed: float


def whole_body(response: requests.Response, where: str, cap: int) -> bytes:
    """The whole decoded body of at most `cap` bytes.

    A compressed body is measured while it arrives and unpacked once, so that a bomb is never held unpacked. Raises
    `BadAnswer`, or `TransientError` for damaged gzip.
    """
    packed = _is_gzip(response, where)
    chunks: list[bytes] = []
    size = 0
    raw = _recorded(response.raw.stream(_CHUNK, decode_content=False), chunks)
    for chunk in _inflated(raw, where) if packed else raw:
        size += len(chunk)
        if size > cap:
            raise BadAnswer(f"{where}: expected at most {cap // 2**20} MiB, found more")
    body = b"".join(chunks)
    return zlib.decompress(body, wbits=_GZIP, bufsize=size or 1) if packed else body


def body_start(response: requests.Response, where: str) -> bytes:
    """The first bytes of a refusal's body. A body that cannot be read is no error of its own: a 401 is still a 401."""
    start = b""
    with contextlib.suppress(BadAnswer, TransientError, urllib3.exceptions.HTTPError):
        packed = _is_gzip(response, where)
        raw = response.raw.stream(_CHUNK, decode_content=False)
        for chunk in _inflated(raw, where) if packed else raw:
            start += chunk
            if len(start) >= _CHUNK:
                break
    return start


def refusal(
    response: requests.Response, where: str, body: bytes, credentials: Credentials
) -> ApiError | TransientError:
    """The error for a status other than 200, with the vendor's message and what to do next."""
    status = response.status_code
    found = f"{where}: answered {status}{_vendor_message(body, credentials)}"
    error = _error_for(status, found)
    error.status = status
    return TransientError(error, status, _retry_after(response.headers)) if status in _TRANSIENT_STATUSES else error


def _error_for(status: int, found: str) -> ApiError:
    if status == 401:
        return Denied(f"{found}; check the credentials")
    if status == 403:
        return Denied(f"{found}; check the permissions of this login")
    if status == 404:
        return NotThere(f"{found}; it does not exist, or was deleted")
    if status in _TRANSIENT_STATUSES:
        return Refused(f"{found}; try again later")
    if status < 300:
        return BadAnswer(f"{found}; expected 200")
    if status < 400:
        return Refused(f"{found}; a redirect is never followed, check the base URL")
    return Refused(found)


def server_date(headers: Mapping[str, str]) -> datetime | None:
    """The server's own clock, from its `Date` header, in UTC; None if it is absent or unreadable."""
    return _http_date(headers.get("Date", ""))


def printable(text: str, length: int) -> str:
    """A text in one line of at most `length` characters, without what a terminal would act on."""
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))[:length]


def _is_gzip(response: requests.Response, where: str) -> bool:
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        found = encoding if encoding in _OTHER_ENCODINGS else "another"
        raise BadAnswer(f"{where}: expected no encoding or gzip, found {found}")
    return encoding == "gzip"


def _recorded(raw: Iterator[bytes], chunks: list[bytes]) -> Iterator[bytes]:
    for chunk in raw:
        chunks.append(chunk)
        yield chunk


def _inflated(raw: Iterator[bytes], where: str) -> Iterator[bytes]:
    inflate = zlib.decompressobj(wbits=_GZIP)
    try:
        for chunk in raw:
            rest = chunk
            while rest:
                yield inflate.decompress(rest, _CHUNK)
                rest = inflate.unconsumed_tail
        yield inflate.flush()
    except zlib.error:
        raise TransientError(BadAnswer(f"{where}: expected gzip, found damaged data")) from None
    if inflate.unused_data:
        raise BadAnswer(f"{where}: expected one gzip stream, found more behind it")
    if not inflate.eof:
        raise urllib3.exceptions.ProtocolError("gzip stream cut short")


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that the vendor asks us to wait; absurd values become the longest pause we make, unreadable ones 0."""
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]+", text):
        return float(text[:9]) if len(text) < 9 else MAX_PAUSE_SECONDS
    moment = _http_date(text)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds()) if moment else 0.0


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _vendor_message(body: bytes, credentials: Credentials) -> str:
    """The vendor's own message in one line, without our credentials if it repeats them."""
    redacted = credentials.redacted(body[:_CHUNK])
    if redacted is None:
        return " (its message is left out: it may repeat a secret)"
    text = redacted.decode("utf-8", "replace")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict) and isinstance(value.get("body"), str):
        text = value["body"]
    text = printable(text, MAX_MESSAGE)
    return f": {text}" if text else ""
