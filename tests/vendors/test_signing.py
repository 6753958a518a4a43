"""Credentials sign a request and appear nowhere else, and an answer that repeats them is noticed."""

import base64
import copy
import html
import json
import pickle
from urllib.parse import quote

import pytest
import requests
from pydantic import SecretStr
from requests.structures import CaseInsensitiveDict

from auditkit.errors import BadAnswer, Refused
from auditkit.vendors.auth import BasicAuth, Credentials
from auditkit.vendors.jobnimbus import BearerAuth

from .conftest import PASSWORD, TOKEN, USERNAME
from .server import Reply

AUTHS = [BasicAuth(SecretStr(USERNAME), SecretStr(PASSWORD)), BearerAuth(SecretStr(TOKEN))]


def signed(auth) -> requests.PreparedRequest:
    return requests.Request("GET", "http://127.0.0.1/x", auth=auth).prepare()


def test_basic_is_utf_8():
    pair = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
    assert signed(AUTHS[0]).headers["Authorization"] == f"Basic {pair}"


@pytest.mark.parametrize("auth", AUTHS, ids=["basic", "bearer"])
def test_a_signature_shows_no_secret(auth):
    secret = signed(auth).headers["Authorization"].partition(" ")[2]
    assert secret not in f"{auth!r} {auth} {vars(auth)}"
    for write_down in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="credentials are not pickled or copied"):
            write_down(auth)


SPELLINGS = {
    "plain": str,
    "in other letters": lambda text: "".join(c.upper() if c.isascii() else c for c in text),
    "JSON": lambda text: json.dumps({"a": text}),
    "JSON escapes": lambda text: "".join(f"\\u{ord(c):04X}" for c in text),
    "JSON, slash quoted": lambda text: json.dumps(text).replace("/", "\\/"),
    "HTML": html.escape,
    "URL": lambda text: quote(text, safe=""),
    "hex": lambda text: text.encode().hex(),
    "base64": lambda text: base64.b64encode(b"around " + text.encode() + b" it").decode(),
    "base64, URL-safe": lambda text: base64.urlsafe_b64encode(text.encode() * 2).decode(),
    "base64 over lines": lambda text: base64.encodebytes(text.encode() * 9).decode(),
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("auth", AUTHS, ids=["basic", "bearer"])
def test_a_secret_is_found_in_every_spelling(auth, spelling):
    credentials = Credentials().including(signed(auth))
    text = f"so {spelling(PASSWORD if auth is AUTHS[0] else TOKEN)} it is"
    assert credentials.appear_in(text.encode())
    assert not credentials.appear_in(text.encode()[:7])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_a_secret_is_found_in_every_encoding(encoding):
    assert Credentials().including(signed(AUTHS[0])).appear_in(f"it is {PASSWORD}".encode(encoding))


def test_an_authorization_header_in_any_case_is_recognized():
    request = signed(None)
    request.headers = CaseInsensitiveDict({"aUTHORIZATION": f"BEARER {TOKEN}"})
    assert Credentials().including(request).appear_in(f"it was {TOKEN}".encode())


def test_a_short_password_may_be_a_word_of_the_data(vendor, make_reader):
    """Data that contain it are no leak; a message that does is left out whole, because a gap would reveal it."""
    reader = make_reader(auth=BasicAuth(SecretStr("ann"), SecretStr("wrong")))
    vendor.answers(Reply({"note": "something is wrong"}))
    assert "wrong" in reader.get("/x").text
    vendor.answers(Reply({"message": "that is wrong"}, 400))
    with pytest.raises(Refused, match=r"answered 400 \(its message is left out: it may repeat a secret\)$"):
        reader.get("/x")


def test_an_answer_with_the_secret_is_refused_and_not_kept(vendor, make_reader):
    reader = make_reader()
    vendor.answers(Reply({"note": PASSWORD}), Reply({"note": "none"}))
    with pytest.raises(BadAnswer, match=r"^Aimsio: GET /x: repeats the password or token, which others may read"):
        reader.get("/x", version="1")
    assert not reader.get("/x", version="1").from_cache


def test_the_other_vendors_secret_counts_too(vendor, make_reader):
    vendor.answers(Reply({"note": TOKEN}))
    assert TOKEN in make_reader().get("/x").text
    with pytest.raises(BadAnswer, match="repeats the password or token"):
        make_reader(credentials=Credentials(secrets=(SecretStr(TOKEN),))).get("/x")
