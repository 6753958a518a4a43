"""Every fault at every read: the typed error or the bounded retry, in time, and nothing cached."""

import contextlib
import itertools
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditkit.errors import Refused
from auditkit.vendors.transport import ATTEMPTS
from tests.faults.certificates import HOST, Certificates
from tests.faults.clients import assert_ours_alone, clients
from tests.faults.conftest import LONGEST_PAUSE
from tests.faults.endpoints import ENDPOINTS, Endpoint
from tests.faults.faults import CASES, OPEN, Fault, Scene, answer, chunked, good
from tests.faults.server import Server, drips, running, says, stalls

SHORT, LONG = 0.3, 10.0
MAY_OVERRUN = 0.5


def sampled(cases: list[tuple[Endpoint, Fault]]) -> list[object]:
    """All cases; those beyond the first of each row, each at another read, are for the campaign alone."""
    rows = list(dict.fromkeys(fault.row for _, fault in cases))
    first = {}
    for endpoint, fault in cases:
        if endpoint is ENDPOINTS[rows.index(fault.row) % len(ENDPOINTS)]:
            first.setdefault(fault.row, (endpoint, fault))
    return [
        pytest.param(
            endpoint,
            fault,
            id=f"{fault.row}-{fault.name}-{endpoint.name}",
            marks=[] if first[fault.row] == (endpoint, fault) else pytest.mark.campaign,
        )
        for endpoint, fault in cases
    ]


@contextlib.contextmanager
def played(fault: Fault, endpoint: Endpoint, authority: Certificates) -> Iterator[tuple[Server, Server, str]]:
    """The fault's server, a canary that must get no request, and the base URL."""
    silent = fault.tls == "silent"
    tls = authority.context(fault.tls) if fault.tls and not silent else None
    with running(tls) as server, running() as canary, socket.socket() as free:
        free.bind((HOST, 0))
        if fault.play:
            server.plays(fault.play(Scene(endpoint, canary.url)))
        url = fault.url.format(port=server.port, free=free.getsockname()[1]) or server.url
        yield server, canary, url.replace("http:", "https:") if silent else url


def overrun(fault: Fault, server: Server, started: float, made: int) -> float:
    """Seconds by which the slowest attempt went beyond its deadline and the pause before it."""
    ended = time.monotonic()
    allowed = SHORT if fault.is_slow else LONG
    if not server.arrived:
        return max(0.0, ended - started - made * allowed)
    moments = [started, *(moment for moment, _ in server.arrived), ended]
    pause = LONGEST_PAUSE if fault.waits else 0
    return max(0.0, *(after - before - allowed - pause for before, after in itertools.pairwise(moments)))


@pytest.mark.parametrize(("endpoint", "fault"), sampled(CASES))
def test_each_fault(
    endpoint: Endpoint, fault: Fault, tmp_path: Path, our_authority: Certificates, record_property
) -> None:
    with (
        played(fault, endpoint, our_authority) as (server, canary, url),
        clients(url, tmp_path, SHORT if fault.is_slow else LONG) as asking,
    ):
        started = time.monotonic()
        with pytest.raises(fault.error) as raised:
            asking.call(endpoint)
        made, retried = asking.made(endpoint)
        over = overrun(fault, server, started, made)
        record_property("requests", made)
        record_property("overrun", over)

        assert type(raised.value) is fault.error or fault.error in type(raised.value).__mro__[:2]
        assert str(raised.value).startswith(f"{endpoint.vendor}: GET /")
        assert_ours_alone(raised.value)
        assert (made, retried) == (fault.attempts, fault.attempts - 1)
        assert len(server.arrived) == (fault.attempts if fault.play and fault.talks else 0)
        assert canary.connections == 0
        assert over <= MAY_OVERRUN
        assert asking.entries() == 0
        if fault.waits:
            moments = [moment for moment, _ in server.arrived]
            assert all(b - a >= LONGEST_PAUSE * 0.9 for a, b in itertools.pairwise(moments))

        # The answer that comes later is asked for, and is the vendor's own.
        if fault.play and not fault.url and fault.tls in (None, "good"):
            server.plays(good(Scene(endpoint, "")))
            assert asking.call(endpoint) == expected(endpoint, server, tmp_path)


PASSING = [(endpoint, fault) for endpoint, fault in CASES if fault.attempts > 1 and fault.play and fault.talks]


@pytest.mark.parametrize(("endpoint", "fault"), sampled(PASSING))
def test_a_transient_fault_is_retried(
    endpoint: Endpoint, fault: Fault, tmp_path: Path, our_authority: Certificates, record_property
) -> None:
    """Twice the fault, then the good answer: it is the result, and the retries are counted."""
    with (
        played(fault, endpoint, our_authority) as (server, canary, url),
        clients(url, tmp_path, SHORT if fault.is_slow else LONG) as asking,
    ):
        assert fault.play
        play = fault.play(Scene(endpoint, canary.url))
        server.plays(play, play, good(Scene(endpoint, canary.url)))
        found = asking.call(endpoint)
        assert asking.made(endpoint) == (3, 2)
        assert len(server.arrived) == 3
        record_property("requests", 3)
        assert found == expected(endpoint, server, tmp_path)


def expected(endpoint: Endpoint, server: Server, folder: Path) -> object:
    """What the call gives at a server without faults."""
    (folder / "other").mkdir(exist_ok=True)
    with running() as faultless, clients(faultless.url, folder / "other", LONG) as asking:
        faultless.plays(good(Scene(endpoint, "")))
        return asking.call(endpoint)


# ── What looks odd and is right ─────────────────────────────────────────────────────────────────────────────────────

