"""Each of the six operations over real HTTP, under every relevant behavior of the sandbox, with true verdicts only."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from auditkit.corrections.amounts import amount
from auditkit.corrections.apply import Outcome, settle
from auditkit.corrections.diff import covers, matches, unplanned_changes
from auditkit.corrections.operations.registry import OPERATIONS
from auditkit.corrections.plan import Change
from auditkit.corrections.tracking import Verdict, corrections
from auditkit.errors import OutcomeUnknown, PlanError
from auditkit.vendors.strict_json import parse

from .conftest import ACCOUNT, INVOICE, NEW_NRB, ONE, World, answer, invoice, item, nrb, only

KEY = "ak-key-1"
UPCHARGED_NRB = {
    **NEW_NRB,
    "nrbUpcharge": "10",
    "nrbInvoiceDate": 1_743_528_967_000,
}
LINE = {"name": "Fuel", "description": "BIT / REF EXT-0", "item_type": "material", "quantity": 1, "price": "20.10"}
NEW_INVOICE = {
    "type": "invoice",
    "status": 1,
    "is_active": True,
    "related": [{"id": "job-1", "type": "job"}],
    "items": [LINE, {"name": "Labor", "quantity": "1.5", "price": 10}],
}


def add_line(world: World) -> Change:
    return world.edit("add-line", INVOICE, items=[*lines(world), LINE])


def lines(world: World) -> list[dict[str, Any]]:
    return parse(world.clients.read(OPERATIONS["add-line"], INVOICE), INVOICE)["items"]


MAKE = {
    "edit-nrb": lambda world: world.edit(
        "edit-nrb", ONE, nrbUpcharge="12", nrbInvoiceDate=1_743_600_000_000, nrbNotes="corrected"
    ),
    "create-nrb": lambda world: world.creation("create-nrb", KEY, **UPCHARGED_NRB),
    "edit-invoice": lambda world: world.edit(
        "edit-invoice", INVOICE, external_id="QB-1", number="1002", date_due=1_750_000_000, note="corrected"
    ),
    "add-line": add_line,
    "create-invoice": lambda world: world.creation("create-invoice", KEY, **NEW_INVOICE),
    "deactivate-invoice": lambda world: world.edit("deactivate-invoice", INVOICE, is_active=False),
}
EDITS = [name for name in MAKE if not OPERATIONS[name].creates]
CREATIONS = [name for name in MAKE if OPERATIONS[name].creates]
SENT_ONCE = ["INTENT", "SENDING", "RESPONDED"]


@dataclass(frozen=True)
class Ended:
    """A change, its reported outcome, and what the server held before and after."""

    change: Change
    outcome: Outcome
    before: dict[str, Any] | None
    stored: dict[str, Any] | None

    @property
    def verdict(self) -> Verdict:
        return self.outcome.verdict


def stored(world: World, change: Change) -> dict[str, Any] | None:
    """The object in the server's own database, by its id or by the key of a creation."""
    if change.operation_type.creates:
        made = with_key(world, change)
        return made[0] if len(made) == 1 else None
    text = (world.state.nrb_text if change.system == "aimsio" else world.state.invoice_text)(change.object_id)
    return None if text is None else parse(text, change.object_id)


def with_key(world: World, change: Change) -> list[dict[str, Any]]:
    if change.system == "aimsio":
        return world.state.nrbs_where("external_id", change.object_id)
    texts = world.state.invoice_page(0, 2_000, bounds=[], with_deleted=True, shuffle=None)
    return [body for text in texts if (body := parse(text, "stored"))["external_id"] == change.object_id]


def applied(world: World, operation: str | Change) -> Ended:
    change = MAKE[operation](world) if isinstance(operation, str) else operation
    before = stored(world, change)
    return Ended(change, only(world.apply(world.plan(change))), before, stored(world, change))


