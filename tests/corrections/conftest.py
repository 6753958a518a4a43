"""An account at a sandbox that fails on demand, clients with a short deadline, and a journal."""

import asyncio
import json
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from requests.auth import HTTPBasicAuth

from auditkit.corrections.apply import Outcome, apply, recover
from auditkit.corrections.approval import Approver, approve, prepare
from auditkit.corrections.identity import Identities
from auditkit.corrections.lookup import Clients
from auditkit.corrections.operations.registry import OPERATIONS
from auditkit.corrections.plan import LIFETIME, Change, FieldChange, Plan, plan_value
from auditkit.journal import Journal
from auditkit.sandbox.app import create_app
from auditkit.sandbox.behaviors import Behaviors
from auditkit.sandbox.server import Address, in_thread
from auditkit.sandbox.state import State
from auditkit.settings import AccountKey
from auditkit.vendors import transport
from auditkit.vendors.aimsio import AimsioClient
from auditkit.vendors.jobnimbus import BearerAuth, JobNimbusClient
from auditkit.vendors.strict_json import parse
from tests.readers import connected

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)
# What a correction that creates an NRB of 300.00 gives, without its key.
NEW_NRB = {
    "nrbJobOrderNumber": "JOB1",
    "nrbTypeName": "Other",
    "nrbAccountType": "Billable",
    "nrbIsBillable": True,
    "nrbVendorCode": "BIT",
    "nrbRate": "100.00",
    "nrbQuantity": "3",
}
DEADLINE_SECONDS = 0.4
ACCOUNT = AccountKey("test", "clerk")
ONE, TWO, PARENT, CHILD = (f"00000000-0000-4000-8000-00000000000{digit}" for digit in range(4))


def nrb(guid: str, **changes: Any) -> dict[str, Any]:
    return {
        "nrbGuid": guid,
        "nrbExternalId": f"EXT-{guid[-1]}",
        "nrbOriginReference": f"REF-{guid[-1]}",
        "nrbJobOrderNumber": "JOB1",
        "nrbWBSGuid": "wbs-guid",
        "nrbWBSSharedIdentifier": "JOB1-01.01",
        "nrbName": None,
        "nrbTypeName": "Other",
        "nrbTypeUname": "other_nrb_type",
        "nrbDocumentType": None,
        "nrbAccountType": "Billable",
        "nrbIsBillable": True,
        "nrbVendorCode": "BIT",
        "nrbVendorGuid": "vendor-guid",
        "nrbInvoiceDate": 1_743_503_400_000,
        "nrbRate": "750.000",
        "nrbQuantity": "1.000",
        "nrbVendorTax": "37.500",
        "nrbUpcharge": "10.000",
        "nrbMarkupAppliesOn": "SUB_TOTAL",
        "nrbTotalAfterMarkup": "862.50",
        "nrbIsExported": False,
        "isInternal": False,
        "nrbBilledInGuid": None,
        "nrbNotes": "Purchased field software",
        "nrbLineItems": [{}],
        "nrbCreatedAt": 1_747_849_689_000,
        "nrbUpdatedAt": 1_747_851_986_000,
        **changes,
    }


def nrbs() -> list[dict[str, Any]]:
    child = nrb(CHILD, nrbParentGuid=PARENT, nrbDocumentType="RECEIPT_BOL")
    parent = nrb(PARENT, nrbDocumentType="RECEIPT_AP_INVOICE", nrbChildren=[child])
    return [nrb(ONE), nrb(TWO, nrbIsExported=None), parent, child]


INVOICE = "invoice-1"


def item(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "jnid": f"line-{number}",
        "name": "Crane hire",
        "description": f"BIT / REF EXT-{number}",
        "quantity": 1,
        "price": 862.5,
        "amount": 862.5,
        "item_type": "material",
        "labor": {"price": 0, "amount": 0},
        **changes,
    }


