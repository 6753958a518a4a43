"""The journal's record of each step, word for word; the points between them; and the messages to the person."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from importlib.metadata import version
from itertools import count
from typing import Any

import pytest

from auditkit.corrections.apply import settle
from auditkit.corrections.plan import Change, Plan
from auditkit.corrections.tracking import Verdict, correction_id, corrections
from auditkit.errors import ApprovalRefused, PlanError
from auditkit.journal import canonical, digest
from auditkit.settings import DEMO, AccountKey
from auditkit.vendors.strict_json import dump

from .conftest import ACCOUNT, NEW_NRB, NOON, ONE, TWO, World, answer, nrb, only

KEY = "ak-key-1"
EDIT_POINTS = """INTENT unwritten, INTENT written, unread, read, SENDING unwritten, SENDING written, unsent, sent,
RESPONDED unwritten, RESPONDED written, unread, read, VERIFIED unwritten, VERIFIED written"""


def records(world: World, object_id: str) -> list[dict[str, Any]]:
    """The correction records of an object, as JSON."""
    return [r.body for r in world.journal.records("correction") if r.body["object"] == object_id]


def common(plan: Plan, change: Change, who: str = "bob") -> dict[str, Any]:
    """The fields of every record."""
    return {
        "correction": f"{plan.digest[:12]} {change.system} {change.object_id}",
        "system": change.system,
        "environment": "test",
        "account": "clerk",
        "object": change.object_id,
        "before": change.before_digest,
        "who": who,
        "version": version("auditkit"),
    }


def ticking() -> Callable[[], datetime]:
    """A clock that is one second later at each call."""
    seconds = count()
    return lambda: NOON + timedelta(seconds=next(seconds))


def message(error: type[Exception], call: Callable[..., object], *arguments: Any, **options: Any) -> str:
    """The message of the error that a call raises."""
    with pytest.raises(error) as caught:
        call(*arguments, **options)
    return str(caught.value)


# Records and points


@pytest.mark.parametrize("kind", ["edit-nrb", "create-nrb"])
def test_each_record_word_for_word(world: World, kind: str) -> None:
    is_edit = kind == "edit-nrb"
    change = world.edit(kind, ONE, nrbIsExported=True) if is_edit else world.creation(kind, KEY, **NEW_NRB)
    plan = world.plan(change)
    outcome = only(world.apply(plan, clock=ticking()))
    intent, sending, responded, verdict = records(world, change.object_id)
    same = common(plan, change)
    assert intent == same | {"step": "INTENT", "plan": plan.digest, "change": json.loads(canonical(asdict(change)))}
    assert sending == same | {
        "step": "SENDING",
        "attempt": 1,
        "request": digest(dump(change.body)),
        "seconds_since_read": "1.000",
    }
    counts = "created 0, edited 1" if is_edit else "created 1, edited 0"
    assert responded == same | {
        "step": "RESPONDED",
        "reply": {
            "answered": True,
            "may_resend": True,
            "detail": f"Aimsio: {counts}, with errors 0, not imported 0",
            "refused": False,
            "unexpected": "",
            "status": 200,
            "digest": responded["reply"]["digest"],
        },
    }
    words = "read back as planned" if is_edit else f"created as {outcome.created}, read back as planned"
    assert verdict == same | {"step": "VERIFIED", "detail": words, "also_changed": [], "created": outcome.created}
    assert (outcome.created is None) is is_edit


def test_a_side_effect_is_recorded_with_each_field_that_changed(world: World) -> None:
    world.edit_by_hand(ONE, nrbTotalAfterMarkup="800.00")
    assert only(world.apply(world.propose(ONE))).verdict is Verdict.SIDE_EFFECT
    assert records(world, ONE)[-1]["also_changed"] == ["nrbTotalAfterMarkup"]


def test_each_step_lies_between_two_points(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = world.approved(world.propose(ONE))
    points = []
    monkeypatch.setattr(sys, "audit", lambda event, *said: points.append((event, *said)))
    assert only(world.apply(plan)).verdict is Verdict.VERIFIED
    named = [said for event, *said in points if event == "auditkit.point"]
    assert named == [[name] for name in EDIT_POINTS.replace("\n", " ").split(", ")]


def test_recovery_and_settling_are_recorded_with_person_and_note(world: World) -> None:
    """Unknown after a send and after recovery; then a person records how it ended."""
    plan = world.propose(ONE)
    world.faulty.posts.append(503)
    world.faulty.gets.extend(["pass", *[503] * 6])
    assert only(world.apply(plan)).verdict is Verdict.UNKNOWN
    world.faulty.gets.extend([503] * 6)
    assert only(world.recover(identity="cas")).verdict is Verdict.UNKNOWN
    same = common(plan, plan.changes[0], "cas")
    *_, first, again = records(world, ONE)
    assert again == same | {"step": "UNKNOWN", "detail": first["detail"], "also_changed": [], "created": None}
    assert first["detail"].startswith("Aimsio") and "answered 503" in first["detail"]
    settle(
        same["correction"],
        " it is exported ",
        account=ACCOUNT,
        journal=world.journal,
        identity="dee",
    )
    assert records(world, ONE)[-1] == common(plan, plan.changes[0], "dee") | {
        "step": "SETTLED",
        "detail": "it is exported",
        "also_changed": [],
        "created": None,
    }
    assert world.recover() == []


# Settling


def test_only_an_unknown_outcome_can_be_settled(world: World) -> None:
    plan = world.propose(ONE, TWO)
    world.faulty.gets.extend(["lost", "lost"])
    assert [each.verdict for each in world.apply(plan)] == [Verdict.NOT_BEGUN, Verdict.VERIFIED]
    begun, closed = (correction_id(plan.digest, change) for change in plan.changes)
    for operation in (begun, closed, "no such"):
        said = message(PlanError, settle, operation, "seen", account=ACCOUNT, journal=world.journal, identity="bob")
        assert said == (
            f"{operation}: is not a correction of this account whose outcome is unknown; run `auditkit recover`"
        )
    said = message(PlanError, settle, begun, " ", account=ACCOUNT, journal=world.journal, identity="bob")
    assert said == "a note is needed: in one line, what you saw in the vendor's own screens"
    assert world.steps(ONE) == ["INTENT"]


# Messages


def test_the_person_who_applies_must_be_known(world: World) -> None:
    said = message(PlanError, world.apply, world.propose(ONE), identity=" ")
    assert said == "the person who applies is not known; set AUDITKIT_IDENTITY"


def test_an_applied_plan_is_reported_with_its_digest(world: World) -> None:
    plan = world.propose(ONE)
    world.apply(plan)
    said = message(PlanError, world.apply, plan)
    assert said == f"plan {plan.digest[:12]} was already applied; plan again for what is still wrong"


def test_identities_of_the_demo_count_on_the_demo_only(world: World) -> None:
    listed = [replace(approver, demo=True) for approver in world.approvers]
    plan = world.approved(world.propose(ONE))
    assert "listed for the demo only" in message(ApprovalRefused, world.apply, plan, approvers=listed)
    demo = AccountKey(DEMO, DEMO)
    of_demo = world.approved(replace(world.propose(ONE), account=demo))
    assert only(world.apply(of_demo, approvers=listed, account=demo)).verdict is Verdict.VERIFIED


@pytest.mark.parametrize(
    ("edit", "verdict", "words"),
    [
        (
            {"nrbNotes": "x", "nrbName": "y"},
            Verdict.CONFLICT,
            "nrbName, nrbNotes: changed since the plan was made; nothing was sent",
        ),
        ({}, Verdict.CONFLICT, "the time of its last change: changed since the plan was made; nothing was sent"),
        ({"nrbIsExported": True}, Verdict.ALREADY, "the object has the planned values; nothing was sent"),
    ],
    ids=["two fields", "the time", "done already"],
)
def test_reasons_not_to_send(world: World, edit: dict[str, Any], verdict: Verdict, words: str) -> None:
    plan = world.propose(ONE)
    world.edit_by_hand(ONE, **edit)
    outcome = only(world.apply(plan))
    assert (outcome.verdict, outcome.detail) == (verdict, words)


def test_existing_keys_are_listed(world: World) -> None:
    plan = world.plan(world.creation("create-nrb", KEY, **NEW_NRB))
    for guid in ("guid-1", "guid-2"):
        world.state.put_nrb(nrb(guid, nrbExternalId=KEY))
    outcome = only(world.apply(plan))
    assert outcome.verdict is Verdict.CONFLICT
    assert sorted(outcome.detail.removesuffix(": has this key already; nothing was sent").split(", ")) == [
        "guid-1",
        "guid-2",
    ]


@pytest.mark.parametrize(
    ("faults", "words"), [([401], "answered 401"), ([503, 503], "answered 503")], ids=["denied", "refused"]
)
def test_the_reason_why_an_object_could_not_be_read_is_shown(world: World, faults: list[int], words: str) -> None:
    plan = world.propose(ONE)
    world.faulty.gets.extend(faults)
    outcome = only(world.apply(plan))
    assert (outcome.verdict, words in outcome.detail) == (Verdict.REFUSED, True)


def test_a_created_object_that_cannot_be_read_stays_unknown(world: World) -> None:
    plan = world.plan(world.creation("create-nrb", KEY, **NEW_NRB))
    inner, reads = world.faulty.app, []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        """The search reads it (it is too new for the cache), the read after it does not find it; and so again."""
        made = world.state.nrbs_where("external_id", KEY)
        is_of_it = bool(made) and scope["path"].endswith(made[0]["nrbGuid"])
        reads.extend(made if is_of_it else ())
        if is_of_it and len(reads) % 2 == 0:
            await answer(send, 404, {})
        else:
            await inner(scope, receive, send)

    world.faulty.app = app
    outcome = only(world.apply(plan))
    assert (outcome.verdict, "answered 404" in outcome.detail) == (Verdict.UNKNOWN, True)
    assert world.waits == [1.0, 1.0]
    world.faulty.app = inner
    assert only(world.recover()).verdict is Verdict.VERIFIED


def test_finished_objects_are_reported_again_when_a_plan_is_continued(world: World) -> None:
    changes = world.creation("create-nrb", KEY, **NEW_NRB), *world.propose(ONE, TWO).changes
    plan = world.plan(*changes)
    world.faulty.posts.extend(["pass", 401])
    first = world.apply(plan)
    assert [each.verdict for each in first] == [Verdict.VERIFIED, Verdict.NOT_APPLIED, Verdict.NOT_BEGUN]
    assert first[0].created
    again = world.apply(plan)
    assert (again[:2], again[2].verdict) == (first[:2], Verdict.VERIFIED)
    assert [*corrections(world.journal)] == [correction_id(plan.digest, change) for change in changes]
