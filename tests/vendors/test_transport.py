import base64
import gzip
import json
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import urllib3
from requests.auth import HTTPBasicAuth

from auditkit.errors import ApiError, BadAnswer, Denied, NotThere, Refused, TimedOut, Unreachable, ValueRefused
from auditkit.vendors import responses
from auditkit.vendors.transport import ATTEMPTS

from .conftest import PASSWORD, USERNAME
from .server import Reply, drips, reset, sends

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ZIPPED = gzip.compress(b'{"a": 1}')
ENCODED = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()


def zipped(content, **headers):
    return Reply(content, headers={"Content-Encoding": "gzip", **headers})


# ---- what a good answer gives -----------------------------------------------------------------------------------


def test_a_get_on_the_wire(vendor, make_reader):
    reader = make_reader(url=f"{vendor.url}/prefix/")
    vendor.answers(Reply('{"a": "é"}', headers={"Date": "Sat, 21 Nov 2026 04:00:00 GMT"}))
    answer = reader.get("/api/x%20y", {"from": 0, "filter": '{"a":"b&c"}'})
    [seen] = vendor.seen
    assert (seen.method, seen.target) == ("GET", "/prefix/api/x%20y?from=0&filter=%7B%22a%22%3A%22b%26c%22%7D")
    assert seen.headers["accept"] == "application/json"
    assert seen.headers["authorization"] == f"Basic {ENCODED}"
    assert seen.body == b""
    assert (answer.status, answer.text, answer.from_cache) == (200, '{"a": "é"}', False)
    assert answer.date.isoformat() == "2026-11-21T04:00:00+00:00"
    assert 0 < answer.elapsed < 20


@pytest.mark.parametrize(
    "reply",
    [
        Reply('{"a": 1}'),
        Reply('{"a": 1}', headers={"Content-Type": "application/vnd.x+json; charset=UTF-8", "Date": "nonsense"}),
        zipped(ZIPPED),
        sends(HEAD + b'\r\n{"a": 1}'),
        sends(HEAD + b'Transfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n5\r\n": 1}\r\n0\r\n\r\n'),
    ],
)
def test_the_body_is_exact_in_any_framing(vendor, reader, reply):
    vendor.answers(reply)
    assert reader.get("/x").text == '{"a": 1}'


def test_connections_are_kept(vendor, reader):
    for _ in range(3):
        reader.get("/x")
    assert len({seen.connection for seen in vendor.seen}) == 1


def test_environment_variables_are_ignored(vendor, reader, tmp_path, monkeypatch):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    reader.get("/x")
    assert vendor.seen[0].headers["authorization"] == f"Basic {ENCODED}"


def test_cookies_are_not_sent_back(vendor, reader):
    vendor.answers(Reply(headers={"Set-Cookie": "session=1; Path=/"}))
    reader.get("/x")
    reader.get("/x")
    assert "cookie" not in vendor.seen[1].headers


# ---- what may pass is tried again, then raised -----------------------------------------------------------------

MAY_PASS = {
    **{str(status): (Reply(status=status), Refused) for status in (408, 429, 500, 502, 503, 504)},
    "429 absurd": (Reply(status=429, headers={"Retry-After": "-5 bananas"}), Refused),
    "reset before": (reset, Unreachable),
    "closed before": (sends(b""), Unreachable),
    "not http": (sends(b"SSH-2.0-x\r\n"), Unreachable),
    "reset inside": (sends(HEAD + b'Content-Length: 100\r\n\r\n{"a'), Unreachable),
    "cut chunk": (sends(HEAD + b'Transfer-Encoding: chunked\r\n\r\n50\r\n{"a'), Unreachable),
    "damaged gzip": (zipped(b"no gzip at all"), BadAnswer),
    "cut gzip": (zipped(ZIPPED[:-9]), Unreachable),
    "cut gzip trailer": (zipped(ZIPPED[:-1]), Unreachable),
}


CUT = {  # JSON alone tells; a change has no use for it
    "cut json": (Reply('{"a": '), BadAnswer),
    "cut json, no length": (sends(HEAD + b'\r\n{"a": [1, 2]'), BadAnswer),
}


@pytest.mark.parametrize("name", [*MAY_PASS, *CUT])
def test_a_transient_failure_is_retried(vendor, reader, name, caplog):
    caplog.set_level("DEBUG")
    failure, error = {**MAY_PASS, **CUT}[name]
    vendor.answers(failure, failure, Reply('{"at": "last"}'))
    assert reader.get("/x").text == '{"at": "last"}'
    assert (reader.calls.made, reader.calls.retried) == (3, 2)
    assert reader.calls.throttled == (2 if "429" in name else 0)

    vendor.seen.clear()
    vendor.answers(failure)
    with pytest.raises(error, match=r"^Aimsio: GET /x: ") as raised:
        reader.get("/x", version="1")
    assert len(vendor.seen) == ATTEMPTS
    assert_clean(raised.value)
    assert "/x" in caplog.text
    assert PASSWORD not in caplog.text
    assert ENCODED not in caplog.text
    vendor.answers(Reply('{"not": "cached"}'))
    assert reader.get("/x", version="1").from_cache is False


