"""The table: every fault that a vendor may serve, and what each must give.

A fault that may pass is asked for `ATTEMPTS` times and then raised; any other is asked for once. `row` is the line of
the table that a fault belongs to; the first fault of each row is the one that every test run tries.
"""

import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from auditkit.errors import ApiError, BadAnswer, Denied, NotThere, Refused, TimedOut, Unreachable
from auditkit.vendors.transport import ATTEMPTS
from tests.faults.endpoints import ENDPOINTS, Endpoint
from tests.faults.server import Play, breaks_off, drips, says, stalls


@dataclass(frozen=True)
class Scene:
    """Where a fault happens: at which endpoint, and the address of a server that must get no request."""

    endpoint: Endpoint
    canary: str

    @property
    def body(self) -> bytes:
        return self.endpoint.good.encode()


@dataclass(frozen=True)
class Fault:
    """`play` is what the server does; without one nothing listens at `url`. `tls` names the server's certificate."""

    row: str
    name: str
    play: Callable[[Scene], Play] | None
    error: type[ApiError]
    attempts: int = ATTEMPTS
    is_slow: bool = False
    waits: bool = False  # the vendor asked for the longest pause that we make
    tls: str | None = None
    url: str = ""
    talks: bool = True  # the request arrives


def answer(body: bytes, status: int = 200, **headers: str | None) -> bytes:
    """An answer whole and well-formed; a header that is None is left out."""
    usual = {"Content_Type": "application/json", "Content_Length": str(len(body)), "Connection": "close"}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in (usual | headers).items() if value is not None]
    return "\r\n".join([f"HTTP/1.1 {status} X", *lines, "", ""]).encode() + body


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)


def good(scene: Scene) -> Play:
    return says(answer(scene.body))


OPEN = {"Content_Length": None, "Transfer_Encoding": "chunked"}
ZIP = {"Content_Encoding": "gzip"}


# ── The connection ────────────────────────────────────────────────────────────────────────────────────────────────────


def _broken() -> list[Fault]:
    def cut(scene: Scene, lost: int) -> bytes:
        return gzip.compress(scene.body)[:-lost]

    def damaged(scene: Scene) -> bytes:
        packed = bytearray(gzip.compress(scene.body))
        packed[-6] ^= 1
        return bytes(packed)

    def whole_length(scene: Scene, sent: bytes) -> bytes:
        return answer(b"", Content_Length=str(len(scene.body))) + sent

    plays: dict[str, tuple[Callable[[Scene], Play], type[ApiError]]] = {
        "reset-before": (lambda s: breaks_off(), Unreachable),
        "closed-before": (lambda s: says(b""), Unreachable),
        "reset-in-status": (lambda s: breaks_off(b"HTTP/1.1 20"), Unreachable),
        "closed-in-status": (lambda s: says(b"HTTP/1.1 20"), Unreachable),
        "reset-in-headers": (lambda s: breaks_off(b"HTTP/1.1 200 OK\r\nContent-Ty"), Unreachable),
        "reset-in-body": (lambda s: breaks_off(whole_length(s, s.body[:9])), Unreachable),
        "closed-in-body": (lambda s: says(whole_length(s, s.body[:9])), Unreachable),
        "length-too-long": (lambda s: says(answer(s.body, Content_Length=str(len(s.body) + 1))), Unreachable),
        "length-absurd": (lambda s: says(answer(s.body, Content_Length="9" * 30)), Unreachable),
        "length-too-short": (lambda s: says(answer(s.body, Content_Length=str(len(s.body) - 2))), BadAnswer),
        "no-length-cut": (lambda s: says(answer(s.body[:-2], Content_Length=None)), BadAnswer),
        "chunk-cut": (lambda s: says(answer(b"", **OPEN) + b"%x\r\n%s" % (len(s.body), s.body[:9])), Unreachable),
        "chunk-reset": (lambda s: breaks_off(answer(b"", **OPEN) + b"50\r\n" + s.body[:9]), Unreachable),
        "chunk-last-missing": (lambda s: says(answer(b"", **OPEN) + chunked(s.body)), Unreachable),
        "chunk-size-nonsense": (lambda s: says(answer(b"", **OPEN) + b"zz\r\n" + s.body), Unreachable),
        "gzip-cut-tail": (lambda s: says(answer(cut(s, 1), **ZIP)), Unreachable),
        "gzip-cut-crc": (lambda s: says(answer(cut(s, 8), **ZIP)), Unreachable),
        "gzip-cut-middle": (lambda s: says(answer(cut(s, 40), **ZIP)), Unreachable),
        "gzip-no-body": (lambda s: says(answer(b"", **ZIP)), Unreachable),
        "gzip-damaged-crc": (lambda s: says(answer(damaged(s), **ZIP)), BadAnswer),
        "gzip-damaged": (lambda s: says(answer(b"no gzip at all", **ZIP)), BadAnswer),
    }
    row = "connection"
    nobody = Fault(row, "refused", None, Unreachable, url="http://127.0.0.1:{free}")
    unknown = Fault(row, "no-such-host", None, Unreachable, url="http://no-such-host.invalid")
    broken = [Fault(row, name, play, error) for name, (play, error) in plays.items()]
    over_tls = [
        Fault(row, f"tls-{name}", plays[name][0], plays[name][1], tls="good")
        for name in ("reset-before", "closed-before", "reset-in-body", "closed-in-body", "no-length-cut", "chunk-cut")
    ]
    return [*broken, nobody, unknown, *over_tls]


