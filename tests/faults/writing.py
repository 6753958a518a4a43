"""The corrections that meet faults, an account at the sandbox behind a proxy, and what makes a verdict true there.

What is true is asked of the server's own state, and of what arrived at its proxy; never of the client.

Not here: which faults there are, and which verdict each must give (test_writes).
"""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from auditkit import journal_verify
from auditkit.corrections.apply import Outcome, apply, recover
from auditkit.corrections.approval import Approver, approve, prepare
from auditkit.corrections.identity import Identities, Identity
from auditkit.corrections.lookup import Clients
from auditkit.corrections.operations.registry import OPERATIONS
from auditkit.corrections.plan import LIFETIME, Change, FieldChange, Plan, plan_value
from auditkit.corrections.tracking import RECORD_KIND, Step, Verdict
from auditkit.errors import PlanError
from auditkit.journal import Journal
from auditkit.sandbox.app import create_app
from auditkit.sandbox.behaviors import Behaviors
from auditkit.sandbox.middleware import Credentials
from auditkit.sandbox.server import in_thread
from auditkit.sandbox.state import State
from auditkit.vendors.strict_json import parse
from tests.corrections.conftest import ACCOUNT, CHILD, INVOICE, NEW_NRB, NOON, ONE, TWO, invoice, nrb
from tests.faults.clients import PASSWORD, SECRETS, TOKEN, USERNAME, clients
from tests.faults.proxy import Act, Proxy
from tests.faults.server import Server, running

KEY = "ak-0123456789abcdef"
LINE = {"name": "added", "description": "REF X-1", "quantity": 1, "price": 10}
OPEN = frozenset({Verdict.UNKNOWN, Verdict.NOT_BEGUN})
Body = dict[str, Any]


@dataclass(frozen=True)
class Correction:
    """One kind of correction. `stood` is whether an object is as planned, `touches` the fields that may move with it.

    `other` is a field that somebody else may change meanwhile, and `same` one that the correction sets, with a value
    that nobody planned.
    """

    name: str
    values: Mapping[str, Any]
    stood: Callable[[Body], bool]
    touches: frozenset[str] = frozenset()
    other: tuple[str, Any] = ("", None)
    same: tuple[str, Any] = ("", None)

    @property
    def at_aimsio(self) -> bool:
        return OPERATIONS[self.name].system == "aimsio"

    @property
    def creates(self) -> bool:
        return OPERATIONS[self.name].creates

    @property
    def object_id(self) -> str:
        return KEY if self.creates else ONE if self.at_aimsio else INVOICE


def _names(body: Body) -> list[str]:
    return [each["name"] for each in body["items"]]


_TOTALS = frozenset({"subtotal", "tax", "total", "due", "cost", "margin"})
NOTE, HAND = ("note", "by hand"), ("internal_note", "by hand")
CORRECTIONS = (
    Correction(
        "edit-nrb",
        {"nrbIsExported": True},
        lambda body: body["nrbIsExported"] is True,
        frozenset({"nrbIsExported", "nrbUpdatedAt"}),
        ("nrbNotes", "by hand"),
        ("nrbIsExported", None),
    ),
    Correction(
        "edit-invoice",
        {"note": "corrected"},
        lambda body: body["note"] == "corrected",
        frozenset({"note", "date_updated"}),
        HAND,
        NOTE,
    ),
    Correction(
        "add-line",
        {"items": [LINE]},
        lambda body: _names(body).count("added") == 1 and _names(body).count("Crane hire") == 2,
        _TOTALS | {"items", "date_updated"},
        HAND,
        ("items", []),
    ),
    Correction(
        "deactivate-invoice",
        {"is_active": False},
        lambda body: body["is_active"] is False,
        frozenset({"is_active", "date_updated"}),
        HAND,
        ("is_active", None),
    ),
    Correction(
        "create-nrb",
        NEW_NRB,
        lambda body: body["nrbJobOrderNumber"] == "JOB1" and Decimal(body["nrbTotalAfterMarkup"]) == 300,
        other=("nrbNotes", "by hand"),
        same=("nrbRate", "7.00"),
    ),
    Correction(
        "create-invoice",
        {
            "type": "invoice",
            "status": 1,
            "is_active": True,
            "related": [{"id": "job-1", "type": "job"}],
            "items": [LINE],
        },
        lambda body: _names(body) == ["added"] and body["subtotal"] == 10 and body["is_active"],
        other=NOTE,
        same=("is_active", False),
    ),
)


