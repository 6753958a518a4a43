"""A correction killed anywhere, and again while it recovers: nothing twice, nothing lost, no untrue verdict.

The truth is read from the server, never from the client. `make test` tries some of the cases, `make crash` all.
"""

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from auditkit import journal_verify
from auditkit.corrections.apply import apply
from auditkit.corrections.approval import Approver, approve, prepare
from auditkit.corrections.identity import Identities
from auditkit.corrections.lookup import Clients
from auditkit.corrections.operations.registry import OPERATIONS
from auditkit.corrections.plan import LIFETIME, Change, FieldChange, Plan, plan_value
from auditkit.corrections.tracking import RECORD_KIND, Step, Verdict
from auditkit.errors import ApiError, PlanError
from auditkit.journal import Journal
from auditkit.vendors.strict_json import parse
from tests.corrections.conftest import ACCOUNT, INVOICE, NEW_NRB, NOON, ONE, invoice, nrb
from tests.crash.writing import Fate, World

FATES: tuple[tuple[Fate, ...], ...] = (
    ("answered",),
    ("lost",),
    ("refused",),
    ("answer lost",),
    ("gateway error",),
    ("late",),
    ("twice",),
    ("twice, answer lost",),
    ("lost", "answer lost"),
    ("refused", "late"),
    ("late", "lost"),
    ("lost", "refused", "lost"),
)
EVERY = 4  # of the cases of each operation, in the campaign: about 3,300 runs over all
TERMINAL = frozenset(Verdict) - {Verdict.UNKNOWN, Verdict.NOT_BEGUN}
PEOPLE = ("ann", "bob")
BAD = ("duplicates", "lost", "untrue", "unrecorded", "broken journals")
Client = Callable[[], None]


@dataclass(frozen=True)
class Operation:
    """One kind of correction: how to restore the account, and how many objects have what the correction writes.

    `client` prepares what a child runs, and starts again after each kill.
    """

    name: str
    creates: bool
    restore: Callable[[World], None]
    made: Callable[[World], int]
    client: Callable[[World], Client]


# Operations of ours


def applying(change_of: Callable[[Clients], Change]) -> Callable[[World], Client]:
    """What `auditkit apply` does with a plan that two people signed. The child opens everything itself."""

    def prepared(world: World) -> Client:
        with world.aimsio() as aimsio, world.jobnimbus() as jobnimbus:
            change = change_of(Clients(aimsio, jobnimbus))
        plan = Plan((change,), "snapshot-1", ACCOUNT, "ann", NOON, NOON + LIFETIME)
        people = Identities(world.folder / "people", protected=False)
        ann, bob = (people.open(name, None) if name in people.names() else people.new(name, None) for name in PEOPLE)
        approvers = [Approver(each.name, each.public_key, 9, Decimal(99_999)) for each in (ann, bob)]
        journal = Journal(world.journal_path, clock=lambda: NOON)  # an approval counts in one home
        signature = prepare(plan, ann, NOON)
        approved = plan.signed(signature).signed(approve(plan, signature, bob, approvers, journal, at=NOON))
        world.seed = {"journal.jsonl": journal.path.read_bytes(), "journal.anchor": journal.anchor_path.read_bytes()}
        return lambda: apply_once_more(world, approved, approvers)

    return prepared


def apply_once_more(world: World, plan: Plan, approvers: Sequence[Approver]) -> None:
    with world.aimsio() as aimsio, world.jobnimbus() as jobnimbus:
        try:
            apply(
                plan,
                clients=Clients(aimsio, jobnimbus),
                journal=Journal(world.journal_path, clock=lambda: NOON),
                approvers=approvers,
                account=ACCOUNT,
                identity="bob",
                clock=lambda: NOON,
                sleep=world.wait,
            )
        except PlanError as error:
            assert "was already applied" in str(error) or "did something unexpected" in str(error), error


def edit(operation: str, object_id: str, **values: Any) -> Callable[[Clients], Change]:
    def change_of(vendors: Clients) -> Change:
        image = vendors.read(OPERATIONS[operation], object_id)
        before = parse(image, object_id)
        values_after = {"items": [*before["items"], LINE]} if operation == "add-line" else values
        fields = (
            FieldChange(name, plan_value(before.get(name)), plan_value(value)) for name, value in values_after.items()
        )
        return Change(operation, object_id, tuple(fields), image)

    return change_of


def creation(operation: str, **values: Any) -> Callable[[Clients], Change]:
    given = {OPERATIONS[operation].key_field: KEY, **values}
    fields = tuple(FieldChange(name, None, plan_value(value)) for name, value in given.items())
    return lambda _: Change(operation, KEY, fields, "")