def is_true(ended: Ended) -> bool:
    """Whether a verdict agrees with the server's own state; of the code under test only `covers` is used."""
    change, found = ended.change, ended.stored
    if found is None:
        return ended.verdict in (Verdict.REFUSED, Verdict.NOT_APPLIED, Verdict.UNKNOWN)
    as_planned = all(
        covers(value, found.get(name), name) if isinstance(value, list) else matches(name, value, found.get(name))
        for name, value in change.after.items()
    )
    totals = all(amount(found.get(name)) == due for name, due in change.expected.items())
    if change.operation_type.creates:
        return {Verdict.VERIFIED: as_planned and totals, Verdict.SIDE_EFFECT: not (as_planned and totals)}[
            ended.verdict
        ]
    others = unplanned_changes(ended.before, found, change.after)
    return {
        Verdict.VERIFIED: as_planned and totals and not others,
        Verdict.SIDE_EFFECT: as_planned and bool(others or not totals),
        Verdict.ALREADY: as_planned,
        Verdict.NOT_APPLIED: not unplanned_changes(ended.before, found, ()),
        Verdict.CONFLICT: found != ended.before,
    }[ended.verdict]


# Success, under every behavior

ALL_AT_ONCE = {
    "numbers": "numbers",
    "jobnimbus_numbers": "strings",
    "absent": "refused",
    "post_body": "object",
    "put_body": "object",
    "put_requires_jnid": "yes",
    "deleted": "hidden",
    "list_rows": "slim",
    "order": "random-per-request",
    "count": "filter",
    "filter": "ignored",
    "beyond_window": "wrap-to-last",
    "invoice_date_time": "rewritten",
    "list_shape": "value",
    "stub_key": "id",
}


SOME = {
    "post_body": "object",
    "put_body": "object",
    "list_rows": "slim",
    "order": "stable-random",
    "numbers": "numbers",
}
OTHERS = {
    "put_requires_jnid": "yes",
    "jobnimbus_numbers": "strings",
    "absent": "refused",
    "filter": "ignored",
    "beyond_window": "empty",
}


@pytest.mark.parametrize("switches", [{}, SOME, OTHERS, ALL_AT_ONCE], ids=["as the pages say", "some", "others", "all"])
def test_every_operation_is_applied_and_verified_under_every_behavior(make_world, switches):
    world = make_world(**switches)
    before = [line["jnid"] for line in lines(world)]
    for operation in MAKE:
        ended = applied(world, operation)
        assert (ended.verdict, is_true(ended)) == (Verdict.VERIFIED, True), (operation, ended.outcome.detail)
        assert world.steps(ended.change.object_id)[-4:] == [*SENT_ONCE, "VERIFIED"]
        if ended.change.operation_type.creates:
            id_field = ended.change.operation_type.id_field
            assert ended.outcome.created == ended.stored[id_field] != KEY
    assert world.faulty.posts_seen == len(MAKE)
    assert world.waits == []
    assert world.invoice()["is_active"] is False
    assert [line["jnid"] for line in world.invoice()["items"][:2]] == before
    world.check_requests()


@pytest.mark.parametrize("operation", MAKE)
@pytest.mark.parametrize("switches", [{"absent": "nulled"}, {"items": "merged"}, ALL_AT_ONCE | {"absent": "nulled"}])
def test_verdicts_are_true_where_the_vendor_does_more_than_was_asked_for(make_world, operation, switches):
    world = make_world(**switches)
    ended = applied(world, operation)
    loses = operation == "edit-nrb" and "absent" in switches
    assert ended.verdict is (Verdict.SIDE_EFFECT if loses else Verdict.VERIFIED), ended.outcome.detail
    assert is_true(ended)
    world.check_requests()


@pytest.mark.parametrize(
    ("items", "verdict"),
    [("replaced", Verdict.VERIFIED), ("merged", Verdict.CONFLICT)],  # merged, the remaining line is filled up
)
def test_a_line_is_removed_only_where_arrays_are_replaced(make_world, items, verdict):
    world = make_world(items=items)
    ended = applied(world, world.edit("edit-invoice", INVOICE, items=lines(world)[1:]))
    assert (ended.verdict, is_true(ended)) == (verdict, True)
    assert len(world.invoice()["items"]) == (1 if items == "replaced" else 2)
    world.check_requests()


