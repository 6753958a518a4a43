"""Corrections in any order: planned, killed anywhere, recovered, edited by others meanwhile, and undone.

Whatever a person, a vendor and a power cut may do one after another, hypothesis does, and after each step what the
journal says is held against what the server saw. A write is looked at when it arrives, a verdict when it is written.

Not here: edits in the gap between a read and the vendor's write, which no client can see (tests/faults).
"""

import functools
import itertools
import json
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from auditkit import journal_verify
from auditkit.corrections.apply import Outcome, apply, recover, settle
from auditkit.corrections.approval import Approver, approve, prepare
from auditkit.corrections.identity import Identities
from auditkit.corrections.lookup import Clients
from auditkit.corrections.operations.registry import OPERATIONS
from auditkit.corrections.plan import LIFETIME, Change, FieldChange, Plan, plan_value
from auditkit.corrections.planning import ChangeRequest
from auditkit.corrections.tracking import RECORD_KIND, Step, Verdict, corrections
from auditkit.corrections.undo import undo
from auditkit.errors import OutcomeUnknown, PlanError
from auditkit.journal import Journal, digest
from auditkit.sandbox.app import create_app
from auditkit.sandbox.behaviors import Behaviors
from auditkit.sandbox.server import in_thread
from auditkit.sandbox.state import State
from auditkit.vendors import transport
from auditkit.vendors.strict_json import parse
from tests.crash.writing import Fate, Vendor, World

from .conftest import ACCOUNT, INVOICE, NEW_NRB, NOON, ONE, TWO, Killed, invoice, nrb

NRBS, INVOICES = (ONE, TWO), (INVOICE, "invoice-2")
TERMINAL = frozenset(Verdict) - {Verdict.UNKNOWN, Verdict.NOT_BEGUN}
FATES: tuple[Fate, ...] = (
    "answered",
    "lost",
    "refused",
    "answer lost",
    "gateway error",
    "late",
    "twice",
    "twice, answer lost",
)
# Drawn evenly: by default hypothesis prefers small numbers, and kills would come early.
KILLS = st.sampled_from(
    [*[None] * 40, *range(1, 121, 2)]
)  # a change passes about forty points, half of them before its send
BLIND = st.sampled_from([*[None] * 30, *range(12)])
SOME_FATES = st.lists(st.sampled_from(FATES), max_size=3)
WANTED = st.lists(st.tuples(st.sampled_from(list(OPERATIONS)), st.integers(0, 1)), min_size=1, max_size=3, unique=True)
WORDS = ("already applied", "did something unexpected", "outcome unknown")
NEW = {
    "create-nrb": NEW_NRB,
    "create-invoice": {
        "type": "invoice",
        "status": 1,
        "is_active": True,
        "related": [{"id": "job-1", "type": "job"}],
        "items": [{"name": "new", "quantity": 1, "price": 10}],
    },
}