def test_a_port_that_nothing_listens_on(make_reader):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(Unreachable, match="Connection refused"):
        make_reader(url=url).get("/x")


def test_no_such_host(make_reader):
    with pytest.raises(Unreachable, match=r"the host\'s name is not known \("):
        make_reader(url="http://no-such-host.invalid").get("/x")


@pytest.mark.parametrize(
    "slow",
    [
        Reply(delay=9.0),
        drips(b"", b"H", 9.0),
        drips(HEAD, b"X-More: 1\r\n", 9.0),
        drips(HEAD + b"Content-Length: 1000\r\n\r\n", b" ", 9.0),
        drips(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", 9.0),
    ],
)
def test_the_deadline_is_for_the_whole_answer(vendor, make_reader, slow):
    reader = make_reader(deadline=0.3)
    vendor.answers(slow, Reply('{"in": "time"}'))
    started = time.monotonic()
    assert reader.get("/x").text == '{"in": "time"}'
    assert 0.25 < time.monotonic() - started < 5
    assert reader.calls.retried >= 1


def test_a_timeout_is_also_pythons_own(vendor, make_reader):
    vendor.answers(Reply(delay=0.3))
    with pytest.raises(TimedOut, match=r"^Aimsio: GET /x: no whole response before the deadline") as raised:
        make_reader(deadline=0.1).get("/x")
    assert_clean(raised.value)


def test_retry_after_is_honored(vendor, reader):
    vendor.answers(Reply(status=429, headers={"Retry-After": "1"}), Reply())
    reader.get("/x")
    assert vendor.seen[1].at - vendor.seen[0].at >= 1.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1000000000", 60.0),
        ("1e9", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 0.0),
        ("", 0.0),
        ("7", 7.0),
        ("9" * 5000, 60.0),
        ("-5", 0.0),
        ("soon", 0.0),
        ("Sat, 21 Nov 2015 04:00:00 GMT", 0.0),
        ("٣", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(text, seconds):
    assert responses._retry_after({"Retry-After": text}) == seconds


# ---- what will not pass comes at once --------------------------------------------------------------------------

AT_ONCE = {
    "401": (Reply(status=401), Denied),
    "403": (Reply(status=403), Denied),
    "404": (Reply(status=404), NotThere),
    "400": (Reply(status=400), Refused),
    "501": (Reply(status=501), Refused),
    "401 that cannot be read": (Reply(b"br", status=401, headers={"Content-Encoding": "br"}), Denied),
    "204": (Reply("", status=204), BadAnswer),
    "two lengths": (sends(HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"), BadAnswer),
    **{
        str(status): (Reply(status=status, headers={"Location": "http://127.0.0.1:9/y"}), Refused)
        for status in (301, 302, 307, 308)
    },
    "html": (Reply("<html>", headers={"Content-Type": "text/html"}), BadAnswer),
    "no type": (sends(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), BadAnswer),
    "empty": (Reply(""), BadAnswer),
    "latin-1": (Reply('{"a": "é"}'.encode("latin-1")), BadAnswer),
    "bom": (Reply(b"\xef\xbb\xbf{}"), BadAnswer),
    "twice": (Reply('{"a": 1, "a": 1}'), BadAnswer),
    "nan": (Reply("[NaN]"), BadAnswer),
    "digits": (Reply("9" * 5000), BadAnswer),
    "deep": (Reply("[" * 65 + "]" * 65), BadAnswer),
    "encoded twice": (zipped(gzip.compress(ZIPPED), **{"Content-Encoding": "gzip, gzip"}), BadAnswer),
    "encoded otherwise": (Reply(headers={"Content-Encoding": "br"}), BadAnswer),
    "more behind gzip": (zipped(ZIPPED + b"more"), BadAnswer),
}


@pytest.mark.parametrize("name", AT_ONCE)
def test_a_permanent_failure_is_raised_at_once(vendor, reader, name):
    failure, error = AT_ONCE[name]
    vendor.answers(failure, Reply())
    with pytest.raises(error, match=r"^Aimsio: GET /x: ") as raised:
        reader.get("/x", version="1")
    assert len(vendor.seen) == 1
    assert_clean(raised.value)
    assert reader.get("/x", version="1").from_cache is False


def test_a_bomb_is_not_unpacked(vendor, reader, monkeypatch):
    vendor.answers(zipped(gzip.compress(b"[" + b" " * 2**24 + b"]")))
    with pytest.raises(BadAnswer, match="at most 1 MiB"):
        reader.get("/x", cap=2**20)
    vendor.answers(zipped(gzip.compress(b"[" + b" " * (2**20 - 2) + b"]")))
    assert len(reader.get("/x", cap=2**20).text) == 2**20


@pytest.mark.parametrize("packed", [True, False])
def test_the_cap_is_64_mib(vendor, reader, packed):
    body = b"[" + b" " * (responses.MAX_BODY_BYTES - 1) + b"]"
    vendor.answers(zipped(gzip.compress(body, 1)) if packed else Reply(body))
    with pytest.raises(BadAnswer, match="at most 64 MiB"):
        reader.get("/x")


def test_a_tls_failure_is_not_retried(vendor, make_reader):
    reader = make_reader(url=vendor.url.replace("http:", "https:"))
    with pytest.raises(Unreachable, match="no trusted TLS connection") as raised:
        reader.get("/x")
    assert reader.calls.made == 1
    assert_clean(raised.value)


# ---- what an error says ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (json.dumps({"status": 400, "body": "Items\n required"}), "answered 400: Items required"),
        (json.dumps({"message": "no"}), 'answered 400: {"message": "no"}'),
        ("plain text\x07", "answered 400: plain text"),
        (b"\xff", "answered 400: \ufffd"),
        ("", "answered 400"),
        ("x" * 5000, "answered 400: " + "x" * 200),
    ],
)
def test_the_error_repeats_the_vendors_message(vendor, reader, body, words):
    vendor.answers(Reply(body, status=400))
    with pytest.raises(Refused, match="^Aimsio: GET /x: " + re.escape(words) + r"\s*$"):
        reader.get("/x")


def test_the_error_leaves_out_credentials_in_the_vendors_message(vendor, reader):
    for echo in (ENCODED, PASSWORD, json.dumps({"body": f"{ENCODED} {PASSWORD}"}), json.dumps([PASSWORD, ENCODED])):
        vendor.answers(Reply(echo, status=400))
        with pytest.raises(Refused, match=r"\*\*\*") as raised:
            reader.get("/x")
        assert_clean(raised.value)
        assert "ss w" not in str(raised.value)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("no such page", "answered 400: no such page"),
        ("wrong type", "answered 400 (its message is left out: it may repeat a secret)"),
        ("a wrongly typed clerk", "answered 400 (its message is left out: it may repeat a secret)"),
    ],
)
def test_a_short_password_does_not_garble_the_vendors_message(vendor, make_reader, body, words):
    vendor.answers(Reply(body, status=400))
    with pytest.raises(Refused) as raised:
        make_reader(auth=HTTPBasicAuth(b"clerk", b"wrong")).get("/x")
    assert str(raised.value) == f"Aimsio: GET /x: {words}"


