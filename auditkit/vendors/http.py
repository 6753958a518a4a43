"""One request, one answer: the only place that opens a connection, and the only place that words a vendor's failure.

requests' `HTTPAdapter` sends a prepared request without a `Session`. So there is no cookie jar, no redirect, no
`.netrc`, no proxy from the environment and no retry to switch off, and nothing that could add one later.

Four things come on top of it: a deadline for the *whole* answer (time-outs of a socket start anew with each byte), a
cap on the decoded body, gzip that is checked to its end (urllib3 takes one that was cut short for whole), and a
connection that is not used again after anything but a 200: what still arrives on it answers no other request.

Not here: what is asked, whether to ask again, and what may be kept. That is `transport`.
"""

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

import requests
import requests.adapters
import urllib3
import urllib3.connection
import urllib3.exceptions
from urllib3.util.response import assert_header_parsing

from auditkit.errors import ApiError, BadAnswer, Denied, NotThere, Refused, TimedOut, Unreachable
from auditkit.vendors.auth import Credentials
from auditkit.vendors.rate_limit import MAX_PAUSE_SECONDS, RateLimit

__all__ = ["MAX_BODY_BYTES", "HttpClient", "Received", "TransientError", "adapter", "server_date"]

MAX_BODY_BYTES = 64 * 2**20
CONNECT_SECONDS = 5.0
MAX_WORDS = 200

_PIECE = 2**16
_GZIP = 31  # zlib's wbits for a stream with gzip's header and check sums
_INTERIM = frozenset({102, 103})  # the answer proper follows, as after a 100, which http.client passes over itself
_MAY_PASS = frozenset({408, 429, 500, 502, 503, 504})
_READ_HEADERS = ("Content-Type", "Date")
_OTHER_ENCODINGS = frozenset({"br", "compress", "deflate", "zstd"})


class TransientError(Exception):
    """An attempt failed in a way that may pass; `error` is what to raise when nobody tries again.

    `pause` is for how many seconds the vendor asks not to be called.
    """

    def __init__(self, error: ApiError, status: int | None = None, pause: float = 0.0) -> None:
        super().__init__(str(error))
        self.error = error
        self.status = status
        self.pause = pause


@dataclass(frozen=True)
class Received:
    """An answer of status 200: headers, the decoded body, and the seconds from the request to its last byte."""

    headers: Mapping[str, str]
    body: bytes
    elapsed: float