class Watched(Vendor):
    """The vendor of the crash tests, which looks at each write as it arrives and says what is wrong with it.

    `owners` names the operation of each write: the one of the journal's last record, which must be its SENDING.
    """

    def __init__(self, state: State, app: Any) -> None:
        super().__init__(app)
        self.state = state
        self.journal_path = Path()
        self.owners: list[str] = []
        self.doubled: set[str] = set()
        self.breaches: list[str] = []
        self.reads_left: int | None = None
        self.reads = 0
        self._attempts: set[tuple[str, int]] = set()

    def begin(self, fates: Sequence[Fate]) -> None:
        super().begin(fates)
        self.owners, self.doubled, self.breaches, self._attempts, self.reads_left = [], set(), [], set(), None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.reads += scope["method"] == "GET"
        if scope["method"] == "GET" and self.reads_left is not None:
            self.reads_left -= 1
            if self.reads_left < 0:
                headers = [(b"content-type", b"application/json"), (b"content-length", b"100")]
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                return
        await super().__call__(scope, receive, send)

    async def _write(self, number: int, scope: Any, body: bytes, send: Any) -> None:
        record = json.loads(self.journal_path.read_bytes().rstrip(b"\n").rpartition(b"\n")[2])["body"]
        self.owners.append(record["correction"])
        self._look_at(record)
        if self.fates and self.fates[0].startswith("twice"):
            self.doubled.add(record["correction"])
        await super()._write(number, scope, body, send)

    def _look_at(self, record: dict[str, Any]) -> None:
        if record["step"] != Step.SENDING:
            self.breaches.append(f"a write whose record is {record['step']}")
            return
        if not self.reads:
            self.breaches.append(
                f"{record['object']}: a write before anything was read in this life, or since the last"
            )
        self.reads = 0
        attempt = (record["correction"], record["attempt"])
        if attempt in self._attempts:
            self.breaches.append(f"two writes for one record: {attempt}")
        self._attempts.add(attempt)
        if len(self.bearers(record["object"])) > 0:
            self.breaches.append(f"{record['object']}: is made although it is there")
        text = self.state.nrb_text(record["object"]) or self.state.invoice_text(record["object"]) or ""
        if digest(text) != record["before"]:
            self.breaches.append(f"{record['object']}: somebody's edit is overwritten, which a read could have shown")

    def bearers(self, key: str) -> list[dict[str, Any]]:
        """The objects with a key."""
        page = self.state.invoice_page(0, 100, bounds=[], with_deleted=True, shuffle=None)
        found = [body for body in map(json.loads, page) if body["external_id"] == key]
        return found if key.startswith("EXT") else [*found, *self.state.nrbs_where("external_id", key)]

    def effects(self, operation: str) -> int:
        """How often writes of an operation took effect so far."""
        return sum(times for owner, times in zip(self.owners, self.writes, strict=True) if owner == operation)

    def is_under_way(self, operation: str) -> bool:
        """Whether a write of it may still take effect."""
        return any(self.owners[number] == operation for _, number, *_ in self._late)


# One hook for the whole process, since none can be removed; it calls whoever listens in this thread.
_LISTENING: dict[int, Callable[[str], None]] = {}


@functools.cache
def _installed() -> None:
    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if listener := _LISTENING.get(threading.get_ident()):
            if event == "auditkit.point":
                listener(str(arguments[0]))
            elif event == "http.client.send":
                listener("send")
            elif event in ("open", "os.rename") and "journal" in str(arguments[0]):
                listener(event)

    sys.addaudithook(hook)


@contextmanager
def listening(listener: Callable[[str], None]) -> Iterator[None]:
    """`listener` receives each point of this thread, except those that it causes itself."""
    _installed()
    me = threading.get_ident()

    def undisturbed(name: str) -> None:
        del _LISTENING[me]
        try:
            listener(name)
        finally:
            _LISTENING[me] = undisturbed

    _LISTENING[me] = undisturbed
    try:
        yield
    finally:
        del _LISTENING[me]


