"""A sandbox for each test, with the switches of the test, over real HTTP; bodies are strict by default."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from starlette.types import ASGIApp, Receive, Scope, Send

from auditkit.sandbox.app import create_app
from auditkit.sandbox.behaviors import Behaviors
from auditkit.sandbox.clock import Clock, system_clock
from auditkit.sandbox.server import Address, in_thread
from auditkit.sandbox.state import State

from . import bodies

UNLIMITED = {"rate_per_second": 0, "parallel": 0, "bodies": "strict"}
LIST = "/rest/api/standard/v1/NonRecurringBillableItem"
SAVE = "/rest/api/standard/v1/NRB"
INVOICES = "/api1/v2/invoices"


@dataclass(frozen=True)
class Sandbox:
    """A running server and its state file."""

    address: Address
    state: State
    session: requests.Session

    def aimsio(self, method: str, path: str, **options: Any) -> requests.Response:
        options = {"auth": ("demo", "demo-password"), "timeout": 20} | options
        return self.session.request(method, self.address.aimsio_url + path, **options)

    def jobnimbus(self, method: str, path: str = "", **options: Any) -> requests.Response:
        options = {"headers": {"Authorization": "bearer demo-token"}, "timeout": 20} | options
        return self.session.request(method, self.address.jobnimbus_url + INVOICES + path, **options)

    def nrb(self, guid: str) -> dict[str, Any]:
        return self.aimsio("GET", f"{LIST}/{guid}").json()

    def save(self, *nrbs: dict[str, Any]) -> dict[str, Any]:
        answer = self.aimsio("POST", SAVE, json={"nrbList": list(nrbs)})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def invoice(self, jnid: str = bodies.INVOICE) -> dict[str, Any]:
        return self.jobnimbus("GET", f"/{jnid}").json()

    def page(self, **parameters: Any) -> dict[str, Any]:
        return self.jobnimbus("GET", params=parameters).json()


MakeSandbox = Callable[..., Sandbox]


class Socket:
    """One listening server for many tests, each with an application of its own."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def socket() -> Iterator[tuple[Socket, Address]]:
    current = Socket()
    with in_thread(current) as address:
        yield current, address


@pytest.fixture
def make_sandbox(tmp_path, socket) -> Iterator[MakeSandbox]:
    """Call it with switches (without limits by default) and, if needed, a clock and other records."""
    with ExitStack() as stack:

        def make(*, clock: Clock = system_clock, nrbs=None, invoices=None, **switches: Any) -> Sandbox:
            state = stack.enter_context(State(tmp_path / "state.sqlite"))
            if state.is_empty():
                state.fill(bodies.nrbs() if nrbs is None else nrbs, bodies.invoices() if invoices is None else invoices)
            current, address = socket
            current.app = create_app(state, Behaviors(**UNLIMITED | switches), clock=clock)
            session = stack.enter_context(requests.Session())
            session.trust_env = False
            return Sandbox(address, state, session)

        yield make


@pytest.fixture
def sandbox(make_sandbox) -> Sandbox:
    return make_sandbox()
