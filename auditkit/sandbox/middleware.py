"""The steps of every call to a vendor around its handler: log, authenticate, queue, answer, log the status.

1. The body is read whole, up to 16 MiB.
2. The call is written to the request log, so that no received call is missing there.
3. Its credentials are checked (401).
4. It waits for a slot of the rate limit.
5. The vendor's own routes answer it; their refusals get the vendor's error body.
6. The status is written to the log and the slot released, then the answer is sent.

Not here: differences between the vendors; they are fields of `Vendor`.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import Message, Receive, Scope, Send

from auditkit.sandbox.clock import Clock, milliseconds
from auditkit.sandbox.error_bodies import Refusal
from auditkit.sandbox.json_schema import Schema, mistake
from auditkit.sandbox.limits import Gate
from auditkit.sandbox.state import Call, State
from auditkit.sandbox.wire import Json, dumps, loads

__all__ = [
    "Credentials",
    "Vendor",
    "VendorMiddleware",
    "basic",
    "bearer",
    "body_of",
    "call_number",
    "json_answer",
    "route",
]

Handler = Callable[[Request], Awaitable[Response]]

_MOST_BYTES = 16 * 2**20
_BODY, _NUMBER = "sandbox.body", "sandbox.call"


@dataclass(frozen=True)
class Credentials:
    """Who may call. The defaults are public and protect nothing: the data is invented and the server is on loopback."""

    username: str = "demo"
    password: str = "demo-password"  # noqa: S105 — public on purpose, see above
    token: str = "demo-token"  # noqa: S105 — public on purpose, see above


@dataclass(frozen=True)
class Vendor:
    """What differs between the vendors: name, routes, who may call, and the body of an error."""

    name: str
    routes: Router
    is_allowed: Callable[[str], bool]
    challenge: str
    error: Callable[[int, str], Mapping[str, Any]]


class VendorMiddleware:
    """The ASGI application of one vendor."""

    def __init__(self, vendor: Vendor, gate: Gate, state: State, clock: Clock) -> None:
        self._vendor = vendor
        self._gate = gate
        self._state = state
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call; see the module's docstring."""
        headers = dict(scope["headers"])
        body = await _read(receive)
        number = self._state.log_call(self._call(scope, body))

        held: list[Message] = []

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._state.log_status(number, message["status"])
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                held.append(message)  # sent only once the slot is free again, because the client may call at once
            else:
                await send(message)

        try:
            if body is None:
                raise Refusal(413, f"the body is larger than {_MOST_BYTES} bytes")
            if not self._vendor.is_allowed(headers.get(b"authorization", b"").decode("latin-1")):
                challenge = {"WWW-Authenticate": self._vendor.challenge}
                raise Refusal(401, "the credentials are missing or wrong", challenge)
            async with self._gate.slot():
                await self._vendor.routes({**scope, _BODY: body, _NUMBER: number}, receive, answer)
        except Refusal as refusal:
            await self._refuse(refusal)(scope, receive, answer)
        except HTTPException as missed:  # no such path, or not with this method
            await self._refuse(Refusal(missed.status_code, missed.detail, missed.headers))(scope, receive, answer)
        for message in held:
            await send(message)

    def _call(self, scope: Scope, body: bytes | None) -> Call:
        path = scope["raw_path"].decode("ascii").removeprefix(scope["root_path"])
        digest = hashlib.sha256(body).hexdigest() if body else None
        now = milliseconds(self._clock())
        return Call(
            now, self._vendor.name, scope["method"], path, scope["query_string"].decode("latin-1"), digest, None
        )

    def _refuse(self, refusal: Refusal) -> Response:
        body = self._vendor.error(refusal.status, refusal.message)
        return json_answer(dumps(body), refusal.status, refusal.headers)


def json_answer(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer whose body is this JSON text."""
    return Response(text, status, headers, media_type="application/json")


def route(path: str, **handlers: Handler) -> Route:
    """One route for all methods of a path, so that a 405 names them all."""

    async def answer(request: Request) -> Response:
        return await handlers["GET" if request.method == "HEAD" else request.method](request)

    return Route(path, answer, methods=list(handlers))


def body_of(request: Request, schema: Schema) -> Json:
    """The request's JSON body. Raises `Refusal`: 415 for another media type, 400 for what does not fit."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refusal(415, "expected Content-Type: application/json")
    try:
        value = loads(request.scope[_BODY])
    except ValueError as error:
        raise Refusal(400, f"the body is not JSON: {error}") from None
    if found := mistake(value, schema, "body"):
        raise Refusal(400, found)
    return value


def call_number(request: Request) -> int:
    """The call's number in the request log, for what must differ between calls and still be repeatable."""
    number: int = request.scope[_NUMBER]
    return number


def basic(credentials: Credentials) -> Callable[[str], bool]:
    """A test of an `Authorization` header: HTTP Basic with this user name and password."""
    wanted = f"{credentials.username}:{credentials.password}".encode()

    def is_allowed(header: str) -> bool:
        scheme, _, value = header.partition(" ")
        try:
            found = base64.b64decode(value.strip(), validate=True)
        except (binascii.Error, ValueError):
            return False
        return scheme.lower() == "basic" and hmac.compare_digest(found, wanted)

    return is_allowed


def bearer(credentials: Credentials) -> Callable[[str], bool]:
    """A test of an `Authorization` header: `bearer` in any letter case, with this token."""
    wanted = credentials.token.encode()

    def is_allowed(header: str) -> bool:
        scheme, _, value = header.partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(value.strip().encode(), wanted)

    return is_allowed


async def _read(receive: Receive) -> bytes | None:
    """The whole body, or None if it is too large; what follows the limit is read and dropped."""
    portions, length, more = list[bytes](), 0, True
    while more:
        message = await receive()
        more = message.get("more_body", False)
        portion = message.get("body", b"")
        length += len(portion)
        if length <= _MOST_BYTES:
            portions.append(portion)
    return b"".join(portions) if length <= _MOST_BYTES else None