class Corrections(RuleBasedStateMachine):
    """One account, two people and a journal; `world`, `people` and `totals` are shared by all machines."""

    world: World
    people: Identities
    totals: Counter[str]
    plans = Bundle("plans")

    def __init__(self) -> None:
        super().__init__()
        self.world.begin(())
        self.vendor.journal_path = self.world.journal_path
        self.journal = Journal(self.world.journal_path, clock=lambda: NOON)
        self.marks = itertools.count(1)
        self.keys: list[str] = []
        self.made: list[Plan] = []
        for text in self.vendor.state.invoice_page(0, 1000, bounds=[], with_deleted=True, shuffle=None):
            self.vendor.state.delete_invoice(json.loads(text)["jnid"])
        for guid in NRBS:
            self.vendor.state.put_nrb(nrb(guid))
        for jnid in INVOICES:
            self.vendor.state.put_invoice(invoice(jnid))

    @property
    def vendor(self) -> Watched:
        assert isinstance(self.world.vendor, Watched)
        return self.world.vendor

    def teardown(self) -> None:
        self.totals["examples"] += 1
        for key in self.keys:
            for body in self.vendor.state.nrbs_where("external_id", key):
                self.vendor.state.delete_nrb(body["nrbGuid"])

    # What people do

    @initialize(target=plans, wanted=WANTED)
    def first_plan(self, wanted: list[tuple[str, int]]) -> Any:
        return self.plan(wanted)

    @rule(target=plans, wanted=WANTED, fates=SOME_FATES, kill=KILLS, blind=BLIND)
    def plan_and_apply(self, wanted: list[tuple[str, int]], **meanwhile: Any) -> Any:
        plan = self.plan(wanted)
        if isinstance(plan, Plan):
            self.apply(plan, **meanwhile)
        return plan

    @rule(target=plans, wanted=WANTED)
    def plan(self, wanted: list[tuple[str, int]]) -> Any:
        with self.clients() as clients:
            changes = {}
            for name, which in wanted:
                change = self.change(clients, name, which)
                if change is not None:
                    changes.setdefault((change.system, change.object_id), change)
        return self.approved(list(changes.values()))

    @rule(target=plans, plan=plans)
    def undo(self, plan: Plan) -> Any:
        try:
            drafts = [each for each in undo(plan.digest, self.journal).requests if isinstance(each, ChangeRequest)]
        except PlanError:
            return multiple()  # never begun
        with self.clients() as clients:
            changes = [self.drawn(clients, each.operation, each.object_id, dict(each.values)) for each in drafts]
        return self.approved([change for change in changes if change])

    @rule(plan=plans, fates=SOME_FATES, kill=KILLS, blind=BLIND)
    def apply(self, plan: Plan, fates: list[Fate], kill: int | None, blind: int | None) -> None:
        self.vendor.fates = deque(fates)
        try:
            with self.life(kill, blind) as hands:
                outcomes = apply(plan, approvers=self.approvers, **hands)
        except Killed:
            self.totals["kills"] += 1
        except (PlanError, OutcomeUnknown) as error:
            assert any(word in str(error) for word in WORDS), error
            self.totals["refused"] += 1
        else:
            self.ends(plan, outcomes)

    @precondition(lambda self: self.interrupted())
    @rule(fates=SOME_FATES, kill=KILLS, blind=BLIND)
    def apply_what_was_interrupted(self, **meanwhile: Any) -> None:
        self.apply(self.interrupted()[0], **meanwhile)

    @rule(kill=KILLS, blind=BLIND)
    def recover(self, kill: int | None, blind: int | None) -> None:
        arrived = len(self.vendor.writes)
        try:
            with self.life(kill, blind) as hands:
                outcomes = recover(**hands)
        except Killed:
            self.totals["kills"] += 1
        else:
            open_now = [each for each in corrections(self.journal).values() if each.is_open]
            assert len(open_now) == sum(outcome.verdict is Verdict.UNKNOWN for outcome in outcomes)
        assert len(self.vendor.writes) == arrived

    @rule()
    def settle(self) -> None:
        """A person records how it ended, once nothing can take effect any more."""
        self.world.wait(120)
        for operation in corrections(self.journal).values():
            if operation.verdict is Verdict.UNKNOWN:
                settle(
                    operation.id,
                    "looked",
                    account=ACCOUNT,
                    journal=self.journal,
                    identity="bob",
                )

    @rule(object_id=st.sampled_from([*NRBS, *INVOICES]), is_against=st.booleans())
    def edit_by_hand(self, object_id: str, is_against: bool) -> None:
        """Somebody else changes an object; with `is_against` in a field that plans set."""
        state = self.vendor.state
        if object_id in NRBS:
            body = json.loads(state.nrb_text(object_id) or "")
            made = {"nrbNotes": self.mark()} if is_against else {"nrbIsExported": not body["nrbIsExported"]}
            state.put_nrb({**body, **made, "nrbUpdatedAt": body["nrbUpdatedAt"] + 1000})
        else:
            body = json.loads(state.invoice_text(object_id) or "")
            made = {"note" if is_against else "internal_note": self.mark()}
            state.put_invoice({**body, **made, "date_updated": body["date_updated"] + 1})

    @rule(seconds=st.sampled_from([1, 20, 90]))
    def time_passes(self, seconds: int) -> None:
        self.world.wait(seconds)

    def interrupted(self) -> list[Plan]:
        """The plans under which something was sent with an unknown outcome."""
        left_open = {each.plan for each in corrections(self.journal).values() if each.is_open and each.sends}
        return [plan for plan in self.made if plan.digest in left_open]

    # Invariants

    @invariant()
    def each_write_was_recorded_and_overwrote_nobody(self) -> None:
        assert self.vendor.breaches == []
        steps = [record.body["step"] for record in self.records()]
        assert len(self.vendor.writes) <= steps.count(Step.SENDING)

    @invariant()
    def nothing_is_made_twice(self) -> None:
        for key in self.keys:
            for operation in corrections(self.journal).values():
                if operation.change.object_id == key and len(self.vendor.bearers(key)) > 1:
                    assert operation.id in self.vendor.doubled
                    assert operation.verdict in (None, Verdict.UNKNOWN, Verdict.CONFLICT, Verdict.SETTLED)

    @invariant()
    def what_was_not_applied_never_takes_effect(self) -> None:
        for operation in corrections(self.journal).values():
            if operation.verdict in (Verdict.NOT_APPLIED, Verdict.ALREADY, Verdict.REFUSED):
                assert self.vendor.effects(operation.id) == 0, operation
            steps = [each.body["step"] for each in self.records() if each.body["correction"] == operation.id]
            ends = [place for place, step in enumerate(steps) if step in TERMINAL]
            # What was interrupted before anything was sent may be begun again; nothing else ends twice.
            unsent = [at for at in ends if steps[at] == Verdict.NOT_APPLIED and Step.SENDING not in steps[:at]]
            assert len(ends) - len(unsent) <= 1

    @invariant()
    def the_journal_is_whole(self) -> None:
        assert journal_verify.verify(self.world.journal_path).is_whole

    def judge(self) -> None:
        """Check a verdict at the moment it is written."""
        body = self.records()[-1].body
        operation = corrections(self.journal)[body["correction"]]
        verdict = Verdict(body["step"])
        self.totals[str(verdict)] += 1
        if verdict in TERMINAL - {Verdict.SETTLED}:
            assert not self.vendor.is_under_way(operation.id), f"{operation.id}: a write of it may still take effect"
        if verdict in (Verdict.VERIFIED, Verdict.ALREADY):
            assert self.stands(operation.change), f"{operation.id}: {verdict}, and the server does not have it"
        if verdict is Verdict.VERIFIED:
            assert operation.sends

    def ends(self, plan: Plan, outcomes: list[Outcome]) -> None:
        """Check what a run leaves: one verdict per object, as in the journal, or an open one."""
        known = {each.change.object_id: each for each in corrections(self.journal).values() if each.plan == plan.digest}
        assert [outcome.object_id for outcome in outcomes] == [change.object_id for change in plan.changes]
        for outcome in outcomes:
            operation = known.get(outcome.object_id)
            if outcome.verdict is Verdict.NOT_BEGUN:
                assert operation is None or not (operation.is_done or operation.sends)
            else:
                assert operation is not None and operation.verdict is outcome.verdict
                assert operation.is_open == (outcome.verdict is Verdict.UNKNOWN)

    # Processes

    @contextmanager
    def life(self, kill: int | None, blind: int | None) -> Iterator[dict[str, Any]]:
        """Arguments of a process that is killed at its `kill`th point; its reads fail from the `blind`th on."""
        passed = itertools.count(1)

        def at_point(name: str) -> None:
            if name.endswith(" written") and name.split(maxsplit=1)[0] in set(Verdict):
                self.judge()
            if next(passed) == kill:
                raise Killed

        with self.clients() as clients:
            self.vendor.reads_left, self.vendor.reads = blind, 0
            try:
                with listening(at_point):
                    yield {
                        "clients": clients,
                        "journal": Journal(self.world.journal_path, clock=lambda: NOON),
                        "account": ACCOUNT,
                        "identity": "bob",
                        "clock": lambda: NOON,
                        "sleep": self.world.wait,
                    }
            finally:
                self.vendor.reads_left = None
                self.totals["runs"] += 1

    @contextmanager
    def clients(self) -> Iterator[Clients]:
        with self.world.aimsio() as aimsio, self.world.jobnimbus() as jobnimbus:
            yield Clients(aimsio, jobnimbus)

    def change(self, clients: Clients, name: str, which: int) -> Change | None:
        mark = self.mark()
        if OPERATIONS[name].creates:
            self.keys.append(f"ak-{mark}")
            given = {OPERATIONS[name].key_field: self.keys[-1], **NEW[name]}
            fields = tuple(FieldChange(field, None, plan_value(value)) for field, value in given.items())
            return Change(name, self.keys[-1], fields, "")
        if name == "edit-nrb":
            return self.drawn(clients, name, NRBS[which], {"nrbNotes": mark})
        if name == "edit-invoice":
            return self.drawn(clients, name, INVOICES[which], {"note": mark})
        if name == "deactivate-invoice":
            return self.drawn(clients, name, INVOICES[which], {"is_active": False})
        items = parse(clients.read(OPERATIONS[name], INVOICES[which]), "items")["items"]
        line = {"name": mark, "quantity": 1, "price": 10}
        return self.drawn(clients, name, INVOICES[which], {"items": [*items, line]})

    def drawn(self, clients: Clients, name: str, object_id: str, values: dict[str, Any]) -> Change | None:
        """A change of the object as the vendor has it now; None where there is nothing to change."""
        image = clients.read(OPERATIONS[name], object_id)
        before = parse(image, object_id)
        differ = {field: value for field, value in values.items() if before.get(field) != value}
        fields = tuple(
            FieldChange(field, plan_value(before.get(field)), plan_value(value)) for field, value in differ.items()
        )
        return Change(name, object_id, fields, image) if fields else None

    def approved(self, changes: list[Change]) -> Any:
        if not changes:
            return multiple()
        plan = Plan(tuple(changes), self.mark(), ACCOUNT, "ann", NOON, NOON + LIFETIME)
        ann, bob = (self.people.open(name, None) for name in ("ann", "bob"))
        signature = prepare(plan, ann, NOON)
        self.totals["plans"] += 1
        self.made.append(
            plan.signed(signature).signed(approve(plan, signature, bob, self.approvers, self.journal, at=NOON))
        )
        return self.made[-1]

    @property
    def approvers(self) -> list[Approver]:
        return [Approver(name, self.people.public_key(name), 9, Decimal(99_999)) for name in ("ann", "bob")]

    def records(self) -> list[Any]:
        return list(self.journal.records(RECORD_KIND))

    def mark(self) -> str:
        return f"mark {next(self.marks):08}"

    def stands(self, change: Change) -> bool:
        """Whether the server has the planned values now, and a new object once."""
        state = self.vendor.state
        text = state.nrb_text(change.object_id) or state.invoice_text(change.object_id)
        found = self.vendor.bearers(change.object_id) if change.operation_type.creates else [json.loads(text or "{}")]
        return len(found) == 1 and all(_is(value, found[0].get(name)) for name, value in change.after.items())