GOOD = {
    "100-first": lambda body: b"HTTP/1.1 100 Continue\r\n\r\n" + answer(body),
    "103-first": lambda body: b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 2 + answer(body),
    "no-length": lambda body: answer(body, Content_Length=None),
    "http-1.0": lambda body: answer(body).replace(b"HTTP/1.1", b"HTTP/1.0"),
    "chunks-of-one": lambda body: answer(b"", **OPEN) + chunked(*(bytes([byte]) for byte in body)) + b"0\r\n\r\n",
    "chunk-extension": lambda body: answer(b"", **OPEN) + b"%x;a=b\r\n%s\r\n0\r\nX: 1\r\n\r\n" % (len(body), body),
    "length-twice-the-same": lambda body: answer(body, content_length=str(len(body))),
    "type-vendor": lambda body: answer(body, Content_Type="application/vnd.x+json; charset=UTF-8"),
    "date-nonsense": lambda body: answer(body, Date="Fri, 31 Dec 9999 23:59:59 -2359"),
    "surplus": lambda body: answer(body, Connection=None) + answer(b'{"not": "asked for"}', Connection=None),
}  # fmt: skip


@pytest.mark.parametrize("endpoint", ENDPOINTS[:1], ids=lambda endpoint: endpoint.name)
@pytest.mark.parametrize("name", GOOD)
def test_an_odd_but_valid_answer_is_accepted(endpoint: Endpoint, name: str, tmp_path: Path, record_property) -> None:
    with running() as server, clients(server.url, tmp_path, LONG) as asking:
        server.plays(says(GOOD[name](endpoint.good.encode())))
        for made in (1, 2):
            assert asking.call(endpoint) == expected(endpoint, server, tmp_path)
            assert asking.made(endpoint) == (made, 0)
        record_property("requests", 2)


@pytest.mark.parametrize("status", [101, 204, 304, 404])
def test_bytes_behind_a_refusal_answer_no_other_request(status: int, tmp_path: Path) -> None:
    """The connection stays open, and an answer that nobody asked for arrives late."""
    endpoint = ENDPOINTS[0]

    def refuses_then_goes_on(connection: socket.socket, head: bytes) -> None:
        connection.sendall(answer(b"", status, Connection=None, Content_Length=None if status < 300 else "0"))
        with contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(answer(b"[]", Connection=None))

    with running() as server, clients(server.url, tmp_path, LONG) as asking:
        server.plays(refuses_then_goes_on, good(Scene(endpoint, "")))
        with pytest.raises(Exception, match=f"answered {status}"):
            asking.call(endpoint)
        assert asking.call(endpoint) == expected(endpoint, server, tmp_path)


# ── The rate ────────────────────────────────────────────────────────────────────────────────────────────────────────

BUSY = {
    "429": says(answer(b"", 429)),
    "503": says(answer(b"", 503)),
    "408": says(answer(b"", 408)),
    "no-answer": stalls(),
    "drip": drips(answer(b"", Content_Length="99"), b" "),
}


@pytest.mark.parametrize(
    "name", [name if name == "429" else pytest.param(name, marks=pytest.mark.campaign) for name in BUSY]
)
def test_the_rate_is_halved(name: str, tmp_path: Path) -> None:
    endpoint = ENDPOINTS[0]
    with running() as server, clients(server.url, tmp_path, SHORT, rate=20) as asking:
        server.plays(BUSY[name], good(Scene(endpoint, "")))
        for _ in range(4):
            asking.call(endpoint)
        moments = [moment for moment, _ in server.arrived][-4:]
        assert all(b - a >= 0.08 for a, b in itertools.pairwise(moments))


@pytest.mark.campaign
def test_five_seconds_in_the_vendors_queue(tmp_path: Path, record_property) -> None:
    """As Aimsio does when too much is asked: nothing for five seconds, then the end of the connection."""
    endpoint = ENDPOINTS[1]

    def queues(connection: socket.socket, head: bytes) -> None:
        time.sleep(5)
        connection.close()

    with running() as server, clients(server.url, tmp_path, 6.0) as asking:
        server.plays(queues, good(Scene(endpoint, "")))
        started = time.monotonic()
        assert asking.call(endpoint) == expected(endpoint, server, tmp_path)
        assert 5 <= time.monotonic() - started < 6
        assert asking.made(endpoint) == (2, 1)


@pytest.mark.campaign
def test_a_late_byte_does_not_extend_the_deadline(tmp_path: Path, record_property) -> None:
    endpoint, deadline = ENDPOINTS[1], 1.5

    def drops_once(connection: socket.socket, head: bytes) -> None:
        connection.sendall(answer(b"", Content_Length="99"))
        time.sleep(1.2)
        connection.sendall(b" ")
        connection.recv(1)

    with running() as server, clients(server.url, tmp_path, deadline) as asking:
        server.plays(drops_once, good(Scene(endpoint, "")))
        asking.call(endpoint)
        (first, _), (second, _) = server.arrived
        record_property("overrun", max(0.0, second - first - deadline))
        assert deadline - 0.1 <= second - first <= deadline + MAY_OVERRUN


def test_an_error_repeats_a_refusal_without_our_secrets(tmp_path: Path) -> None:
    def echoes(connection: socket.socket, head: bytes) -> None:
        says(answer(head, 400))(connection, head)

    with running() as server, clients(server.url, tmp_path, LONG) as asking:
        server.plays(echoes)
        for endpoint in ENDPOINTS:
            with pytest.raises(Refused) as raised:
                asking.call(endpoint)
            assert_ours_alone(raised.value)


def test_the_table_of_faults_is_complete() -> None:
    assert len(CASES) >= 150
    assert len({(endpoint.name, fault.row, fault.name) for endpoint, fault in CASES}) == len(CASES)
    assert {fault.attempts for _, fault in CASES} == {1, ATTEMPTS}