def stored(world: World) -> dict[str, Any]:
    return json.loads(world.state.nrb_text(ONE) or "null")


def stored_invoice(world: World) -> dict[str, Any]:
    return json.loads(world.state.invoice_text(INVOICE) or "null")


def restored(world: World) -> None:
    """The account as it was before any correction."""
    for made in world.state.nrbs_where("external_id", KEY):
        world.state.delete_nrb(made["nrbGuid"])
    forget_invoices(world)
    world.state.put_nrb(nrb(ONE))
    world.state.put_invoice(invoice())


def with_key(world: World) -> int:
    return sum(json.loads(text)["external_id"] == KEY for text in invoices(world))


KEY = "ak-0123456789abcdef"
LINE = {"name": "added", "description": "REF X-1", "quantity": 1, "price": 10}
NEW_INVOICE = {
    "type": "invoice",
    "status": 1,
    "is_active": True,
    "related": [{"id": "job-1", "type": "job"}],
    "items": [LINE],
}
OURS = tuple(
    Operation(name, name.startswith("create-"), restored, made, applying(change_of))
    for name, made, change_of in (
        (
            "edit-nrb",
            lambda world: int(stored(world)["nrbIsExported"] is True),
            edit("edit-nrb", ONE, nrbIsExported=True),
        ),
        (
            "create-nrb",
            lambda world: len(world.state.nrbs_where("external_id", KEY)),
            creation("create-nrb", **NEW_NRB),
        ),
        (
            "edit-invoice",
            lambda world: int(stored_invoice(world)["note"] == "corrected"),
            edit("edit-invoice", INVOICE, note="corrected"),
        ),
        (
            "add-line",
            lambda world: sum(each["name"] == "added" for each in stored_invoice(world)["items"]),
            edit("add-line", INVOICE),
        ),
        ("create-invoice", with_key, creation("create-invoice", **NEW_INVOICE)),
        (
            "deactivate-invoice",
            lambda world: int(stored_invoice(world)["is_active"] is False),
            edit("deactivate-invoice", INVOICE, is_active=False),
        ),
    )
)


# The same, written naively: read, send, retry until answered; start over after a kill


def naively(send: Callable[[World], object]) -> Callable[[World], Client]:
    def client(world: World) -> None:
        done = world.home / "done"
        while not done.exists():
            try:
                send(world)
            except ApiError:
                continue
            done.write_text("done")

    return lambda world: lambda: client(world)


def edit_nrb_naively(world: World) -> None:
    with world.aimsio() as aimsio:
        found = json.loads(aimsio.nrb(ONE))
        aimsio.save_nrb({"nrbGuid": found["nrbGuid"], "nrbIsExported": True})


def create_invoice_naively(world: World) -> None:
    with world.jobnimbus() as jobnimbus:
        line = {"name": "Field software", "quantity": 1, "price": Decimal("862.50")}
        body = {"type": "invoice", "status": 1, "is_active": True, "items": [line], "related": []}
        jobnimbus.create_invoice({**body, "external_id": "naive"})


def forget_invoices(world: World) -> None:
    for text in invoices(world):
        world.state.delete_invoice(json.loads(text)["jnid"])


def invoices(world: World) -> list[str]:
    return world.state.invoice_page(0, 100, bounds=[], with_deleted=True, shuffle=None)


NAIVE = (
    Operation("edit-nrb", False, restored, OURS[0].made, naively(edit_nrb_naively)),
    Operation(
        "create-invoice", True, forget_invoices, lambda world: len(invoices(world)), naively(create_invoice_naively)
    ),
)


# Cases


def run(world: World, operation: Operation, client: Client, fates: Sequence[Fate], kills: Sequence[int]) -> int:
    """Start a client, kill it at each of these points in turn, and then let it end."""
    operation.restore(world)
    world.begin(fates)
    killed = [world.killed(client, at) for at in kills]
    world.killed(client, None)
    world.wait(3600)  # whatever is still under way takes effect
    return sum(killed)


def is_doubled(world: World, operation: Operation) -> bool:
    """Whether an object was made twice, or more than one of our writes took effect."""
    return operation.made(world) > 1 or sum(map(bool, world.vendor.writes)) > 1


