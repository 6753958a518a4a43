"""One request, one answer: the only place that opens a connection, and the only place that words a vendor's failure.

requests' `HTTPAdapter` sends a prepared request without a `Session`. So there is no cookie jar, no redirect, no
`.netrc`, no proxy from the environment and no retry to switch off, and nothing that could add one later.

Three things come on top of it: a deadline for the *whole* answer (time-outs of a socket start anew with each byte), a
cap on the decoded body, and gzip that is checked to its end (urllib3 takes one that was cut short for whole).

Not here: what is asked, whether to ask again, and what may be kept. That is `transport`.
"""

import base64
import contextlib
import http.client
import io
import json
import math
import re
import socket
import ssl
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import requests
import requests.adapters
import urllib3
import urllib3.connection
import urllib3.exceptions

from auditkit.apis.throttle import MAX_PAUSE_SECONDS, Throttle
from auditkit.errors import ApiError, BadAnswer, Denied, NotThere, Refused, TimedOut, Unreachable

__all__ = ["MAX_BODY_BYTES", "Again", "Line", "Received", "adapter", "server_date"]

MAX_BODY_BYTES = 64 * 2**20
CONNECT_SECONDS = 5.0
MAX_WORDS = 200

_PIECE = 2**16
_MAY_PASS = frozenset({408, 429, 500, 502, 503, 504})


