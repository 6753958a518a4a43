"""An account at the sandbox whose Aimsio fails as told, a client with a short deadline, and a journal."""

import asyncio
import json
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from requests.auth import HTTPBasicAuth

from auditkit.apis import transport
from auditkit.apis.aimsio import AimsioClient
from auditkit.apis.transport import Reader, Writer
from auditkit.corrections.apply import Outcome, apply, recover
from auditkit.corrections.plan import Plan, propose
from auditkit.journal import Journal
from auditkit.sandbox.app import create_app
from auditkit.sandbox.quirks import Quirks
from auditkit.sandbox.server import in_thread
from auditkit.sandbox.state import State
from auditkit.values import time_from_ms

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)
DEADLINE_SECONDS = 0.4
ENVIRONMENT, ACCOUNT = "test", "clerk"
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


class Faulty:
    """The sandbox behind a door that fails as told: one entry of `posts` and of `gets` for each request, in order.

    `lost` never arrives, `answer lost` is applied and not answered, a dict is answered with status 200 and not
    applied, a number is answered as that status; `pass` is let through, and so is whatever follows the last entry.
    """

    def __init__(self, app: Any) -> None:
        self.app = app
        self.posts: deque[Any] = deque()
        self.gets: deque[Any] = deque()
        self.posts_seen = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        is_post = scope["method"] == "POST"
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


@dataclass
class World:
    """The account, and the hands of a person who corrects it."""

    state: State
    faulty: Faulty
    aimsio: AimsioClient
    journal_path: Path
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

    def subject(self, guid: str, **changes: Any) -> dict[str, Any]:
        """A finding's subject, as the snapshot has it."""
        stored = self.nrb(guid)
        return {
            "guid": guid,
            "job_number": stored["nrbJobOrderNumber"],
            "amount_at_risk": stored["nrbTotalAfterMarkup"],
            "is_exported": stored["nrbIsExported"],
            "updated_at": time_from_ms(stored["nrbUpdatedAt"]),
            "has_own_record": True,
            **changes,
        }

    def propose(self, *guids: str, rule: str = "nrb-unexported", subjects: Any = None) -> Plan:
        return propose(
            rule,
            subjects or [self.subject(guid) for guid in guids],
            self.aimsio,
            snapshot_id="snapshot-1",
            environment=ENVIRONMENT,
            account=ACCOUNT,
            preparer="ann",
            now=self.now,
        )

    def apply(self, plan: Plan, **changes: Any) -> list[Outcome]:
        return apply(plan, **self._hands(changes))

    def recover(self, **changes: Any) -> list[Outcome]:
        return recover(**self._hands(changes))

    def _hands(self, changes: dict[str, Any]) -> dict[str, Any]:
        return {
            "aimsio": self.aimsio,
            "journal": self.journal,
            "environment": ENVIRONMENT,
            "account": ACCOUNT,
            "identity": "bob",
            "clock": lambda: self.now,
            "sleep": self.waits.append,
        } | changes

    def steps(self, guid: str | None = None) -> list[str]:
        """The journal's steps, of one object or of all."""
        return [r.body["step"] for r in self.journal.records("correction") if guid in (None, r.body["object"])]

    def check_requests(self) -> None:
        """Requests seen ≤ SENDING records."""
        logged = sum(call.method == "POST" for call in self.state.calls())
        assert logged <= self.faulty.posts_seen <= self.steps().count("SENDING")


def only(outcomes: list[Outcome]) -> Outcome:
    """The outcome of a plan of one object."""
    (outcome,) = outcomes
    return outcome


@pytest.fixture
def make_world(tmp_path, monkeypatch) -> Iterator[Any]:
    monkeypatch.setattr(transport, "_LONGEST_WAIT_SECONDS", 0.001)
    monkeypatch.setattr(transport, "ATTEMPTS", 2)
    with ExitStack() as stack:

        def make(**switches: Any) -> World:
            state = stack.enter_context(State(tmp_path / "state.sqlite"))
            state.fill(nrbs(), [])
            faulty = Faulty(create_app(state, Quirks(rate_per_second=0, parallel=0, **switches)))
            url = stack.enter_context(in_thread(faulty)).aimsio_url
            auth = HTTPBasicAuth("demo", "demo-password")
            line = {
                "vendor": "Aimsio",
                "rate_per_second": 5000,
                "parallel": 2,
                "throttle_path": tmp_path / "pace",
                "deadline": DEADLINE_SECONDS,
            }
            reader = Reader(url, auth, cache_path=tmp_path / "cache.sqlite", cache_scope="test", **line)
            stack.callback(reader.close)
            return World(state, faulty, AimsioClient(reader, Writer(url, auth, **line)), tmp_path / "journal.jsonl")

        yield make


@pytest.fixture
def world(make_world) -> Iterator[World]:
    made = make_world()
    yield made
    made.check_requests()