def _tls() -> list[Fault]:
    names = ("self-signed", "expired", "not-yet-valid", "wrong-host", "unknown-authority")
    faults = [Fault("tls", name, good, Unreachable, 1, tls=name, talks=False) for name in names]
    return [*faults, Fault("tls", "plain-http", good, Unreachable, 1, url="https://127.0.0.1:{port}", talks=False)]


# ── Too much, too slow ────────────────────────────────────────────────────────────────────────────────────────────────


def _busy() -> list[Fault]:
    row, named = "busy", b'{"message": "Too many requests"}'
    asks = {
        "none": None,
        "zero": "0",
        "huge": "1000000000",
        "exponent": "1e9",
        "negative": "-5",
        "text": "soon",
        "digits": "9" * 5000,
        "past": "Sat, 21 Nov 2015 04:00:00 GMT",
        "future": "Fri, 31 Dec 2100 23:59:59 GMT",
        "beyond-time": "Fri, 31 Dec 9999 23:59:59 -2359",
    }
    statuses = [
        Fault(row, str(status), _fixed(answer(named, status)), Refused) for status in (503, 408, 429, 500, 502, 504)
    ]
    retries = [
        Fault(
            row,
            f"429-retry-after-{name}",
            _fixed(answer(named, 429, Retry_After=text)),
            Refused,
            waits=name in ("huge", "digits", "future"),
        )
        for name, text in asks.items()
    ]
    odd = {
        "503-html": answer(b"<html>\n<b>busy</b>", 503, Content_Type="text/html"),
        "503-no-body": answer(b"", 503),
        "503-gzip-damaged": answer(b"no gzip", 503, **ZIP),
        "503-brotli": answer(b"\x0b\x02\x80", 503, Content_Encoding="br"),
        "503-cut": answer(b"busy", 503, Content_Length="9999"),
        "503-bytes": answer(b"\xff\x00\x07\r\n", 503),
    }
    return [
        *statuses,
        Fault(row, "503-retry-after", _fixed(answer(named, 503, Retry_After="1000000000")), Refused, waits=True),
        *retries,
        *(Fault(row, name, _fixed(content), Refused) for name, content in odd.items()),
    ]


def _slow() -> list[Fault]:
    start = answer(b"", Content_Length="1000")
    plays: dict[str, Callable[[Scene], Play]] = {
        "header-drip": lambda s: drips(b"", b"H"),
        "no-answer": lambda s: stalls(),
        "status-drip": lambda s: drips(b"HTTP/1.1 200 ", b"O"),
        "header-line-drip": lambda s: drips(b"HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n"),
        "interim-drip": lambda s: drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        "headers-then-nothing": lambda s: stalls(start),
        "body-drip": lambda s: drips(start, b" "),
        "body-then-nothing": lambda s: stalls(answer(s.body, Content_Length=str(len(s.body) + 1))),
        "chunk-drip": lambda s: drips(answer(b"", **OPEN), b"1\r\n \r\n"),
        "chunk-size-drip": lambda s: drips(answer(b"", **OPEN), b"0"),
        "trailer-drip": lambda s: drips(answer(b"", **OPEN) + chunked(s.body) + b"0\r\n", b"X: 1\r\n"),
        "gzip-drip": lambda s: drips(answer(b"", Content_Length="99999", **ZIP) + gzip.compress(s.body)[:10], b"\0"),
    }
    faults = [Fault("drip", name, play, TimedOut, is_slow=True) for name, play in plays.items()]
    over_tls = [
        Fault("drip", f"tls-{name}", plays[name], TimedOut, is_slow=True, tls="good")
        for name in ("header-drip", "no-answer", "body-drip")
    ]
    handshake = Fault("drip", "tls-no-handshake", lambda s: stalls(), TimedOut, is_slow=True, tls="silent", talks=False)
    return [*faults, *over_tls, handshake]