def _is(planned: Any, found: Any) -> bool:
    if isinstance(planned, list):
        return [each.get("name") for each in planned if "name" in each] == [
            each.get("name") for each in found if "name" in planned[0]
        ]
    if isinstance(planned, str) and isinstance(found, str) and planned.replace(".", "").isdecimal():
        return Decimal(planned) == Decimal(found)
    return bool(planned == found)


@pytest.fixture
def machine(tmp_path: Path, identities: Identities, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Corrections]]:
    monkeypatch.setattr(transport, "_LONGEST_WAIT_SECONDS", 0.001)
    monkeypatch.setattr(transport, "ATTEMPTS", 2)
    with State(tmp_path / "vendors.sqlite") as state:
        state.fill([nrb(guid) for guid in NRBS], [invoice(jnid) for jnid in INVOICES])
        vendor = Watched(state, create_app(state, Behaviors(rate_per_second=0, parallel=0)))
        with in_thread(vendor) as address:
            made = World(state, vendor, address, tmp_path)
            yield type("Corrections", (Corrections,), {"world": made, "people": identities, "totals": Counter()})


def run(machine: type[Corrections], examples: int, steps: int) -> str:
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=chosen)
    return ", ".join(f"{count:,} {name}" for name, count in machine.totals.items())


def test_any_sequence_of_events(machine: type[Corrections]) -> None:
    print(run(seed(2)(machine), 15, 12))
    assert machine.totals["VERIFIED"] and machine.totals["kills"]


@pytest.mark.campaign
def test_any_long_sequence_of_events(machine: type[Corrections], capsys) -> None:
    said = run(machine, 300, 20)
    with capsys.disabled():
        print(f"\ncorrections in any order: {said}; breaches 0")
    assert all(machine.totals[name] for name in ("VERIFIED", "NOT_APPLIED", "CONFLICT", "UNKNOWN", "kills"))