def test_a_replaced_line_is_a_conflict_where_arrays_are_merged(make_world):
    world = make_world(items="merged")
    ended = applied(world, world.edit("edit-invoice", INVOICE, items=[lines(world)[0], LINE]))
    assert (ended.verdict, is_true(ended)) == (Verdict.CONFLICT, True)
    assert len(world.invoice()["items"]) == 3
    world.check_requests()


def test_a_price_is_changed_and_the_vendor_computes_the_rest(world):
    first, second = lines(world)
    cheaper = {name: value for name, value in first.items() if name != "amount"} | {"price": "800.25"}
    ended = applied(world, world.edit("edit-invoice", INVOICE, items=[cheaper, second]))
    assert (ended.verdict, is_true(ended)) == (Verdict.VERIFIED, True), ended.outcome.detail
    assert {name: str(amount(ended.stored[name])) for name in ("subtotal", "total", "due")} == {
        "subtotal": "1662.75",
        "total": "1749",
        "due": "1749",
    }


# What is sent


DOCUMENTED = {
    **dict.fromkeys(("nrbRate", "nrbQuantity", "nrbUpcharge", "quantity", "price", "amount"), (int, float)),
    **dict.fromkeys(("nrbInvoiceDate", "status"), int),
    **dict.fromkeys(("nrbIsBillable", "is_active"), bool),
}


