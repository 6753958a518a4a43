"""What happens to every call: credentials, the request log, and the refusal of what cannot be read."""

import hashlib

import pytest

from .bodies import INVOICE, NRB
from .conftest import INVOICES, LIST, SAVE


@pytest.mark.parametrize("auth", [None, ("demo", "wrong"), ("other", "demo-password"), ("", "")])
def test_aimsio_requires_the_user_and_the_password(sandbox, auth):
    answer = sandbox.aimsio("GET", LIST, auth=auth)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert answer.json()["status"] == 401


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic \u00e9", "bearer demo-token", "demo:demo-password"])
def test_aimsio_refuses_an_invalid_basic_header(sandbox, header):
    answer = sandbox.aimsio("GET", LIST, auth=None, headers={"Authorization": header.encode("latin-1")})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("bearer demo-token", 200),
        ("Bearer demo-token", 200),
        ("BEARER demo-token", 200),
        ("bearer wrong", 401),
        ("demo-token", 401),
        ("Basic demo-token", 401),
        ("bearer", 401),
    ],
)
def test_jobnimbus_requires_the_token_in_any_letter_case_of_the_scheme(sandbox, header, status):
    assert sandbox.jobnimbus("GET", headers={"Authorization": header}).status_code == status


def test_jobnimbus_requires_a_header(sandbox):
    assert sandbox.jobnimbus("GET", headers={}).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", f"{LIST}/unknown", 404),
        ("GET", f"{LIST}/", 404),
        ("GET", SAVE, 405),
        ("DELETE", f"{LIST}/{NRB}", 405),
        ("HEAD", f"{LIST}/{NRB}", 200),
    ],
)
def test_aimsio_answers_only_documented_operations(sandbox, method, path, status):
    answer = sandbox.aimsio(method, path)
    assert answer.status_code == status
    assert status == 200 or answer.json()["status"] == status


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/unknown", 404), ("PUT", "/unknown", 404), ("PUT", "", 405), ("DELETE", f"/{INVOICE}", 405)],
)
def test_jobnimbus_answers_only_documented_operations(sandbox, method, path, status):
    answer = sandbox.jobnimbus(method, path, json={} if method == "PUT" else None)
    assert (answer.status_code, answer.json()["status"]) == (status, status)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"nrbList": []}', "application/json; charset=utf-8", 200),
        (b'{"nrbList": []}', "text/plain", 415),
        (b'{"nrbList": []}', "", 415),
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"{}", "application/json", 400),
        (b'{"nrbList": [1]}', "application/json", 400),
        (b'{"nrbList": [{"nrbRate": "1,000.00"}]}', "application/json", 400),
        (b'{"nrbList": [{"nrbRate": true}]}', "application/json", 400),
        (b'{"nrbList": [{"nrbRate": 1e13}]}', "application/json", 400),
        (b'{"nrbList": [{"nrbAccountType": "Perhaps"}]}', "application/json", 400),
        (b" " * (16 * 2**20 + 1), "application/json", 413),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_whole(sandbox, body, kind, status):
    answer = sandbox.aimsio("POST", SAVE, data=body, headers={"Content-Type": kind})
    assert answer.status_code == status, answer.text


def test_every_call_is_in_the_request_log_with_its_status(sandbox):
    body = b'{"is_active": false}'
    headers = {"Authorization": "bearer demo-token", "Content-Type": "application/json"}
    sandbox.aimsio("GET", LIST, auth=None)
    sandbox.aimsio("GET", f"{LIST}/{NRB}")
    sandbox.jobnimbus("PUT", f"/{INVOICE}", params={"actor": "a@b.example"}, data=body, headers=headers)
    calls = [(c.vendor, c.method, c.path, c.query, c.body_sha256, c.status) for c in sandbox.state.calls()]
    digest = hashlib.sha256(body).hexdigest()
    assert calls == [
        ("aimsio", "GET", LIST, "", None, 401),
        ("aimsio", "GET", f"{LIST}/{NRB}", "", None, 200),
        ("jobnimbus", "PUT", f"{INVOICES}/{INVOICE}", "actor=a%40b.example", digest, 200),
    ]
