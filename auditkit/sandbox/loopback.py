"""Refuse requests whose Host header is not a name of this machine: a web page that resolves its own name to 127.0.0.1
could otherwise read and write here through the browser of whoever opens it.

Not here: credentials; that is `middleware.py`.
"""

import re

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["LoopbackHosts"]

_LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)


class LoopbackHosts:
    """ASGI middleware that answers 421 to a request for any other host than 127.0.0.1, localhost and [::1]."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with one line of text."""
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(hosts) == 1 and _LOOPBACK.fullmatch(hosts[0]):
            await self._app(scope, receive, send)
            return
        found = ascii(hosts[0]) if len(hosts) == 1 else f"{len(hosts)} Host headers"
        message = f"This sandbox answers requests for 127.0.0.1, localhost and [::1] only, not for {found}.\n"
        await PlainTextResponse(message, 421)(scope, receive, send)