# ── Answers that are none ─────────────────────────────────────────────────────────────────────────────────────────────


def _redirects() -> list[Fault]:
    def to(status: int, path: str = "{canary}/x") -> Callable[[Scene], Play]:
        return lambda scene: says(answer(b"", status, Location=path.format(canary=scene.canary)))

    row = "redirect"
    other = [Fault(row, f"{status}-other-host", to(status), Refused, 1) for status in (302, 301, 303, 307, 308)]
    return [
        *other,
        *(Fault(row, f"{status}-same-host", to(status, "/elsewhere"), Refused, 1) for status in (301, 302, 308)),
        *(Fault(row, f"{status}-https-to-http", to(status), Refused, 1, tls="good") for status in (301, 302, 307)),
        Fault(row, "302-no-location", _fixed(answer(b"", 302)), Refused, 1),
        Fault(row, "304", _fixed(answer(b"", 304)), Refused, 1),
        Fault(row, "300", _fixed(answer(b"[]", 300)), Refused, 1),
        Fault(row, "200-refresh", lambda s: says(answer(b"", Refresh=f"0; url={s.canary}")), BadAnswer, 1),
    ]


def _statuses() -> list[Fault]:
    row, named = "status", b'{"message": "no"}'
    errors = {401: Denied, 403: Denied, 404: NotThere, 400: Refused, 410: Refused, 501: Refused, 505: Refused}
    return [
        *(Fault(row, str(status), _fixed(answer(named, status)), error, 1) for status, error in errors.items()),
        Fault(row, "401-brotli", _fixed(answer(b"\x0b\x02\x80", 401, Content_Encoding="br")), Denied, 1),
        Fault(row, "401-cut", _fixed(answer(b"", 401, Content_Length="99")), Denied, 1),
        Fault(row, "204", _fixed(answer(b"", 204)), BadAnswer, 1),
        Fault(row, "206", lambda s: says(answer(s.body, 206)), BadAnswer, 1),
        Fault(row, "202", lambda s: says(answer(s.body, 202)), BadAnswer, 1),
        Fault(row, "101", lambda s: says(answer(s.body, 101)), BadAnswer, 1),
    ]


def _http() -> list[Fault]:
    def length(*lengths: int) -> Callable[[Scene], Play]:
        def play(scene: Scene) -> Play:
            lines = "".join(f"Content-Length: {len(scene.body) + more}\r\n" for more in lengths)
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{lines}\r\n"
            return says(head.encode() + scene.body)

        return play

    row = "http"
    return [
        Fault(row, "garbage", _fixed(b"\x00\x01garbage\r\n\r\n"), Unreachable),
        Fault(row, "http-0.9", lambda s: says(s.body), Unreachable),
        Fault(row, "another-protocol", _fixed(b"SSH-2.0-x\r\n"), Unreachable),
        Fault(row, "http-3", lambda s: says(answer(s.body).replace(b"HTTP/1.1", b"HTTP/3.0")), Unreachable),
        Fault(row, "status-of-letters", lambda s: says(answer(s.body).replace(b"200", b"2OO")), Unreachable),
        Fault(row, "header-huge", lambda s: says(answer(s.body, X_Huge="x" * 100_000)), Unreachable),
        Fault(row, "headers-many", lambda s: says(answer(s.body, **{f"X_{n}": "1" for n in range(200)})), Unreachable),
        Fault(row, "two-lengths", length(0, 1), BadAnswer, 1),
        Fault(row, "two-lengths-shorter", length(0, -5), BadAnswer, 1),
    ]


def _contents() -> list[Fault]:
    row = "content"
    bodies: dict[str, tuple[bytes, str]] = {
        "html": (b"<html>Sign in</html>", "text/html"),
        "html-as-json": (b"<html>Sign in</html>", "application/json"),
        "empty": (b"", "application/json"),
        "blank": (b" \r\n ", "application/json"),
        "null": (b"null", "application/json"),
        "text": (b'"ok"', "application/json"),
        "number": (b"0", "application/json"),
        "false": (b"false", "application/json"),
        "nested-text": (b'"[]"', "application/json"),
        "no-json": (b"ok", "application/json"),
        "two-values": (b"{} {}", "application/json"),
    }
    types = {
        "plain": "text/plain",
        "xml": "application/xml",
        "none": None,
        "nonsense": "json",
        "jsonp": "text/javascript",
    }
    return [
        *(
            Fault(row, name, _fixed(answer(body, Content_Type=kind)), BadAnswer, 1)
            for name, (body, kind) in bodies.items()
        ),
        *(Fault(row, f"type-{name}", _typed(kind), BadAnswer, 1) for name, kind in types.items()),
        Fault(row, "trailing-text", lambda s: says(answer(s.body + b"x")), BadAnswer, 1),
    ]