def invoice(jnid: str = INVOICE, **changes: Any) -> dict[str, Any]:
    return {
        "jnid": jnid,
        "type": "invoice",
        "guid": f"GUID-{jnid}",
        "external_id": None,
        "number": "1001",
        "status": 1,
        "status_name": "Draft",
        "is_active": True,
        "is_archived": False,
        "related": [{"id": "job-1", "type": "job", "number": "JOB1", "name": "Client / JOB1"}],
        "items": [item(1), item(2)],
        "subtotal": 1725,
        "tax": 86.25,
        "total": 1811.25,
        "total_paid": 0,
        "due": 1811.25,
        "note": "",
        "date_created": 1_747_849_689,
        "date_updated": 1_747_851_986,
        "date_invoice": 1_747_803_600,
        **changes,
    }


class Killed(BaseException):
    """Simulates the end of the process: nothing of ours catches it."""


class FaultyServer:
    """The sandbox behind a proxy that fails on demand: one entry of `posts` or `gets` for each request, in order.

    A write is a POST or a PUT.

    `lost` never arrives, `answer lost` is applied and not answered, a dict is answered with status 200 and not
    applied, a number is answered as that status; `pass` is let through, and so is everything after the last entry.
    """

    def __init__(self, app: Any) -> None:
        self.app = app
        self.posts: deque[Any] = deque()
        self.gets: deque[Any] = deque()
        self.posts_seen = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        is_post = scope["method"] in ("POST", "PUT")
        self.posts_seen += is_post
        faults = self.posts if is_post else self.gets
        fault = faults.popleft() if faults else "pass"
        if fault == "pass":
            await self.app(scope, receive, send)
        elif fault == "lost":
            await asyncio.sleep(DEADLINE_SECONDS * 2)
            await answer(send, 503, {})
        elif fault == "answer lost":
            await self.app(scope, receive, swallow)
            await asyncio.sleep(DEADLINE_SECONDS * 2)
            await answer(send, 503, {})
        elif isinstance(fault, dict):
            await answer(send, 200, fault)
        else:
            await answer(send, fault, {})


async def swallow(_: Any) -> None:
    pass


async def answer(send: Any, status: int, body: Any) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


class Relay:
    """Forwards the server's requests to `app`, which each test replaces."""

    app: Any

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


