"""The invariants of a run: a step out of order sends nothing and records no untrue verdict."""

from dataclasses import asdict, replace

import pytest

from auditkit.corrections.apply import _Run
from auditkit.corrections.tracking import Correction, Verdict, correction_id
from auditkit.corrections.verdicts import Conclusion

from .conftest import ACCOUNT, ONE, World

KEY = "ak-key-1"
PLANNED = "nothing is sent without a read that shows the object as planned"
SENT = "an edit is sent at most three times, a creation once"
LANDED = "no verdict while a request of ours could still take effect"
PROVEN = "what was applied is proven by a fresh read"


def message(what: str) -> str:
    return f"^invariant broken: {what}; nothing more is sent$"


def begun(world: World, operation: str = "edit-nrb") -> tuple[_Run, Correction]:
    """A run, and a correction of it right before its first send."""
    if operation == "edit-nrb":
        change = world.edit(operation, ONE, nrbIsExported=True)
    else:
        related = [{"id": "job-1", "type": "job"}]
        items = [{"name": "Labor", "quantity": 1, "price": 10}]
        change = world.creation(operation, KEY, type="invoice", status=1, is_active=True, related=related, items=items)
    run = _Run(world.clients, world.journal, "bob", lambda: world.now, world.waits.append)
    return run, run._record_intent(Correction("0" * 64, ACCOUNT, change))


@pytest.mark.parametrize(
    ("operation", "sends", "what"),
    [
        ("edit-nrb", 0, PLANNED),
        ("edit-nrb", 2, PLANNED),
        ("edit-nrb", 3, SENT),
        ("create-invoice", 0, PLANNED),
        ("create-invoice", 1, SENT),
    ],
)
def test_nothing_is_sent_without_a_read_or_too_often(world, operation, sends, what):
    run, so_far = begun(world, operation)
    with pytest.raises(AssertionError, match=message(what)):
        run._send(replace(so_far, sends=sends))
    assert (world.steps(), world.faulty.posts_seen) == (["INTENT"], 0)


def test_nothing_is_sent_after_a_read_that_forbids_it(world):
    run, operation = begun(world)
    world.edit_by_hand(ONE, nrbNotes="another")
    assert run._pre_read(operation).verdict is Verdict.CONFLICT
    with pytest.raises(AssertionError, match=message(PLANNED)):
        run._send(operation)
    assert (world.steps(), world.faulty.posts_seen) == (["INTENT"], 0)


def test_each_send_needs_a_read_of_its_own(world):
    run, operation = begun(world)
    assert run._pre_read(operation) is None
    sent = run._send(operation)
    with pytest.raises(AssertionError, match=message(PLANNED)):
        run._send(sent)
    assert (world.steps(), world.faulty.posts_seen) == (["INTENT", "SENDING", "RESPONDED"], 1)


@pytest.mark.parametrize("verdict", [Verdict.VERIFIED, Verdict.NOT_APPLIED])
def test_no_verdict_while_a_request_could_still_take_effect(world, verdict):
    run, operation = begun(world)
    run._pre_read(operation)
    sent = run._send(operation)
    with pytest.raises(AssertionError, match=message(LANDED)):
        run._record_verdict(sent, Conclusion(verdict, "too early"))
    assert world.steps() == ["INTENT", "SENDING", "RESPONDED"]


@pytest.mark.parametrize("verdict", [Verdict.VERIFIED, Verdict.SIDE_EFFECT])
def test_no_verdict_without_a_read(world, verdict):
    run, operation = begun(world)
    with pytest.raises(AssertionError, match=message(PROVEN)):
        run._record_verdict(operation, Conclusion(verdict, "so the answer says"))
    assert world.steps() == ["INTENT"]


@pytest.mark.parametrize("verdict", [Verdict.VERIFIED, Verdict.SIDE_EFFECT])
def test_no_verdict_from_a_read_before_the_send(world, verdict):
    run, operation = begun(world)
    run._pre_read(operation)
    sent = run._send(operation)
    with pytest.raises(AssertionError, match=message(PROVEN)):
        run._record_verdict(replace(sent, nothing_in_flight=True), Conclusion(verdict, "so the answer says"))
    assert world.steps() == ["INTENT", "SENDING", "RESPONDED"]


def test_an_intent_with_another_change_is_refused(world):
    """Anybody who can write the journal's file can add a line with a valid chain."""
    plan = world.propose(ONE)
    forged = world.edit("edit-nrb", ONE, nrbRate="0.01")
    said = {"correction": correction_id(plan.digest, forged), "plan": plan.digest, "change": asdict(forged)}
    signed = world.approved(plan)
    world.journal.append("correction", {"step": "INTENT", **ACCOUNT._asdict(), "object": ONE, **said})
    with pytest.raises(AssertionError, match=message("what is executed is what was planned")):
        world.apply(signed)
    assert (world.steps(), world.faulty.posts_seen) == (["INTENT"], 0)