def fields(value: Any) -> Iterator[tuple[str, Any]]:
    """Each field of a body, at whatever depth."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        yield str(name), member
        yield from fields(member)


@pytest.mark.parametrize("operation", MAKE)
@pytest.mark.parametrize("numbers", ["strings", "numbers"])
def test_numbers_and_booleans_are_sent_as_the_vendors_document_them(make_world, operation, numbers):
    """In whatever form the vendor answers: the page of NRBs says number, and shows text."""
    world = make_world(numbers=numbers)
    inner, sent = world.faulty.app, []

    async def app(scope, receive, send):
        async def receiving():
            message = await receive()
            if scope["method"] in ("POST", "PUT"):
                sent.append(message.get("body", b""))
            return message

        await inner(scope, receiving, send)

    world.faulty.app = app
    assert applied(world, operation).verdict is Verdict.VERIFIED
    body = json.loads(b"".join(sent))
    typed = [(name, value) for name, value in fields(body) if name in DOCUMENTED and value is not None]
    assert typed or operation == "edit-invoice"  # which sets a note alone
    for name, value in typed:
        assert isinstance(value, DOCUMENTED[name]), (name, value)
        assert isinstance(value, bool) is (DOCUMENTED[name] is bool), (name, value)


# Edits by somebody else


@pytest.mark.parametrize("operation", EDITS)
@pytest.mark.parametrize(
    ("theirs", "verdict"),
    [("note", Verdict.CONFLICT), ("nothing but the time", Verdict.CONFLICT), ("the same", Verdict.ALREADY)],
)
def test_an_edit_by_somebody_else_before_ours_is_never_overwritten(world, operation, theirs, verdict):
    change = MAKE[operation](world)
    plan, seen = world.plan(change), stored(world, change)
    values = {"the same": change.after, "note": {"nrbName": "x"}, "nothing but the time": {}}[theirs]
    if change.system == "aimsio":
        world.edit_by_hand(ONE, **values)
    else:
        values = {"terms": "x"} if theirs == "note" else values
        stand = seen
        world.state.put_invoice({**stand, **values, "date_updated": stand["date_updated"] + 1})
    before = stored(world, change)
    outcome = only(world.apply(plan))
    assert outcome.verdict is verdict
    assert is_true(Ended(change, outcome, seen, stored(world, change)))
    assert stored(world, change) == before
    assert world.faulty.posts_seen == 0


@pytest.mark.parametrize("operation", EDITS)
def test_a_missing_object_is_refused_before_anything_is_sent(world, operation):
    change = MAKE[operation](world)
    plan = world.plan(change)
    (world.state.delete_nrb if change.system == "aimsio" else world.state.delete_invoice)(change.object_id)
    assert only(world.apply(plan)).verdict is Verdict.REFUSED
    assert (world.steps(), world.faulty.posts_seen) == (["INTENT", "REFUSED"], 0)


@pytest.mark.parametrize("operation", EDITS)
def test_an_object_that_disappears_after_the_send_was_deleted_or_is_a_conflict(world, operation):
    change = MAKE[operation](world)
    plan = world.plan(change)
    delete = world.state.delete_nrb if change.system == "aimsio" else world.state.delete_invoice
    world.faulty.posts.append("lost")
    expected = Verdict.VERIFIED if operation == "deactivate-invoice" else Verdict.CONFLICT
    assert only(world.apply(plan, sleep=lambda _: delete(change.object_id))).verdict is expected


@pytest.mark.parametrize("operation", EDITS)
def test_an_edit_that_the_vendor_refuses_is_not_applied(world, operation):
    world.faulty.posts.append(400)
    ended = applied(world, operation)
    assert (ended.verdict, is_true(ended), world.faulty.posts_seen) == (Verdict.NOT_APPLIED, True, 1)


@pytest.mark.parametrize("operation", EDITS)
@pytest.mark.parametrize("post", ["lost", "answer lost"])
def test_an_unanswered_edit_is_read_after_the_quiet_time(world, operation, post):
    world.faulty.posts.append(post)
    ended = applied(world, operation)
    assert (ended.verdict, is_true(ended)) == (Verdict.VERIFIED, True)
    assert world.waits[0] == ended.change.operation_type.quiet == (15 if ended.change.system == "aimsio" else 60)
    assert world.faulty.posts_seen == (2 if post == "lost" else 1)


# Computed amounts


def bent(world: World, field: str, value: Any) -> None:
    """Make the vendor store another amount than the expected one after our write."""
    inner = world.faulty.app

    async def app(scope, receive, send):
        await inner(scope, receive, send)
        if scope["method"] in ("POST", "PUT"):
            for object_id, put, text in (
                (ONE, world.state.put_nrb, world.state.nrb_text(ONE)),
                (INVOICE, world.state.put_invoice, world.state.invoice_text(INVOICE)),
            ):
                if field in (body := parse(text, object_id)):
                    put({**body, field: value})

    world.faulty.app = app


@pytest.mark.parametrize(
    ("operation", "field", "value", "words"),
    [
        ("edit-nrb", "nrbTotalAfterMarkup", "877.51", "nrbTotalAfterMarkup is 877.51, expected 877.50"),
        ("edit-nrb", "nrbTotalAfterMarkup", None, "nrbTotalAfterMarkup is None, expected 877.50"),
        ("add-line", "subtotal", "1745.11", "subtotal is 1745.11, expected 1745.10"),
        ("add-line", "due", "1", "due is 1, expected 1831.35"),
        ("add-line", "total_paid", 5, "total_paid"),
        ("deactivate-invoice", "total", 0, "total"),
        ("edit-invoice", "total", "1811.26", "total"),
    ],
)
def test_an_unexpected_amount_is_a_side_effect(world, operation, field, value, words):
    bent(world, field, value)
    ended = applied(world, operation)
    assert (ended.verdict, is_true(ended)) == (Verdict.SIDE_EFFECT, True)
    assert ended.outcome.detail.endswith(words)


def test_an_edit_that_changed_only_a_total_is_a_conflict(world):
    change = world.edit("edit-nrb", ONE, nrbUpcharge="12")
    plan = world.plan(change)
    world.faulty.posts.append(400)  # like a vendor that keeps the markup and computes the total from the new one
    outcome = only(world.apply(plan, sleep=lambda _: world.edit_by_hand(ONE, nrbTotalAfterMarkup="877.50")))
    assert outcome.verdict is Verdict.CONFLICT
    assert world.faulty.posts_seen == 1


def test_a_created_invoice_with_another_total_is_a_side_effect_that_names_it(world):
    change = world.creation("create-invoice", KEY, **NEW_INVOICE)
    inner = world.faulty.app

    async def app(scope, receive, send):
        await inner(scope, receive, send)
        if scope["method"] == "POST":
            (made,) = with_key(world, change)
            world.state.put_invoice({**made, "total": 99})

    world.faulty.app = app
    outcome = only(world.apply(world.plan(change)))
    assert outcome.verdict is Verdict.SIDE_EFFECT
    assert outcome.detail.endswith("but not as planned: total is 99, expected 35.10")
    assert outcome.created == with_key(world, change)[0]["jnid"]


# Creations: searched for by their key, never sent twice


@pytest.mark.parametrize("operation", CREATIONS)
def test_an_existing_key_is_a_conflict_and_nothing_is_sent(world, operation):
    first = applied(world, operation)
    assert first.verdict is Verdict.VERIFIED
    again = replace(world.plan(MAKE[operation](world)), snapshot_id="snapshot-2")
    outcome = only(world.apply(again))
    assert (outcome.verdict, world.faulty.posts_seen) == (Verdict.CONFLICT, 1)
    assert first.outcome.created in outcome.detail


@pytest.mark.parametrize("operation", CREATIONS)
def test_a_creation_searches_for_its_key_once_more_right_before_it_is_sent(world, operation):
    """A copy of this home may have created the object while the first search was under way."""
    change = MAKE[operation](world)
    inner, reads = world.faulty.app, []

    async def app(scope, receive, send):
        if scope["method"] == "GET":
            reads.append(None)
            if len(reads) == of_a_search + 1:
                world.state.put_nrb(nrb("theirs", nrbExternalId=KEY))
                world.state.put_invoice(invoice("theirs", external_id=KEY))
        await inner(scope, receive, send)

    world.faulty.app, of_a_search = app, -1
    for _ in range(2):  # the first one fills the cache
        reads.clear()
        assert world.clients.find(change.operation_type, KEY) == []
    of_a_search = len(reads)
    reads.clear()
    outcome = only(world.apply(world.plan(change)))
    assert (outcome.verdict, world.faulty.posts_seen) == (Verdict.CONFLICT, 0)
    assert outcome.detail == "theirs: has this key already; nothing was sent"


@pytest.mark.parametrize("switches", [{}, ALL_AT_ONCE], ids=["plain", "all at once"])
@pytest.mark.parametrize("operation", CREATIONS)
def test_a_creation_whose_answer_is_lost_is_found_by_its_key(make_world, operation, switches):
    world = make_world(**switches)
    world.faulty.posts.append("answer lost")
    ended = applied(world, operation)
    assert (ended.verdict, is_true(ended)) == (Verdict.VERIFIED, True)
    assert world.waits == [ended.change.operation_type.quiet]
    assert (world.steps(), world.faulty.posts_seen) == (["INTENT", "SENDING", "NORESPONSE", "VERIFIED"], 1)
    world.check_requests()


@pytest.mark.parametrize("operation", CREATIONS)
def test_a_lost_creation_stays_unknown_until_a_person_settles_it(world, operation):
    world.faulty.posts.append("lost")
    plan = world.plan(MAKE[operation](world))
    other = world.propose(ONE)
    for _ in range(2):
        assert only(world.apply(plan)).verdict is Verdict.UNKNOWN
    assert only(world.recover()).verdict is Verdict.UNKNOWN
    with pytest.raises(OutcomeUnknown, match="outcome unknown"):
        world.apply(other)
    assert world.faulty.posts_seen == 1
    (open_one,) = (each for each in corrections(world.journal).values() if each.is_open)
    with pytest.raises(PlanError, match="a note is needed"):
        settle(open_one.id, " ", account=ACCOUNT, journal=world.journal, identity="bob")
    settle(
        open_one.id,
        "not there in the vendor's own list",
        account=ACCOUNT,
        journal=world.journal,
        identity="bob",
    )
    with pytest.raises(PlanError, match="is not a correction of this account"):
        settle(open_one.id, "again", account=ACCOUNT, journal=world.journal, identity="bob")
    assert world.recover() == []
    assert only(world.apply(other)).verdict is Verdict.VERIFIED
    assert world.steps(KEY)[-1] == "SETTLED"
    assert with_key(world, plan.changes[0]) == []


@pytest.mark.parametrize("operation", CREATIONS)
def test_a_creation_that_takes_effect_late_is_found_by_recovery(world, operation):
    plan = world.plan(MAKE[operation](world))
    late = []
    inner = world.faulty.app

    async def app(scope, receive, send):
        if scope["method"] == "POST" and not late:
            late.append((dict(scope), await receive()))
            await answer(send, 504, {})
        else:
            await inner(scope, receive, send)

    world.faulty.app = app
    assert only(world.apply(plan)).verdict is Verdict.UNKNOWN

    async def lands(scope, receive, send):
        if scope["method"] == "GET" and len(late) == 1:
            kept, message = late[0]
            late.append(None)

            async def receive_kept():
                return message

            async def drop(_):
                pass

            await inner(kept, receive_kept, drop)
        await inner(scope, receive, send)

    world.faulty.app = lands
    assert only(world.recover()).verdict is Verdict.VERIFIED
    assert (len(with_key(world, plan.changes[0])), world.faulty.posts_seen) == (1, 1)


@pytest.mark.parametrize(
    ("operation", "post"),
    [
        ("create-invoice", 400),
        ("create-nrb", 400),
        (
            "create-nrb",
            {
                f"numberOfEntities{name}": count
                for name, count in {
                    "Created": 0,
                    "Edited": 0,
                    "EditedWithErrors": 0,
                    "NotImportedDueToErrors": 1,
                    "Imported": 0,
                }.items()
            },
        ),
    ],
    ids=["400 of JobNimbus", "400 of Aimsio", "not imported"],
)
def test_a_creation_that_the_vendor_refuses_is_not_applied(world, operation, post):
    world.faulty.posts.append(post)
    ended = applied(world, operation)
    assert (ended.verdict, ended.stored, world.faulty.posts_seen) == (Verdict.NOT_APPLIED, None, 1)
    assert ended.outcome.detail.startswith("refused, and not there")


def test_an_nrb_that_aimsio_does_not_import_is_not_applied(world):
    change = world.creation("create-nrb", KEY, **UPCHARGED_NRB | {"nrbVendorCode": "NOBODY"})
    outcome = only(world.apply(world.plan(change)))
    assert (outcome.verdict, with_key(world, change)) == (Verdict.NOT_APPLIED, [])
    assert "no such vendor code" in outcome.detail


@pytest.mark.parametrize("operation", CREATIONS)
def test_a_creation_that_a_proxy_applies_twice_is_a_conflict_that_names_both(world, operation):
    change = MAKE[operation](world)
    inner = world.faulty.app

    async def app(scope, receive, send):
        await inner(scope, receive, send)
        if scope["method"] == "POST":
            (made,) = with_key(world, change)
            if change.system == "aimsio":
                world.state.put_nrb({**made, "nrbGuid": "the-second"})
            else:
                world.state.put_invoice({**made, "jnid": "the-second"})

    world.faulty.app = app
    outcome = only(world.apply(world.plan(change)))
    assert outcome.verdict is Verdict.CONFLICT
    assert "2 objects have this key" in outcome.detail and "the-second" in outcome.detail
    assert world.faulty.posts_seen == 1


def test_a_creation_is_found_among_more_invoices_than_one_page_holds(world):
    for number in range(1_050):
        world.state.put_invoice(invoice(f"other-{number:04}", items=[item(1)], date_created=1_700_000_000 + number))
    ended = applied(world, "create-invoice")
    assert (ended.verdict, is_true(ended)) == (Verdict.VERIFIED, True)


def test_a_creation_is_refused_where_the_list_cannot_be_read_whole(make_world):
    world = make_world(order="random-per-request", filter="ignored")
    for number in range(1_050):
        world.state.put_invoice(invoice(f"other-{number:04}", items=[item(1)], date_created=1_700_000_000 + number))
    change = world.creation("create-invoice", KEY, **NEW_INVOICE)
    outcome = only(world.apply(world.plan(change)))
    assert (outcome.verdict, world.faulty.posts_seen) == (Verdict.REFUSED, 0)
    assert "could not be read whole" in outcome.detail