@dataclass(frozen=True)
class Account:
    """Both vendors behind one proxy, and two persons with keys."""

    state: State
    server: Server
    proxy: Proxy
    ann: Identity
    bob: Identity

    def restore(self) -> None:
        """As it was before any correction."""
        for made in self.state.nrbs_where("external_id", KEY):
            self.state.delete_nrb(made["nrbGuid"])
        for text in self.invoices():
            self.state.delete_invoice(json.loads(text)["jnid"])
        self.state.put_nrb(nrb(ONE))
        self.state.put_nrb(nrb(TWO))
        self.state.put_invoice(invoice())
        self.proxy.begin([])

    def invoices(self) -> list[str]:
        return self.state.invoice_page(0, 100, bounds=[], with_deleted=True, shuffle=None)


@contextlib.contextmanager
def account(folder: Path) -> Iterator[Account]:
    """An account that is served for as long as the block lasts."""
    people = Identities(folder / "people", protected=False)
    with contextlib.ExitStack() as stack:
        state = stack.enter_context(State(folder / "vendors.sqlite"))
        state.fill([nrb(ONE), nrb(TWO)], [invoice()])
        behaviors = Behaviors(rate_per_second=0, parallel=0, post_body="object", put_body="object")
        sandbox = stack.enter_context(in_thread(create_app(state, behaviors, Credentials(USERNAME, PASSWORD, TOKEN))))
        canary, server = stack.enter_context(running()), stack.enter_context(running())
        proxy = Proxy(sandbox, canary.url)
        server.plays(proxy)
        yield Account(state, server, proxy, people.new("ann", None), people.new("bob", None))
        assert canary.connections == 0


