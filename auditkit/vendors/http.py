"""One HTTP client per host: the only module that opens a connection.

requests' `HTTPAdapter` sends a prepared request without a `Session`. So there is no cookie jar, no redirect, no
`.netrc`, no proxy from the environment and no retry to switch off, and nothing that could add one later.

`HttpClient` adds three things: a deadline for the *whole* response (a socket's timeout restarts with each byte),
TLS settings that no environment variable changes, and a connection that is not reused after anything but a 200,
because what still arrives on it answers no other request.

Not here: how a response is read and which error it becomes (`responses`), whether to try again and what may be kept
(`transport`).
"""

import contextlib
import http.client
import io
import math
import re
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import requests.adapters
import requests.auth
import urllib3
import urllib3.connection
import urllib3.exceptions
from urllib3.util.response import assert_header_parsing

from auditkit.errors import ApiError, BadAnswer, TimedOut, Unreachable
from auditkit.vendors.auth import Credentials
from auditkit.vendors.rate_limit import RateLimit
from auditkit.vendors.responses import (
    MAX_BODY_BYTES,
    MAX_MESSAGE,
    Received,
    TransientError,
    body_start,
    printable,
    refusal,
    whole_body,
)

__all__ = ["CONNECT_SECONDS", "HttpClient", "Network"]

CONNECT_SECONDS = 5.0

_INTERIM = frozenset({102, 103})  # the real response follows, as after a 100, which http.client skips by itself
_READ_HEADERS = ("Content-Type", "Date")


@dataclass(frozen=True)
class Network:
    """How this machine reaches the vendors: a PEM file of authorities to trust instead of the public ones, a proxy."""

    ca_bundle: Path | None = None
    proxy: str | None = None


