"""Credentials in requests, and the search for them in answers.

A `Signature` signs a request and appears nowhere else: not in a repr, not in `vars`, and it cannot be pickled. Answers
are searched for credentials in any spelling (`Credentials`), because a server's error page may repeat a request.

Not here: where credentials come from (`settings`), and what becomes of an answer that repeats them (`http`).
"""

import base64
import html
import json
import re
from dataclasses import dataclass, replace
from typing import NoReturn, Self
from urllib.parse import quote, quote_plus, unquote_to_bytes

import requests
import requests.auth
from pydantic import SecretStr

__all__ = ["BasicAuth", "Credentials", "Signature"]

_SHORTEST = 8  # shorter secrets may be words of the data
_SHORTEST_ENCODED = 6  # in base64 or hex, shorter ones turn up by chance
_FILLER = b"\0\t\n\r \\"  # what UTF-16, line breaks and quoting put between the characters
_JSON_ESCAPE = re.compile(rb"\\u([0-9a-fA-F]{4})")


class Signature(requests.auth.AuthBase):
    """`Authorization: <scheme> <credential>` on each request."""

    def __init__(self, scheme: str, credential: SecretStr) -> None:
        self._scheme = scheme
        self._credential = credential

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign a request."""
        request.headers["Authorization"] = f"{self._scheme} {self._credential.get_secret_value()}"
        return request

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials are not pickled or copied; make a new client from the settings")


class BasicAuth(Signature):
    """HTTP Basic in UTF-8: requests' own encodes text in latin-1 and fails on a password beyond it."""

    def __init__(self, username: SecretStr, password: SecretStr) -> None:
        pair = f"{username.get_secret_value()}:{password.get_secret_value()}"
        super().__init__("Basic", SecretStr(base64.b64encode(pair.encode()).decode()))


@dataclass(frozen=True)
class Credentials:
    """What no file or message may repeat from an answer: the secrets of an account, and its user names."""

    users: tuple[SecretStr, ...] = ()
    secrets: tuple[SecretStr, ...] = ()

    def including(self, request: requests.PreparedRequest) -> Self:
        """These, and those in a request's `Authorization` header."""
        scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return replace(self, secrets=(*self.secrets, SecretStr(credential)))
        pair = base64.b64decode(credential).decode("utf-8")
        user, _, password = pair.partition(":")
        secrets = (*self.secrets, *map(SecretStr, (credential, pair, password)))
        return replace(self, users=(*self.users, SecretStr(user)), secrets=secrets)

    def appear_in(self, data: bytes) -> bool:
        """Whether data contain a secret in any spelling: plain, quoted, escaped, UTF-16, hexadecimal, base64.

        A secret of fewer than 8 characters is not searched for: it may be a word of the data.
        """
        return _contains(data, [secret.get_secret_value() for secret in self.secrets if len(secret) >= _SHORTEST])

    def redacted(self, data: bytes) -> bytes | None:
        """Data for an error's text with `***` for a long secret or user name; None if that is not enough.

        A short secret may be an everyday word ("wrong"): cutting it out would garble the text and reveal what was cut.
        """
        secrets = [secret.get_secret_value() for secret in self.secrets if secret]
        users = [user.get_secret_value() for user in self.users]
        long = [name for name in (*secrets, *users) if len(name) >= _SHORTEST]
        for spelling in sorted({each for name in long for each in _plain_spellings(name)}, key=len, reverse=True):
            data = data.replace(spelling, b"***")
        return None if _contains(data, [*secrets, *long]) else data


def _plain_spellings(name: str) -> set[bytes]:
    quoted = json.dumps(name)[1:-1]
    spellings = {name, quoted, json.dumps(name, ensure_ascii=False)[1:-1], quote(name, safe=""), html.escape(name)}
    return {spelling.encode() for spelling in spellings}


def _contains(data: bytes, names: list[str]) -> bool:
    needles = {needle for name in names for needle in _needles(name)}
    return any(needle in view for view in _views(data) for needle in needles)


def _needles(name: str) -> set[bytes]:
    raw = name.encode()
    needles = {raw, name.encode("latin-1", "replace"), name.encode("utf-16-le"), name.encode("utf-16-be")}
    needles |= {needle.translate(None, _FILLER) for needle in needles} - {b""}
    needles |= {quote(name, safe="").encode(), quote_plus(name).encode()}
    if len(name) >= _SHORTEST_ENCODED:
        needles |= {raw.hex().encode(), *(_inner_base64(raw, before) for before in range(3))}
    return {needle.lower() for needle in needles}


def _inner_base64(raw: bytes, before: int) -> bytes:
    """The base64 of `raw` that does not depend on its neighbors, with `before` bytes of its group in front of it."""
    encoded = base64.b64encode(b"\0" * before + raw).rstrip(b"=")
    is_open = (before + len(raw)) % 3 > 0
    return encoded[(0, 2, 3)[before] : -1 if is_open else None]


def _views(data: bytes) -> list[bytes]:
    """Data in lower case, plain and with each kind of escape undone; URL-safe base64 as the usual one."""
    views = [data]
    if b"%" in data:
        views.append(unquote_to_bytes(data))
    if b"\\u" in data:
        views.append(_JSON_ESCAPE.sub(lambda found: chr(int(found[1], 16)).encode("utf-8", "replace"), data))
    if b"&" in data:
        views.append(html.unescape(data.decode("utf-8", "replace")).encode("utf-8", "replace"))
    views += [view.translate(None, _FILLER) for view in views]
    views.append(data.translate(None, _FILLER).replace(b"-", b"+").replace(b"_", b"/"))
    return [view.lower() for view in views]