class Again(Exception):
    """An attempt failed in a way that may pass; `error` is what to raise when nobody tries again."""

    def __init__(self, error: ApiError, status: int | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.status = status


@dataclass(frozen=True)
class Received:
    """An answer of status 200: headers, the decoded body, and the seconds from the request to its last byte."""

    headers: Mapping[str, str]
    body: bytes
    elapsed: float


class Line:
    """What every call to one vendor shares: base URL, credentials, pace and deadline. It keeps no connection."""

    def __init__(
        self, base_url: str, auth: requests.auth.AuthBase, *, vendor: str, throttle: Throttle, deadline: float
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._auth = auth
        self._throttle = throttle
        self._timeout = urllib3.Timeout(connect=min(CONNECT_SECONDS, deadline), total=deadline)
        self.vendor = vendor

    def request(
        self,
        method: str,
        path: str,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> requests.PreparedRequest:
        """The request, signed and ready. `path` starts with a slash and is quoted already."""
        always = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "auditkit"}
        return requests.Request(
            method,
            self._base_url + path,
            params=params,
            headers={**always, **(headers or {})},
            data=body,
            auth=self._auth,
        ).prepare()

    def where(self, request: requests.PreparedRequest) -> str:
        """How messages name a request: vendor, method, path and query."""
        return f"{self.vendor}: {request.method} {_printable(request.path_url, MAX_WORDS)}"

    def exchange(self, http: requests.adapters.HTTPAdapter, request: requests.PreparedRequest) -> Received:
        """Wait for our turn, send once, and return an answer of status 200; anything else raises.

        Failures that may pass (408, 429, 500, 502, 503, 504, time-out, reset, a body cut short) raise `Again`, and
        halve the pace of everybody. `Denied`, `NotThere`, `Refused`, `BadAnswer` and TLS failures come at once.
        """
        where = self.where(request)
        with self._throttle.turn():
            try:
                started = time.monotonic()
                with contextlib.closing(self._send(http, request)) as answer:
                    body = _body(answer, where)
                status, headers = answer.status_code, answer.headers
                failure = None
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                failure = _failure(error, where)
            elapsed = time.monotonic() - started
        # Raised out here, so that no error of ours has one of requests' behind it, which holds the credentials.
        if failure is None and status != 200:
            failure = self._refusal(status, body, request)
        if isinstance(failure, Again):
            self._throttle.ease(_retry_after(headers) if failure.status else 0)
        if failure is not None:
            raise failure
        return Received(headers, body, elapsed)

    def _send(self, http: requests.adapters.HTTPAdapter, request: requests.PreparedRequest) -> requests.Response:
        timeout: Any = self._timeout  # requests takes urllib3's Timeout, the only one with a total; its stubs do not
        return http.send(request, stream=True, timeout=timeout, verify=True)

    def _refusal(self, status: int, body: bytes, request: requests.PreparedRequest) -> ApiError | Again:
        found = f"{self.where(request)}: answered {status}{_words(body, request)}"
        if status in (401, 403):
            return Denied(f"{found}; check the credentials and their permissions")
        if status == 404:
            return NotThere(f"{found}; it does not exist, or not any more")
        if status in _MAY_PASS:
            return Again(Refused(f"{found}; try again later"), status)
        if status < 300:
            return BadAnswer(f"{found}; expected 200")
        if status < 400:
            return Refused(f"{found}; a redirect is never followed, check the base URL")
        return Refused(found)


def adapter(connections: int) -> requests.adapters.HTTPAdapter:
    """A pool of at most so many kept connections, whose answers must be whole before the deadline; it never retries."""
    http_adapter = requests.adapters.HTTPAdapter(pool_connections=1, pool_maxsize=connections, max_retries=0)
    http_adapter.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
    return http_adapter


def server_date(headers: Mapping[str, str]) -> datetime | None:
    """The server's own clock, from its `Date` header, in UTC; None when absent or unreadable."""
    return _http_date(headers.get("Date", ""))


class _BeforeDeadline(io.RawIOBase):
    """A socket's bytes, where each read may only take the time that is left for all of them.

    urllib3 sets the socket's time-out to what is left of the total just before an answer is read.
    """

    def __init__(self, sock: socket.socket) -> None:
        allowed = sock.gettimeout()
        self._deadline = math.inf if allowed is None else time.monotonic() + allowed
        self._socket = sock
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - a writable buffer; typeshed names it privately
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("no whole answer before the deadline")
        self._socket.settimeout(None if left == math.inf else left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - passed on as they are
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_BeforeDeadline(sock))


class _HTTPConnection(urllib3.connection.HTTPConnection):
    response_class = _Answer


class _HTTPSConnection(urllib3.connection.HTTPSConnection):
    response_class = _Answer


class _HTTPPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


def _body(answer: requests.Response, where: str) -> bytes:
    encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    raw = answer.raw.stream(_PIECE, decode_content=False)
    if encoding not in ("identity", "gzip"):
        raise BadAnswer(f"{where}: expected no encoding or gzip, found {_printable(encoding, 40)}")
    pieces, size = [], 0
    for piece in _inflated(raw, where) if encoding == "gzip" else raw:
        size += len(piece)
        if size > MAX_BODY_BYTES:
            raise BadAnswer(f"{where}: expected at most {MAX_BODY_BYTES // 2**20} MiB, found more")
        pieces.append(piece)
    return b"".join(pieces)


def _inflated(raw: Iterator[bytes], where: str) -> Iterator[bytes]:
    inflate = zlib.decompressobj(wbits=31)
    try:
        for piece in raw:
            rest = piece
            while rest:
                yield inflate.decompress(rest, _PIECE)
                rest = inflate.unconsumed_tail
        yield inflate.flush()
    except zlib.error:
        raise BadAnswer(f"{where}: expected gzip, found damaged data") from None
    if inflate.unused_data:
        raise BadAnswer(f"{where}: expected one gzip stream, found more behind it")
    if not inflate.eof:
        raise urllib3.exceptions.ProtocolError("gzip stream cut short")


def _failure(error: Exception, where: str) -> ApiError | Again:
    reason = _reason(error)
    if isinstance(error, (requests.exceptions.SSLError, urllib3.exceptions.SSLError)):
        return Unreachable(f"{where}: no trusted TLS connection ({reason}); check the host and its certificate")
    if isinstance(error, (requests.Timeout, urllib3.exceptions.TimeoutError)):
        return Again(TimedOut(f"{where}: no whole answer before the deadline; try again later"))
    if isinstance(error, (requests.ConnectionError, urllib3.exceptions.HTTPError)):
        return Again(Unreachable(f"{where}: no connection, or it broke ({reason}); check the network and the base URL"))
    return Unreachable(f"{where}: the request cannot be sent ({type(error).__name__}); check the base URL")


def _reason(error: BaseException) -> str:
    """The innermost cause in its own fixed words; the outer ones may quote the request."""
    innermost = error
    while (inner := innermost.__cause__ or innermost.__context__) is not None:
        innermost = inner
    if isinstance(innermost, ssl.SSLCertVerificationError):
        return innermost.verify_message
    if isinstance(innermost, OSError) and innermost.strerror:
        return innermost.strerror
    return type(innermost).__name__


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that the vendor asks us to wait; anything absurd becomes the longest pause we make, nonsense 0."""
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]+", text):
        return float(text[:9]) if len(text) < 9 else MAX_PAUSE_SECONDS
    moment = _http_date(text)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds()) if moment else 0.0


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _words(body: bytes, request: requests.PreparedRequest) -> str:
    """The vendor's own message, in one line, without our credentials should it repeat them."""
    text = body[:_PIECE].decode("utf-8", "replace")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict) and isinstance(value.get("body"), str):
        text = value["body"]
    for secret in _credentials(request):
        text = text.replace(secret, "***")
    text = _printable(text, MAX_WORDS)
    return f": {text}" if text else ""


def _credentials(request: requests.PreparedRequest) -> list[str]:
    """Each spelling of the credentials that an answer could repeat, the longest first."""
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    secrets = {credential}
    if scheme.lower() == "basic":
        pair = base64.b64decode(credential).decode("utf-8")
        secrets |= {pair, pair.partition(":")[2]}
    spellings = {spelling for s in secrets for spelling in (s, json.dumps(s)[1:-1], quote(s, safe=""))}
    return sorted(spellings - {""}, key=len, reverse=True)


def _printable(text: str, length: int) -> str:
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))[:length]