def _strange(endpoint: Endpoint) -> list[Fault]:
    return [
        Fault("envelope", name, _fixed(answer(body.encode())), BadAnswer, 1) for name, body in endpoint.strange.items()
    ]


def _json() -> list[Fault]:
    def with_first(member: bytes) -> Callable[[Scene], Play]:
        return lambda scene: says(answer(scene.body.replace(b"{", b"{" + member + b", ", 1)))

    deep = b'"x": ' + b"[" * 70 + b"]" * 70
    members = {
        "duplicate-key": b'"x": 1, "x": 1',
        "duplicate-key-nested": b'"x": {"y": [{"z": 1, "z": 2}]}',
        "duplicate-key-escaped": b'"x": 1, "\\u0078": 2',
        "nan": b'"x": NaN',
        "infinity": b'"x": Infinity',
        "minus-infinity": b'"x": -Infinity',
        "integer-of-5000-digits": b'"x": ' + b"9" * 5000,
        "exponent-beyond": b'"x": 1e99999999999999999999',
        "deep": deep,
        "very-deep": b'"x": ' + b"[" * 100_000 + b"]" * 100_000,
        "utf-8-invalid": b'"x": "\xff"',
        "utf-8-overlong": b'"x": "\xc0\xaf"',
        "utf-8-surrogate": b'"x": "\xed\xa0\x80"',
        "latin-1": b'"x": "\xe9"',
        "control-character": b'"x": "\x07"',
        "comment": b'/* x */ "x": 1',
        "single-quotes": b"'x': 1",
        "leading-zero": b'"x": 01',
        "bare-point": b'"x": .5',
    }
    whole: dict[str, Callable[[bytes], bytes]] = {
        "bom": lambda body: b"\xef\xbb\xbf" + body,
        "utf-16": lambda body: body.decode().encode("utf-16"),
        "utf-32": lambda body: body.decode().encode("utf-32-le"),
        "nul": lambda body: body + b"\0",
    }
    return [
        *(Fault("json", name, with_first(member), BadAnswer, 1) for name, member in members.items()),
        *(Fault("json", name, _changed(change), BadAnswer, 1) for name, change in whole.items()),
    ]


def _encodings() -> list[Fault]:
    row = "encoding"
    changes: dict[str, tuple[Callable[[bytes], bytes], str]] = {
        "gzip-twice": (lambda body: gzip.compress(gzip.compress(body)), "gzip"),
        "gzip-gzip": (lambda body: gzip.compress(gzip.compress(body)), "gzip, gzip"),
        "deflate": (zlib.compress, "deflate"),
        "brotli": (lambda body: b"\x0b\x02\x80" + body, "br"),
        "zstd": (lambda body: b"\x28\xb5\x2f\xfd" + body, "zstd"),
        "nonsense": (lambda body: body, "utf-8"),
        "more-behind": (lambda body: gzip.compress(body) + b"more", "gzip"),
        "two-members": (lambda body: gzip.compress(body[:5]) + gzip.compress(body[5:]), "gzip"),
    }
    unnamed = Fault(row, "gzip-unnamed", _changed(gzip.compress), BadAnswer, 1)
    return [*(Fault(row, n, _changed(change, kind), BadAnswer, 1) for n, (change, kind) in changes.items()), unnamed]


def _fixed(content: bytes) -> Callable[[Scene], Play]:
    return lambda scene: says(content)


def _typed(kind: str | None) -> Callable[[Scene], Play]:
    return lambda scene: says(answer(scene.body, Content_Type=kind))


def _changed(change: Callable[[bytes], bytes], encoding: str | None = None) -> Callable[[Scene], Play]:
    return lambda scene: says(answer(change(scene.body), Content_Encoding=encoding))


FAULTS = [
    *(_broken() + _tls() + _busy() + _slow() + _redirects()),
    *(_statuses() + _http() + _contents() + _json() + _encodings()),
]
CASES = [(endpoint, fault) for endpoint in ENDPOINTS for fault in [*FAULTS, *_strange(endpoint)]]