class HttpClient:
    """Everything that the calls to one host share: base URL, credentials, rate limit, deadline and connections.

    It keeps at most `parallel` connections. `deadline` is in seconds, for one attempt, once it has its slot.
    """

    def __init__(
        self,
        base_url: str,
        auth: requests.auth.AuthBase,
        *,
        vendor: str,
        rate_limit: RateLimit,
        deadline: float,
        parallel: int,
        credentials: Credentials | None = None,
        network: Network | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._auth = auth
        self._rate_limit = rate_limit
        self._timeout = urllib3.Timeout(connect=min(CONNECT_SECONDS, deadline), total=deadline)
        self._credentials = credentials or Credentials()
        self._network = network or Network()
        self._kept = _Adapter(parallel)
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
        return f"{self.vendor}: {request.method} {printable(request.path_url, MAX_MESSAGE)}"

    def exchange(
        self, request: requests.PreparedRequest, *, cap: int = MAX_BODY_BYTES, fresh: bool = False
    ) -> Received:
        """Wait for a slot of the rate limit, send once, and return a response of status 200; anything else raises.

        Transient failures (408, 429, 500, 502, 503, 504, timeout, reset, a body cut short or damaged) raise
        `TransientError` and halve the rate for every process. `Denied`, `NotThere`, `Refused`, `BadAnswer` and TLS
        failures are raised at once. A decoded body of more than `cap` bytes is a `BadAnswer` and is never held whole.
        `fresh` sends on a connection of its own, which is closed afterwards.
        """
        # Everything is raised from here: a traceback may show locals, and those of the frames below hold the signed
        # request and the response; and an error of ours must not have one of requests' behind it, which holds them too.
        try:
            with self._rate_limit.slot():
                outcome = self._outcome(request, cap, fresh=fresh)
        except BaseException as error:  # noqa: BLE001 - raised again, also when interrupted
            raise error.with_traceback(None) from None
        if isinstance(outcome, Received):
            return outcome
        if isinstance(outcome, TransientError):
            self._rate_limit.slow_down(outcome.pause)
        raise outcome

    def close(self) -> None:
        """Close the kept connections."""
        self._kept.close()

    def _outcome(
        self, request: requests.PreparedRequest, cap: int, *, fresh: bool
    ) -> Received | ApiError | TransientError:
        where, credentials = self.where(request), self._credentials.including(request)
        started = time.monotonic()
        adapter = _Adapter(1) if fresh else self._kept
        try:
            with contextlib.closing(self._send(adapter, request)) as response:
                is_good = response.status_code == 200
                body = whole_body(response, where, cap) if is_good else body_start(response, where)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            return _failure(error, where)
        except (BadAnswer, TransientError) as error:
            return error.with_traceback(None)
        finally:
            if fresh:
                adapter.close()
        elapsed = time.monotonic() - started
        if not is_good:
            return refusal(response, where, body, credentials)
        headers = {name: response.headers[name] for name in _READ_HEADERS if name in response.headers}
        if credentials.appear_in(body) or any(credentials.appear_in(value.encode()) for value in headers.values()):
            return BadAnswer(f"{where}: repeats the password or token, which others may read there too; change it")
        return Received(headers, body, elapsed)

    def _send(self, adapter: "_Adapter", request: requests.PreparedRequest) -> requests.Response:
        timeout: Any = self._timeout  # requests accepts urllib3's Timeout, the only one with a total; its stubs do not
        network = self._network
        return adapter.send(
            request,
            stream=True,
            timeout=timeout,
            verify=str(network.ca_bundle) if network.ca_bundle else True,
            proxies={"all": network.proxy} if network.proxy else None,
        )


class _Adapter(requests.adapters.HTTPAdapter):
    """A pool of kept connections whose responses must be whole before the deadline; it never retries."""

    def __init__(self, connections: int) -> None:
        super().__init__(pool_connections=1, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - passed on as they are
        super().init_poolmanager(*args, **kwargs, ssl_context=_tls())
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:  # noqa: ANN401 - as requests has it
        manager = super().proxy_manager_for(proxy, **kwargs, ssl_context=_tls(), proxy_ssl_context=_tls())
        manager.pool_classes_by_scheme = _POOLS
        return manager


def _tls() -> ssl.SSLContext:
    """A client's TLS context. Those of the libraries write the session's keys to the file that SSLKEYLOGFILE names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class _BeforeDeadline(io.RawIOBase):
    """A socket's bytes, where each read may take only the time that is left for all of them.

    urllib3 sets the socket's timeout to what is left of the total just before a response is read.
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
            raise TimeoutError("no whole response before the deadline")
        self._socket.settimeout(None if left == math.inf else left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - passed on as they are
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_BeforeDeadline(sock))

    def begin(self) -> None:
        super().begin()
        while self.status in _INTERIM:
            self.headers = None  # type: ignore[assignment]  # begin() expects it as it was before the first response
            super().begin()
        self.will_close = self.will_close or self.status != 200
        # urllib3 would ignore the headers behind a broken one, and log it, which may repeat a secret.
        assert_header_parsing(self.msg)


class _HTTPConnection(urllib3.connection.HTTPConnection):
    response_class = _Response
    debuglevel = 0  # whatever is set for all of http.client, which would print the signed request


class _HTTPSConnection(urllib3.connection.HTTPSConnection):
    response_class = _Response
    debuglevel = 0


class _HTTPPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


_POOLS = {"http": _HTTPPool, "https": _HTTPSPool}


def _failure(error: Exception, where: str) -> ApiError | TransientError:
    """The error for a response that never came whole, worded by its cause, with what to do about that."""
    cause = _innermost(error)
    reason = _reason(cause)
    is_tls = isinstance(error, (requests.exceptions.SSLError, urllib3.exceptions.SSLError))
    if is_tls and not isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return _unreachable(
            f"{where}: no trusted TLS connection ({reason}); check the host, and where the network inspects TLS set"
            " AUDITKIT_CA_BUNDLE to its certificate",
            "certificate",
        )
    if isinstance(error, (requests.Timeout, urllib3.exceptions.TimeoutError)):
        return TransientError(TimedOut(f"{where}: no whole response before the deadline; try again later"))
    if isinstance(error, requests.exceptions.ProxyError):
        refused = re.search(r"Tunnel connection failed: ([0-9]{3})", str(cause))
        words = f"answered {refused[1]}" if refused else reason
        text = f"{where}: the proxy of AUDITKIT_PROXY made no connection ({words}); check its address and rules"
        return TransientError(_unreachable(text, "proxy"))
    if isinstance(cause, socket.gaierror):
        text = f"{where}: the host's name is not known ({reason}); check the base URL and the network"
        return TransientError(_unreachable(text, "name"))
    if isinstance(cause, ConnectionRefusedError):
        text = f"{where}: nothing answers at this host and port ({reason}); check the base URL, or set AUDITKIT_PROXY"
        return TransientError(_unreachable(text, "refused"))
    if isinstance(error, (requests.ConnectionError, urllib3.exceptions.HTTPError)):
        text = f"{where}: no connection, or it broke ({reason}); check the network and the base URL"
        return TransientError(_unreachable(text, "connection"))
    if isinstance(error, requests.exceptions.InvalidHeader):
        return BadAnswer(f"{where}: expected one length of the body, found several")
    if isinstance(error, OSError) and not isinstance(error, requests.RequestException):
        return _unreachable(
            f"{where}: the authorities to trust cannot be read; check AUDITKIT_CA_BUNDLE", "certificate"
        )
    return _unreachable(f"{where}: the request cannot be sent ({type(error).__name__}); check the base URL", "request")


def _unreachable(text: str, cause: str) -> Unreachable:
    error = Unreachable(text)
    error.cause = cause
    return error


def _innermost(error: BaseException) -> BaseException:
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return error


def _reason(cause: BaseException) -> str:
    """A cause in its own fixed words; the errors around it may quote the request."""
    if isinstance(cause, ssl.SSLCertVerificationError):
        return cause.verify_message
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return type(cause).__name__