@dataclass
class World:
    """The account, and everything that a person needs to correct it."""

    state: State
    faulty: FaultyServer
    clients: Clients
    journal_path: Path
    identities: Identities
    signed: dict[str, Plan | None] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)
    now: datetime = NOON

    @property
    def journal(self) -> Journal:
        return Journal(self.journal_path, clock=lambda: self.now)

    def nrb(self, guid: str) -> dict[str, Any]:
        return json.loads(self.state.nrb_text(guid) or "null")

    def edit_by_hand(self, guid: str, **changes: Any) -> None:
        """Somebody else changes an NRB in Aimsio's own screens."""
        stored = self.nrb(guid)
        self.state.put_nrb({**stored, **changes, "nrbUpdatedAt": stored["nrbUpdatedAt"] + 1000})

    @property
    def aimsio(self) -> AimsioClient:
        return self.clients.aimsio

    def invoice(self, jnid: str = INVOICE) -> dict[str, Any]:
        return json.loads(self.state.invoice_text(jnid) or "null")

    def edit(self, operation: str, object_id: str, **values: Any) -> Change:
        """A change of an object as the vendor has it now."""
        image = self.clients.read(OPERATIONS[operation], object_id)
        before = parse(image, object_id)
        fields = (FieldChange(name, plan_value(before.get(name)), plan_value(value)) for name, value in values.items())
        return Change(operation, object_id, tuple(fields), image, (f"finding of {object_id}",), "because")

    def creation(self, operation: str, key: str = "ak-key-1", **values: Any) -> Change:
        """A creation under a key."""
        given = {OPERATIONS[operation].key_field: key, **values}
        fields = (FieldChange(name, None, plan_value(value)) for name, value in given.items())
        return Change(operation, key, tuple(fields), "", (), "because")

    def plan(self, *changes: Change, **fields: Any) -> Plan:
        given = {"preparer": "ann", "created_at": self.now, "expires_at": self.now + LIFETIME} | fields
        return Plan(changes, "snapshot-1", ACCOUNT, **given)

    def propose(self, *guids: str) -> Plan:
        """The plan that marks these NRBs as exported."""
        return self.plan(*(self.edit("edit-nrb", guid, nrbIsExported=True) for guid in guids))

    @property
    def approvers(self) -> list[Approver]:
        keys = ((name, self.identities.public_key(name)) for name in ("ann", "bob"))
        return [Approver(name, key, 100, Decimal("100000.00"), may_override=True) for name, key in keys]

    def approved(self, plan: Plan, override: str | None = None) -> Plan:
        """The plan with both signatures, as one person prepared and another approved it."""
        prepared = plan.signed(prepare(plan, self.identities.open("ann", None), self.now))
        approval = approve(
            prepared,
            prepared.signature("prepare"),
            self.identities.open("bob", None),
            self.approvers,
            self.journal,
            at=self.now,
            override=override,
        )
        return prepared.signed(approval)

    def apply(self, plan: Plan, **changes: Any) -> list[Outcome]:
        """Apply a plan; an unsigned one is approved first."""
        self.signed.setdefault(plan.digest, None)
        if not plan.signatures:
            plan = self.signed[plan.digest] = self.signed[plan.digest] or self.approved(plan)
        return apply(plan, **self._arguments({"approvers": self.approvers} | changes))

    def recover(self, **changes: Any) -> list[Outcome]:
        return recover(**self._arguments(changes))

    def _arguments(self, changes: dict[str, Any]) -> dict[str, Any]:
        return {
            "clients": self.clients,
            "journal": self.journal,
            "account": ACCOUNT,
            "identity": "bob",
            "clock": lambda: self.now,
            "sleep": self.waits.append,
        } | changes

    def steps(self, guid: str | None = None) -> list[str]:
        """The journal's steps, of one object or of all."""
        return [r.body["step"] for r in self.journal.records("correction") if guid in (None, r.body["object"])]

    def check_requests(self) -> None:
        """Check that there were no more requests than SENDING records."""
        logged = sum(call.method in ("POST", "PUT") for call in self.state.calls())
        assert logged <= self.faulty.posts_seen <= self.steps().count("SENDING")


def only(outcomes: list[Outcome]) -> Outcome:
    """The outcome of a plan of one object."""
    (outcome,) = outcomes
    return outcome


@pytest.fixture(scope="session")
def identities(tmp_path_factory) -> Identities:
    made = Identities(tmp_path_factory.mktemp("identities"), protected=False)
    for name in ("ann", "bob"):
        made.new(name, None)
    return made


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[Relay, Address]]:
    """One server for all tests: starting and ending one takes longer than most of them."""
    relay = Relay()
    with in_thread(relay) as address:
        yield relay, address


@pytest.fixture
def make_world(tmp_path, monkeypatch, identities, served) -> Iterator[Any]:
    relay, address = served
    monkeypatch.setattr(transport, "_LONGEST_WAIT_SECONDS", 0.001)
    monkeypatch.setattr(transport, "ATTEMPTS", 2)
    with ExitStack() as stack:

        def make(**switches: Any) -> World:
            state = stack.enter_context(State(tmp_path / "state.sqlite"))
            state.fill(nrbs(), [invoice()])
            faulty = FaultyServer(create_app(state, Behaviors(rate_per_second=0, parallel=0, **switches)))
            relay.app = faulty
            places = (
                ("Aimsio", address.aimsio_url, HTTPBasicAuth("demo", "demo-password"), AimsioClient),
                ("JobNimbus", address.jobnimbus_url, BearerAuth(SecretStr("demo-token")), JobNimbusClient),
            )
            clients = []
            for vendor, url, auth, client in places:
                reader, writer = connected(vendor, url, auth, tmp_path, deadline=DEADLINE_SECONDS)
                stack.callback(reader.close)
                clients.append(client(reader, writer))
            return World(state, faulty, Clients(*clients), tmp_path / "journal.jsonl", identities)

        yield make


@pytest.fixture
def world(make_world) -> Iterator[World]:
    made = make_world()
    yield made
    made.check_requests()