def assert_clean(error: ApiError) -> None:
    """One line, no secret, and no error of requests behind it, which would hold the signed request."""
    assert "\n" not in str(error)
    chain: list[BaseException] = [error]
    while behind := chain[-1].__cause__ or chain[-1].__context__:
        chain.append(behind)
    for link in chain:
        assert not isinstance(link, (requests.RequestException, urllib3.exceptions.HTTPError))
        for secret in (PASSWORD, ENCODED):
            assert secret not in f"{link!s} {link!r} {vars(link)}"


# ---- the cache -------------------------------------------------------------------------------------------------


def test_a_version_is_fetched_once(vendor, reader):
    vendor.answers(Reply({"n": 1}, headers={"Date": "Sat, 21 Nov 2026 04:00:00 GMT"}), Reply({"n": 2}))
    first, again = reader.get("/x", version="1"), reader.get("/x", version="1")
    assert (first.from_cache, again.from_cache) == (False, True)
    assert (first.text, first.date) == (again.text, again.date)
    assert reader.get("/x", version="2").text == '{"n": 2}'
    assert (reader.calls.made, reader.calls.cache_hits) == (2, 1)


def test_without_a_version_the_answer_is_live(vendor, reader):
    vendor.answers(Reply({"n": 1}), Reply({"n": 2}))
    reader.get("/x", version="1")
    assert reader.get("/x").text == '{"n": 2}'


def test_the_query_belongs_to_the_address(vendor, reader):
    reader.get("/x", {"a": 1}, version="1")
    reader.get("/x", {"a": 2}, version="1")
    assert len(vendor.seen) == 2