def judged(world: World, operation: Operation, fates: Sequence[Fate]) -> Counter[str]:
    """Compare the journal with the server."""
    steps = [record.body["step"] for record in Journal(world.journal_path).records(RECORD_KIND)]
    verdict = Verdict(steps[-1]) if steps[-1] in set(Verdict) else None
    by_proxy = operation.creates and fates[0].startswith("twice")
    truth = {
        Verdict.VERIFIED: operation.made(world) == 1,
        Verdict.NOT_APPLIED: not any(world.vendor.writes) and not operation.made(world),
        Verdict.CONFLICT: by_proxy,
        Verdict.UNKNOWN: operation.creates and not operation.made(world),
    }
    ended = sum(step in TERMINAL for step in steps)
    return Counter(
        {
            "duplicates": is_doubled(world, operation) and not (by_proxy and verdict is Verdict.CONFLICT),
            "lost": verdict is None or ended != (verdict in TERMINAL),
            "untrue": verdict is not None and not truth.get(verdict, False),
            "unrecorded": len(world.vendor.writes) > steps.count(Step.SENDING),
            "broken journals": not journal_verify.verify(world.journal_path).is_whole,
            str(verdict): 1,
        }
    )


def sweep(world: World, operation: Operation, every: int) -> Counter[str]:
    """Each fate of the request, killed at each point and again while it recovers; every `every`th case.

    Where the second kill comes is spread evenly over the points, so that over the cases it comes everywhere.
    """
    operation.restore(world)
    client = operation.client(world)
    totals: Counter[str] = Counter()
    for fates, kills in itertools.islice(cases(world, operation, client), 0, None, every):
        killed = run(world, operation, client, fates, kills)
        found = judged(world, operation, fates)
        assert not any(found[bad] for bad in BAD), (operation.name, fates, kills, found)
        totals.update(found, cases=1, runs=len(kills) + 1, kills=killed)
    return totals


def cases(world: World, operation: Operation, client: Client) -> Iterator[tuple[tuple[Fate, ...], tuple[int, int]]]:
    second = itertools.count()
    for fates in FATES:
        operation.restore(world)
        world.begin(fates)
        points = len(world.points_of(client))
        for first in range(1, points + 1):
            yield fates, (first, 11 * next(second) % points + 1)


def shown(name: str, totals: Counter[str]) -> str:
    verdicts = ", ".join(f"{totals[verdict]} {verdict}" for verdict in Verdict if totals[verdict])
    counts = ", ".join(f"{totals[name]:,} {name}" for name in ("cases", "runs", "kills", *BAD))
    return f"{name}: {counts}; {verdicts}"


@pytest.mark.parametrize("operation", OURS, ids=lambda operation: operation.name)
def test_killed_at_some_points(world: World, operation: Operation) -> None:
    totals = sweep(world, operation, every=60)
    assert totals["cases"] >= 6 and totals["kills"] >= totals["cases"]


@pytest.mark.campaign
@pytest.mark.parametrize("operation", OURS, ids=lambda operation: operation.name)
def test_killed_throughout(world: World, operation: Operation, capsys: pytest.CaptureFixture[str]) -> None:
    totals = sweep(world, operation, every=EVERY)
    with capsys.disabled():
        print(f"\n{shown(operation.name, totals)}")
    assert totals["kills"] > 80


def test_the_points_surround_each_record_and_each_request(world: World) -> None:
    (operation,) = [operation for operation in OURS if operation.name == "edit-nrb"]
    client = operation.client(world)
    world.begin(())
    points = world.points_of(client)
    heads = [point for point in points if point.startswith(("send b'GET", "send b'POST"))]
    assert [head.split("'")[1].split("/")[0] for head in heads] == ["GET ", "POST ", "GET "]
    anchors = [point for point in points if point.startswith("os.rename") and point.endswith(".journal.anchor")]
    assert len(anchors) == 4  # INTENT, SENDING, RESPONDED, VERIFIED
    assert len(points) > 20


@pytest.mark.parametrize("operation", NAIVE, ids=lambda operation: operation.name)
def test_a_naive_writer_sends_again_what_took_effect(world: World, operation: Operation) -> None:
    """The same cases catch a writer that only retries: an edit twice, two invoices instead of one."""
    client = operation.client(world)
    doubled: Counter[Fate] = Counter()
    for fates in (("answered",), ("answer lost",), ("gateway error",), ("late",)):
        for at in (1, 2, 3, 4):
            run(world, operation, client, fates, (at,))
            doubled[fates[0]] += is_doubled(world, operation)
    assert doubled["answered"] == 1  # killed between the answer and the note
    assert doubled["answer lost"] == doubled["gateway error"] == doubled["late"] == 4