@dataclass
class Case:
    """One correction that two persons signed, and its journal."""

    account: Account
    correction: Correction
    clients: Clients
    plan: Plan
    journal: Journal
    approvers: list[Approver]
    before: str
    waits: list[float] = field(default_factory=list)

    def apply(self) -> Verdict | None:
        """The verdict of one more run, held against the server; None where the plan was refused."""
        try:
            outcomes = apply(self.plan, approvers=self.approvers, **self._hands())
        except PlanError as error:
            assert "was already applied" in str(error) or "did something unexpected" in str(error), error
            return None
        return self._judged(outcomes)

    def recover(self) -> Verdict | None:
        """What recovery finds, held against the server; None where nothing is open. It sends nothing."""
        writes = self.account.proxy.writes
        outcomes = recover(**self._hands())
        assert self.account.proxy.writes == writes
        return self._judged(outcomes) if outcomes else None

    def change(self, **fields: Any) -> None:
        """Somebody else changes the object, or each that bears the key, in the vendor's own screens."""
        for body in self.stored():
            if self.correction.at_aimsio:
                self.account.state.put_nrb({**body, **fields, "nrbUpdatedAt": body["nrbUpdatedAt"] + 1000})
            else:
                self.account.state.put_invoice({**body, **fields, "date_updated": body["date_updated"] + 1})

    def delete(self) -> None:
        """Somebody else deletes it."""
        for body in self.stored():
            if self.correction.at_aimsio:
                self.account.state.delete_nrb(body["nrbGuid"])
            else:
                self.account.state.delete_invoice(body["jnid"])

    def make(self) -> None:
        """Somebody else makes one that bears the key."""
        if self.correction.at_aimsio:
            self.account.state.put_nrb(nrb(CHILD, nrbExternalId=KEY))
        else:
            self.account.state.put_invoice(invoice("invoice-2", external_id=KEY))

    def stored(self) -> list[Body]:
        """The object as the server has it, or each that bears the key."""
        state = self.account.state
        if not self.correction.creates:
            text = self._text()
            return [json.loads(text)] if text else []
        if self.correction.at_aimsio:
            return list(state.nrbs_where("external_id", KEY))
        return [body for body in map(json.loads, self.account.invoices()) if body["external_id"] == KEY]

    def steps(self) -> list[str]:
        return [record.body["step"] for record in self.journal.records(RECORD_KIND)]

    def is_strange(self) -> bool:
        """Whether the vendor said that it did what nobody asked for: then the plan is applied no more."""
        replies = [record.body["reply"] for record in self.journal.records(RECORD_KIND) if "reply" in record.body]
        return any(reply["unexpected"] for reply in replies)

    def is_untouched(self) -> bool:
        return not self.stored() if self.correction.creates else self._text() == self.before

    def moved(self) -> set[str]:
        """The fields of an edited object that nobody planned to move."""
        (body,) = self.stored()
        before = json.loads(self.before) if self.before else body
        fields = body.keys() | before.keys()
        return {name for name in fields if body.get(name) != before.get(name)} - self.correction.touches

    def _text(self) -> str:
        state, object_id = self.account.state, self.correction.object_id
        return (state.nrb_text(object_id) if self.correction.at_aimsio else state.invoice_text(object_id)) or ""

    def _hands(self) -> dict[str, Any]:
        return {
            "clients": self.clients,
            "journal": self.journal,
            "account": ACCOUNT,
            "identity": "bob",
            "clock": lambda: NOON,
            "sleep": self._sleep,
        }

    def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        if seconds >= OPERATIONS[self.correction.name].quiet:
            self.account.proxy.land()

    def _judged(self, outcomes: list[Outcome]) -> Verdict:
        (outcome,) = outcomes
        steps, found = self.steps(), self.stored()
        assert self.account.proxy.writes <= steps.count(Step.SENDING)
        assert journal_verify.verify(self.journal.path).is_whole
        assert outcome.detail.isprintable() and not any(secret in outcome.detail for secret in SECRETS)
        assert not any(secret in self.journal.path.read_text() for secret in SECRETS)
        assert len(found) <= 1 or outcome.verdict is Verdict.CONFLICT, found
        stands = bool(found) and all(map(self.correction.stood, found))
        is_sent, is_gone = Step.SENDING in steps, not found and self.correction.name == "deactivate-invoice"
        truth = {
            Verdict.VERIFIED: is_gone or (len(found) == 1 and stands and not self.moved()),
            Verdict.SIDE_EFFECT: bool(found),
            Verdict.ALREADY: stands and not is_sent,
            Verdict.NOT_APPLIED: self.is_untouched(),
            Verdict.REFUSED: not is_sent,
            Verdict.NOT_BEGUN: not is_sent,
        }
        assert truth.get(outcome.verdict, True), (outcome, found)
        assert steps[-1] == (Step.INTENT if outcome.verdict is Verdict.NOT_BEGUN else outcome.verdict)
        assert sum(step in set(Verdict) - OPEN for step in steps) == (outcome.verdict not in OPEN)
        return outcome.verdict


@contextlib.contextmanager
def case(made: Account, correction: Correction, folder: Path, deadline: float, *acts: Act) -> Iterator[Case]:
    """A correction of an account as it was before any, which will meet these acts."""
    made.restore()
    with clients(made.server.url, folder, deadline) as asking:
        both = Clients(asking.aimsio, asking.jobnimbus)
        plan = Plan((_change(correction, both),), "snapshot-1", ACCOUNT, "ann", NOON, NOON + LIFETIME)
        approvers = [Approver(each.name, each.public_key, 9, Decimal(99_999)) for each in (made.ann, made.bob)]
        journal = Journal(folder / "journal.jsonl", clock=lambda: NOON)
        signature = prepare(plan, made.ann, NOON)
        approved = plan.signed(signature).signed(approve(plan, signature, made.bob, approvers, journal, at=NOON))
        state = made.state
        stored = state.nrb_text(ONE) if correction.at_aimsio else state.invoice_text(INVOICE)
        made.proxy.begin(acts)
        before = "" if correction.creates else stored or ""
        yield Case(made, correction, both, approved, journal, approvers, before)


def _change(correction: Correction, both: Clients) -> Change:
    kind, object_id = OPERATIONS[correction.name], correction.object_id
    if kind.creates:
        given = {kind.key_field: KEY, **correction.values}
        return Change(
            correction.name, KEY, tuple(FieldChange(name, None, plan_value(v)) for name, v in given.items()), ""
        )
    image = both.read(kind, object_id)
    before = parse(image, object_id)
    after = {"items": [*before["items"], LINE]} if correction.name == "add-line" else correction.values
    fields = (FieldChange(name, plan_value(before.get(name)), plan_value(value)) for name, value in after.items())
    return Change(correction.name, object_id, tuple(fields), image)