def test_an_answer_that_the_check_refuses_is_not_cached(vendor, reader):
    def refuse(text):
        raise BadAnswer("another record")

    with pytest.raises(BadAnswer, match="another record"):
        reader.get("/x", version="1", check=refuse)
    reader.get("/x", version="1", check=lambda text: False)
    assert reader.get("/x", version="1", check=lambda text: True).from_cache is False
    assert reader.get("/x", version="1", check=lambda text: True).from_cache is True


def test_a_cached_answer_is_checked_again(vendor, reader):
    vendor.answers(Reply({"n": 1}), Reply({"n": 2}))
    reader.get("/x", version="1")
    assert reader.get("/x", version="1", check=lambda answer: json.loads(answer.text)["n"] == 2).text == '{"n": 2}'
    assert reader.get("/x", version="1").text == '{"n": 2}'


def test_ten_threads_share_reader_and_cache(vendor, reader):
    vendor.answers(Reply({"n": 1}))
    with ThreadPoolExecutor(10) as threads:
        for _ in range(2):
            list(threads.map(lambda n: reader.get(f"/{n % 50}", version="1"), range(200)))
    assert reader.calls.made + reader.calls.cache_hits == 400
    assert reader.calls.cache_hits >= 200
    assert vendor.most_in_flight <= 10


# ---- the writer ------------------------------------------------------------------------------------------------


def test_a_write_on_the_wire(vendor, writer):
    vendor.answers(Reply('{"ok": true}'))
    answer = writer.send("PUT", "/x", {"price": 1, "name": "é"}, {"actor": "a+b@c.d"})
    writer.send("PUT", "/x", {})
    first, second = vendor.seen
    assert (first.method, first.target) == ("PUT", "/x?actor=a%2Bb%40c.d")
    assert first.body == b'{"price":1,"name":"\\u00e9"}'
    assert first.headers["content-type"] == "application/json"
    assert first.headers["connection"] == "close"
    assert first.headers["authorization"] == f"Basic {ENCODED}"
    assert first.connection != second.connection
    assert (answer.status, answer.text) == (200, '{"ok": true}')


def test_an_answer_may_have_no_body(vendor, writer):
    vendor.answers(Reply("", headers={"Content-Type": "text/plain"}))
    assert writer.send("PUT", "/x", {}).text == ""


SENT_ONCE = {**MAY_PASS, "slow": (Reply(delay=9.0), TimedOut), "drip": (drips(HEAD, b"X: 1\r\n", 9.0), TimedOut)} | {
    name: AT_ONCE[name] for name in ("301", "302", "307", "308", "400", "401", "404")
}


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("name", SENT_ONCE)
def test_a_change_is_sent_exactly_once(vendor, writer, name, method):
    failure, error = SENT_ONCE[name]
    vendor.answers(failure)
    with pytest.raises(error, match=f"^Aimsio: {method} /x: ") as raised:
        writer.send(method, "/x", {"a": 1})
    time.sleep(0.05)
    assert [(seen.method, seen.body) for seen in vendor.seen] == [(method, b'{"a":1}')]
    assert_clean(raised.value)


def test_a_body_that_cannot_be_written_exactly_is_not_sent(vendor, writer):
    with pytest.raises(ValueRefused, match="float"):
        writer.send("PUT", "/x", {"price": 862.5})
    assert vendor.seen == []


def test_reader_and_writer_share_one_rate_limit(vendor, make_reader, writer):
    vendor.answers(Reply(status=429, headers={"Retry-After": "1"}), Reply())
    with pytest.raises(Refused, match="429"):
        writer.send("PUT", "/x", {})
    make_reader().get("/x")
    assert vendor.seen[1].at - vendor.seen[0].at >= 1.0


# ---- pace ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_ten_a_second_on_the_wire(vendor, make_reader):
    reader = make_reader(rate=10)
    with ThreadPoolExecutor(10) as threads:
        list(threads.map(lambda n: reader.get(f"/{n}"), range(25)))
    arrived = sorted(seen.at for seen in vendor.seen)
    assert min(eleventh - first for first, eleventh in zip(arrived, arrived[10:], strict=False)) >= 1.0


def test_at_most_four_calls_in_flight_on_the_wire(vendor, make_reader):
    reader = make_reader(parallel=4)
    vendor.answers(Reply(delay=0.05))
    with ThreadPoolExecutor(10) as threads:
        list(threads.map(lambda n: reader.get(f"/{n}"), range(20)))
    assert vendor.most_in_flight == 4


# ---- TLS and proxy ---------------------------------------------------------------------------------------------


def test_the_session_keys_go_to_no_file(vendor, make_reader, tmp_path, monkeypatch):
    """SSLKEYLOGFILE makes the libraries write what decrypts the traffic, password included."""
    log = tmp_path / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(log))
    with pytest.raises(Unreachable):
        make_reader(url=vendor.url.replace("http:", "https:")).get("/x")
    assert not log.exists()
