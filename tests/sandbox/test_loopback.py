"""Only this machine's own names are answered: a web page must not reach the sandbox under a name of its own."""

import socket

import pytest

from .bodies import NRB
from .conftest import LIST


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]", "127.0.0.1:1", "localhost:8750", "[::1]:65535"]
)
@pytest.mark.parametrize("path", ["/openapi.json", "/limits", f"/aimsio{LIST}/{NRB}"])
def test_names_of_this_machine_are_answered_with_any_port(sandbox, host, path):
    auth = ("demo", "demo-password")
    assert sandbox.session.get(sandbox.address.root + path, headers={"Host": host}, auth=auth).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "localhost.evil.example", "evil.example:8750", "127.0.0.1.evil.example", "10.0.0.1"),
        *("127.0.0.1@evil.example", "localhost:x", "localhost:", "[::2]", "::1", "", "0.0.0.0"),
    ],
)
@pytest.mark.parametrize("path", ["/openapi.json", "/limits", f"/aimsio{LIST}", "/jobnimbus/api1/v2/invoices"])
def test_any_other_name_is_refused_in_one_line_before_anything_is_done(sandbox, host, path):
    answer = sandbox.session.get(sandbox.address.root + path, headers={"Host": host}, auth=("demo", "demo-password"))
    line = f"This sandbox answers requests for 127.0.0.1, localhost and [::1] only, not for {host!r}.\n"
    assert (answer.status_code, answer.text) == (421, line)
    assert sandbox.state.calls() == []


def test_a_name_with_control_characters_cannot_forge_a_line(sandbox):
    answer = sandbox.session.get(f"{sandbox.address.root}/limits", headers={"Host": "a\tb\u00e9".encode("latin-1")})
    assert (answer.status_code, answer.text.count("\n")) == (421, 1)
    assert answer.text.isascii()


def test_a_request_that_names_no_host_is_refused(sandbox):
    with socket.create_connection(("127.0.0.1", sandbox.address.port), timeout=20) as connection:
        connection.sendall(b"GET /limits HTTP/1.0\r\n\r\n")
        received = b""
        while portion := connection.recv(4096):
            received += portion
    assert b"421" in received.splitlines()[0]
    assert received.endswith(b"not for 0 Host headers.\n")
