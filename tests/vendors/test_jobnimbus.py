import contextlib
import json
from decimal import Decimal

import pytest
from pydantic import SecretStr

from auditkit.errors import BadAnswer, NotThere, Refused, SettingsError, ValueRefused
from auditkit.vendors.jobnimbus import NEEDED_KEYS, BearerAuth, JobNimbusClient, Page

from .conftest import TOKEN
from .server import Reply

INVOICES = "/api1/v2/invoices"
NEW = {
    "type": "invoice",
    "status": 1,
    "is_active": True,
    "related": [{"id": "JOB_1", "type": "job"}],
    "items": [{"name": "Services", "quantity": 1, "price": Decimal("862.50")}],
}


@pytest.fixture
def client(settings):
    opened = JobNimbusClient.from_settings(settings())
    yield opened
    opened.close()


@pytest.fixture
def acting(settings):
    opened = JobNimbusClient.from_settings(settings(jobnimbus_actor="a+b@c.d"))
    yield opened
    opened.close()


# ---- pages -----------------------------------------------------------------------------------------------------


def test_a_page_on_the_wire(vendor, settings):
    vendor.answers(Reply({"count": 0, "results": []}))
    client = JobNimbusClient.from_settings(settings(jobnimbus_url=f"{vendor.url}/prefix", jobnimbus_actor="a@b.c"))
    client.page(0)
    client.page(999, 1000, {"must": [{"range": {"date_created": {"gte": 1683781200}}}]})
    first, second = vendor.seen
    assert (first.method, first.target, first.body) == ("GET", f"/prefix{INVOICES}?from=0&size=1000", b"")
    assert first.headers["authorization"] == f"bearer {TOKEN}"
    assert second.target.startswith(f"/prefix{INVOICES}?from=999&size=1000&filter=%7B%22must%22%3A%5B%7B%22range%22")


def test_a_page_is_live_and_holds_the_exact_text_of_its_rows(vendor, client):
    text = '{"count": 2, "results": [ {"jnid":"b",  "total": 15438.90}, {"total": 10000, "jnid": "a"}], "more": 1}'
    vendor.answers(Reply(text), Reply({"results": []}))
    rows = [("b", '{"jnid":"b",  "total": 15438.90}'), ("a", '{"total": 10000, "jnid": "a"}')]
    assert client.page(0, 2) == Page(2, rows, lacking=frozenset("ab"))
    assert client.page(0, 2) == Page(None, [])


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({}, "expected an array under 'results'"),
        ([], "expected an array under 'results'"),
        ("null", "expected an array under 'results'"),
        ('"ok"', "expected an array under 'results'"),
        ({"count": 0}, "expected an array under 'results'"),
        ({"count": 0, "results": None}, "expected an array under 'results'"),
        ({"count": "1", "results": []}, "count: expected a whole number"),
        ({"count": True, "results": []}, "count: expected a whole number"),
        ({"count": -1, "results": []}, "count: expected a whole number"),
        ({"count": 1, "results": [{}, {}]}, "row 0: jnid"),
        ({"count": 1, "results": [{"jnid": 7}]}, "row 0: jnid"),
        ({"count": 1, "results": [{"jnid": "half \ud800"}]}, "row 0: jnid"),
        ({"count": 1, "results": [None]}, "row 0: jnid"),
    ],
)
def test_any_other_shape_is_an_error_never_an_empty_page(vendor, client, body, found):
    vendor.answers(Reply(body))
    with pytest.raises(BadAnswer, match=f"^JobNimbus: GET {INVOICES}") as refused:
        client.page(0)
    assert found in str(refused.value)


def test_an_invalid_page_is_not_cached(vendor, settings):
    vendor.answers(Reply({"count": 1, "results": [{"jnid": "a"}]}), Reply({"count": 0}))
    with contextlib.closing(JobNimbusClient.from_settings(settings())) as client:
        client.page(0)
        with pytest.raises(BadAnswer):
            client.page(0)
    with contextlib.closing(JobNimbusClient.from_settings(settings(), offline=True)) as client:
        assert client.page(0).rows == [("a", '{"jnid": "a"}')]


@pytest.mark.parametrize(
    ("row", "jnid", "problem"),
    [
        (b"{}", "(row 44136fa355b3)", "row 1: jnid: expected a text, found None"),
        (b'{"jnid": "b", "total": NaN}', "b", "row 1: expected a number, found NaN, which JSON does not have"),
        (
            b'{"jnid": "b", "a": 1, "a": 2}',
            "b",
            "row 1: expected each key once, found 'a' more than once",
        ),
        (b'{"jnid": "b", "note": "caf\xe9"}', "b", "row 1: expected UTF-8, found another byte at 26"),
    ],
)
def test_a_bad_row_does_not_spoil_its_page(vendor, client, row, jnid, problem):
    vendor.answers(Reply(b'{"count": 3, "results": [{"jnid": "a"},' + row + b',{"jnid": "c"}]}'))
    page = client.page(0)
    assert [identifier for identifier, _ in page.rows] == ["a", jnid, "c"]
    assert list(page.problems) == [jnid] and page.problems[jnid].startswith(problem)


def test_a_row_without_a_required_key_is_named(vendor, client):
    whole = {"jnid": "a", **dict.fromkeys(NEEDED_KEYS)}
    rows = [
        whole,
        *({name: value for name, value in whole.items() if name != key} | {"jnid": key} for key in NEEDED_KEYS),
    ]
    vendor.answers(Reply({"results": rows}))
    assert client.page(0).lacking == set(NEEDED_KEYS)