class HttpClient:
    """What every call to one vendor shares: base URL, credentials, pace and deadline. It keeps no connection."""

    def __init__(
        self,
        base_url: str,
        auth: requests.auth.AuthBase,
        *,
        vendor: str,
        rate_limit: RateLimit,
        deadline: float,
        credentials: Credentials | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._auth = auth
        self._rate_limit = rate_limit
        self._timeout = urllib3.Timeout(connect=min(CONNECT_SECONDS, deadline), total=deadline)
        self._credentials = credentials or Credentials()
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

    def exchange(
        self, http: requests.adapters.HTTPAdapter, request: requests.PreparedRequest, cap: int = MAX_BODY_BYTES
    ) -> Received:
        """Wait for our turn, send once, and return an answer of status 200; anything else raises.

        Transient failures (408, 429, 500, 502, 503, 504, time-out, reset, a body cut short or damaged) raise
        `TransientError` and halve the rate for every process. `Denied`, `NotThere`, `Refused`, `BadAnswer` and TLS
        failures are raised at once. `cap` is in bytes: a longer decoded body is a `BadAnswer` and is never held whole.
        """
        # Everything is raised from here: a traceback may show locals, and those of the frames below hold the signed
        # request and what came back; nor has an error of ours one of requests' behind it, which holds them too.
        try:
            with self._rate_limit.slot():
                outcome = self._sent(http, request, cap)
        except BaseException as error:  # noqa: BLE001 - raised again, also when interrupted
            raise error.with_traceback(None) from None
        if isinstance(outcome, Received):
            return outcome
        if isinstance(outcome, TransientError):
            self._rate_limit.slow_down(outcome.pause)
        raise outcome

    def _sent(
        self, http: requests.adapters.HTTPAdapter, request: requests.PreparedRequest, cap: int
    ) -> Received | ApiError | TransientError:
        where, credentials = self.where(request), self._credentials.including(request)
        started = time.monotonic()
        try:
            with contextlib.closing(self._send(http, request)) as answer:
                body = _body(answer, where, cap) if answer.status_code == 200 else _beginning(answer, where)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            return _failure(error, where)
        except (BadAnswer, TransientError) as error:
            return error.with_traceback(None)
        elapsed = time.monotonic() - started
        if answer.status_code != 200:
            return _refusal(answer, f"{where}: answered {answer.status_code}{_words(body, credentials)}")
        headers = {name: answer.headers[name] for name in _READ_HEADERS if name in answer.headers}
        if credentials.appear_in(body) or any(credentials.appear_in(value.encode()) for value in headers.values()):
            return BadAnswer(f"{where}: repeats the password or token, which others may read there too; change it")
        return Received(headers, body, elapsed)

    def _send(self, http: requests.adapters.HTTPAdapter, request: requests.PreparedRequest) -> requests.Response:
        timeout: Any = self._timeout  # requests takes urllib3's Timeout, the only one with a total; its stubs do not
        return http.send(request, stream=True, timeout=timeout, verify=True)


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

    def begin(self) -> None:
        super().begin()
        while self.status in _INTERIM:
            self.headers = None  # type: ignore[assignment]  # as it was before the first answer: begin() looks for it
            super().begin()
        self.will_close = self.will_close or self.status != 200
        # urllib3 would go on without the headers behind a broken one, and log what it is, which may repeat a secret.
        assert_header_parsing(self.msg)


class _HTTPConnection(urllib3.connection.HTTPConnection):
    response_class = _Answer
    debuglevel = 0  # whatever is set for all of http.client, which would print the signed request


class _HTTPSConnection(urllib3.connection.HTTPSConnection):
    response_class = _Answer
    debuglevel = 0


class _HTTPPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


def _refusal(answer: requests.Response, found: str) -> ApiError | TransientError:
    refusal = _worded(answer, found)
    (refusal.error if isinstance(refusal, TransientError) else refusal).status = answer.status_code
    return refusal


def _worded(answer: requests.Response, found: str) -> ApiError | TransientError:
    status = answer.status_code
    if status in (401, 403):
        return Denied(f"{found}; check the credentials and their permissions")
    if status == 404:
        return NotThere(f"{found}; it does not exist, or not any more")
    if status in _MAY_PASS:
        return TransientError(Refused(f"{found}; try again later"), status, _retry_after(answer.headers))
    if status < 300:
        return BadAnswer(f"{found}; expected 200")
    if status < 400:
        return Refused(f"{found}; a redirect is never followed, check the base URL")
    return Refused(found)


def _body(answer: requests.Response, where: str, cap: int) -> bytes:
    """The whole body, decoded. What came packed is only measured on its way, so that a bomb never unfolds here."""
    packed = _is_packed(answer, where)
    pieces: list[bytes] = []
    size = 0
    raw = _noted(answer.raw.stream(_PIECE, decode_content=False), pieces)
    for piece in _inflated(raw, where) if packed else raw:
        size += len(piece)
        if size > cap:
            raise BadAnswer(f"{where}: expected at most {cap // 2**20} MiB, found more")
    body = b"".join(pieces)
    return zlib.decompress(body, wbits=_GZIP, bufsize=size or 1) if packed else body


def _beginning(answer: requests.Response, where: str) -> bytes:
    """What a refusal says first. It is worth no error of its own: a 401 that cannot be read is still a 401."""
    beginning = b""
    with contextlib.suppress(BadAnswer, TransientError, urllib3.exceptions.HTTPError):
        packed = _is_packed(answer, where)
        raw = answer.raw.stream(_PIECE, decode_content=False)
        for piece in _inflated(raw, where) if packed else raw:
            beginning += piece
            if len(beginning) >= _PIECE:
                break
    return beginning


def _is_packed(answer: requests.Response, where: str) -> bool:
    encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        found = encoding if encoding in _OTHER_ENCODINGS else "another"
        raise BadAnswer(f"{where}: expected no encoding or gzip, found {found}")
    return encoding == "gzip"


def _noted(raw: Iterator[bytes], pieces: list[bytes]) -> Iterator[bytes]:
    for piece in raw:
        pieces.append(piece)
        yield piece


def _inflated(raw: Iterator[bytes], where: str) -> Iterator[bytes]:
    inflate = zlib.decompressobj(wbits=_GZIP)
    try:
        for piece in raw:
            rest = piece
            while rest:
                yield inflate.decompress(rest, _PIECE)
                rest = inflate.unconsumed_tail
        yield inflate.flush()
    except zlib.error:
        raise TransientError(BadAnswer(f"{where}: expected gzip, found damaged data")) from None
    if inflate.unused_data:
        raise BadAnswer(f"{where}: expected one gzip stream, found more behind it")
    if not inflate.eof:
        raise urllib3.exceptions.ProtocolError("gzip stream cut short")


def _failure(error: Exception, where: str) -> ApiError | TransientError:
    reason = _reason(error)
    is_tls = isinstance(error, (requests.exceptions.SSLError, urllib3.exceptions.SSLError))
    if is_tls and not isinstance(_innermost(error), (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return Unreachable(f"{where}: no trusted TLS connection ({reason}); check the host and its certificate")
    if isinstance(error, (requests.Timeout, urllib3.exceptions.TimeoutError)):
        return TransientError(TimedOut(f"{where}: no whole answer before the deadline; try again later"))
    if isinstance(error, (requests.ConnectionError, urllib3.exceptions.HTTPError)):
        return TransientError(
            Unreachable(f"{where}: no connection, or it broke ({reason}); check the network and the base URL")
        )
    if isinstance(error, requests.exceptions.InvalidHeader):
        return BadAnswer(f"{where}: expected one length of the body, found several")
    return Unreachable(f"{where}: the request cannot be sent ({type(error).__name__}); check the base URL")


def _innermost(error: BaseException) -> BaseException:
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return error


def _reason(error: BaseException) -> str:
    """The innermost cause in its own fixed words; the outer ones may quote the request."""
    innermost = _innermost(error)
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
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _words(body: bytes, credentials: Credentials) -> str:
    """The vendor's own message, in one line, without our credentials should it repeat them."""
    harmless = credentials.redacted(body[:_PIECE])
    if harmless is None:
        return " (its message is left out: it may repeat a secret)"
    text = harmless.decode("utf-8", "replace")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict) and isinstance(value.get("body"), str):
        text = value["body"]
    text = _printable(text, MAX_WORDS)
    return f": {text}" if text else ""


def _printable(text: str, length: int) -> str:
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))[:length]