def test_a_whole_invoice_has_every_required_key(vendor, client):
    vendor.answers(Reply({"jnid": "a", "items": [], "related": [], "is_active": True}))
    with pytest.raises(BadAnswer, match=f"^JobNimbus: GET {INVOICES}/a: expected status, found none"):
        client.whole_invoice("a")


# ---- one invoice -----------------------------------------------------------------------------------------------


def test_one_invoice_on_the_wire_and_always_live(vendor, client):
    text = '{ "jnid": "a/b",  "total": 10.10 }'
    vendor.answers(Reply(text))
    assert client.invoice("a/b") == client.invoice("a/b") == text
    assert vendor.targets() == [f"{INVOICES}/a%2Fb"] * 2
    assert vendor.seen[0].headers["authorization"] == f"bearer {TOKEN}"


@pytest.mark.parametrize("body", [{"jnid": "other"}, {}, [], "null", {"results": [{"jnid": "a"}]}])
def test_another_record_is_a_bad_answer(vendor, client, body):
    vendor.answers(Reply(body))
    with pytest.raises(BadAnswer, match=f"^JobNimbus: GET {INVOICES}/a: expected an invoice with this jnid"):
        client.invoice("a")


def test_not_there(vendor, client):
    vendor.answers(Reply("", status=404))
    with pytest.raises(NotThere, match=f"{INVOICES}/a: answered 404"):
        client.invoice("a")


# ---- changes ---------------------------------------------------------------------------------------------------


def test_a_create_on_the_wire(vendor, acting):
    vendor.answers(Reply({"jnid": "new"}))
    assert acting.create_invoice(NEW).text == '{"jnid": "new"}'
    [seen] = vendor.seen
    assert (seen.method, seen.target) == ("POST", f"{INVOICES}?actor=a%2Bb%40c.d")
    assert seen.headers["authorization"] == f"bearer {TOKEN}"
    assert seen.headers["content-type"] == "application/json"
    assert seen.body.decode() == (
        '{"type":"invoice","status":1,"is_active":true,"related":[{"id":"JOB_1","type":"job"}],'
        '"items":[{"name":"Services","quantity":1,"price":862.50}]}'
    )


def test_an_update_on_the_wire(vendor, acting):
    vendor.answers(Reply(""))
    answer = acting.update_invoice("a/b", {"items": [{"price": Decimal("-349.52")}], "note": None})
    [seen] = vendor.seen
    assert (seen.method, seen.target) == ("PUT", f"{INVOICES}/a%2Fb?actor=a%2Bb%40c.d")
    assert seen.body == b'{"jnid":"a/b","items":[{"price":-349.52}],"note":null}'
    assert seen.headers["authorization"] == f"bearer {TOKEN}"
    assert (answer.status, answer.text) == (200, "")


def test_a_delete_on_the_wire(vendor, client):
    client.update_invoice("a", {"is_active": False})
    [seen] = vendor.seen
    assert (seen.method, seen.target, seen.body) == ("PUT", f"{INVOICES}/a", b'{"jnid":"a","is_active":false}')


@pytest.mark.parametrize("changes", [{"jnid": "other"}, {"total": 1}, {"no_such_field": 1}])
def test_a_field_that_cannot_be_changed_is_not_sent(vendor, client, changes):
    with pytest.raises(ValueRefused, match=f"^JobNimbus invoice: {next(iter(changes))}"):
        client.update_invoice("a", changes)
    assert vendor.seen == []


def test_a_refused_update_is_sent_once(vendor, client):
    vendor.answers(Reply({"status": 500, "body": "Items required"}, status=500))
    with pytest.raises(Refused, match=rf"^JobNimbus: PUT {INVOICES}/a: answered 500: Items required"):
        client.update_invoice("a", {"number": "1"})
    assert len(vendor.seen) == 1


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "é"])
def test_a_token_that_no_header_can_carry_is_refused_without_showing_it(token):
    with pytest.raises(SettingsError, match="AUDITKIT_JOBNIMBUS_TOKEN") as refused:
        BearerAuth(SecretStr(token))
    assert not token or token not in str(refused.value)


def test_the_token_is_not_in_the_repr():
    assert TOKEN not in repr(BearerAuth(SecretStr(TOKEN)))


def test_settings_without_an_account_raise_an_error(settings):
    with pytest.raises(SettingsError, match="AUDITKIT_JOBNIMBUS_URL"):
        JobNimbusClient.from_settings(settings().model_copy(update={"jobnimbus_token": None}))


def test_two_clients_have_separate_files(settings, tmp_path):
    from auditkit.vendors.aimsio import AimsioClient

    for opened in (AimsioClient.from_settings(settings()), JobNimbusClient.from_settings(settings())):
        opened.close()
    names = sorted(path.name for path in (tmp_path / "home" / "cache").iterdir())
    digests = {name.partition("-")[2].partition(".")[0] for name in names}
    assert [name.partition("-")[0] + "." + name.rpartition(".")[2] for name in names] == [
        "aimsio.pace",
        "aimsio.sqlite",
        "jobnimbus.pace",
        "jobnimbus.sqlite",
    ]
    assert len(digests) == 2
    assert json.dumps(names).count("127.0.0.1") == 0
