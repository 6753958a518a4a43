"""Applying a plan: every ending of the state machine over real HTTP, with true verdicts only."""

import errno
import itertools
import os
import resource
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import timedelta

import pytest

from auditkit.corrections.apply import VERIFY_PAUSE_SECONDS, Outcome, settle
from auditkit.corrections.operations.registry import OPERATIONS
from auditkit.corrections.plan import LIFETIME, FieldChange
from auditkit.corrections.tracking import Verdict, corrections
from auditkit.errors import Busy, JournalError, OutcomeUnknown, PlanError
from auditkit.settings import AccountKey

from .conftest import ACCOUNT, CHILD, NEW_NRB, NOON, ONE, PARENT, TWO, only

QUIET_SECONDS = OPERATIONS["edit-nrb"].quiet
VERIFIED_STEPS = ["INTENT", "SENDING", "RESPONDED", "VERIFIED"]
CLEAN = {"Created": 0, "Edited": 1, "EditedWithErrors": 0, "NotImportedDueToErrors": 0, "Imported": 1}


def import_result(**counts):
    return {f"numberOfEntities{name}": count for name, count in {**CLEAN, **counts}.items()} | {"notices": []}


# Success


def test_each_object_is_sent_once_and_read_back(world):
    plan = world.propose(ONE, TWO)
    seen: list[Outcome] = []
    outcomes = world.apply(plan, progress=seen.append)
    assert (
        outcomes == seen == [Outcome("edit-nrb", guid, Verdict.VERIFIED, "read back as planned") for guid in (ONE, TWO)]
    )
    assert [world.nrb(guid)["nrbIsExported"] for guid in (ONE, TWO)] == [True, True]
    assert world.steps(ONE) == world.steps(TWO) == VERIFIED_STEPS
    assert world.waits == []  # an answered send needs no quiet time
    assert world.faulty.posts_seen == 2


# Fields that an edit does not send


def test_fields_that_the_vendor_keeps_are_verified(make_world):
    world = make_world(absent="kept")
    before = world.nrb(ONE)
    assert only(world.apply(world.propose(ONE))).verdict is Verdict.VERIFIED
    after = world.nrb(ONE)
    assert {name for name in after if after[name] != before[name]} == {"nrbIsExported", "nrbUpdatedAt"}


def test_fields_that_the_vendor_empties_are_a_side_effect_that_names_each(make_world):
    world = make_world(absent="nulled")
    before = world.nrb(ONE)
    outcome = only(world.apply(world.propose(ONE)))
    after = world.nrb(ONE)
    lost = sorted(name for name in after if after[name] != before.get(name))
    assert outcome.verdict is Verdict.SIDE_EFFECT
    assert outcome.detail.split(": ")[1].split(", ") == [
        name for name in lost if name not in ("nrbIsExported", "nrbUpdatedAt")
    ]
    assert "nrbVendorTax" in lost
    assert "nrbTotalAfterMarkup" in lost
    assert all(after[name] == before[name] for name in ("nrbRate", "nrbVendorCode", "nrbExternalId"))


@pytest.mark.parametrize("numbers", ["strings", "numbers"])
def test_required_fields_are_sent_where_the_vendor_refuses_edits_without_them(make_world, numbers):
    world = make_world(absent="refused", numbers=numbers)
    assert only(world.apply(world.propose(ONE))).verdict is Verdict.VERIFIED
    assert world.nrb(ONE)["nrbIsExported"] is True


def test_a_refused_import_is_not_applied_and_not_sent_again(world):
    plan = world.propose(ONE)
    world.faulty.posts.append(import_result(Edited=0, NotImportedDueToErrors=1, Imported=0))
    outcome = only(world.apply(plan))
    assert outcome.verdict is Verdict.NOT_APPLIED
    assert outcome.detail == "still as before (Aimsio: created 0, edited 0, with errors 0, not imported 1)"
    assert world.steps() == ["INTENT", "SENDING", "RESPONDED", "NOT_APPLIED"]


def test_a_total_that_the_server_recomputes_is_a_side_effect(world):
    world.edit_by_hand(ONE, nrbTotalAfterMarkup="800.00")
    outcome = only(world.apply(world.propose(ONE)))
    assert (outcome.verdict, world.nrb(ONE)["nrbTotalAfterMarkup"]) == (Verdict.SIDE_EFFECT, "862.50")
    assert outcome.detail.endswith(": nrbTotalAfterMarkup")


def test_parents_and_children_are_edited_separately(world):
    world.edit_by_hand(CHILD, nrbParentGuid=None)  # else editing the child would change the parent too
    assert [outcome.verdict for outcome in world.apply(world.propose(PARENT, CHILD))] == [Verdict.VERIFIED] * 2


# Before anything is sent


@pytest.mark.parametrize(
    ("edit", "verdict", "words"),
    [
        ({"nrbNotes": "another"}, Verdict.CONFLICT, "nrbNotes: changed since"),
        ({"nrbIsExported": None}, Verdict.CONFLICT, "nrbIsExported: changed since"),
        ({}, Verdict.CONFLICT, "the time of its last change: changed since"),
        ({"nrbIsExported": True}, Verdict.ALREADY, "has the planned values"),
        ({"nrbIsExported": True, "nrbNotes": "another"}, Verdict.ALREADY, "has the planned values"),
    ],
)
def test_an_edit_by_somebody_else_is_never_overwritten(world, edit, verdict, words):
    plan = world.propose(ONE)
    world.edit_by_hand(ONE, **edit)
    stored = world.nrb(ONE)
    outcome = only(world.apply(plan))
    assert outcome.verdict is verdict
    assert words in outcome.detail
    assert world.nrb(ONE) == stored
    assert world.steps() == ["INTENT", verdict]
    assert world.faulty.posts_seen == 0


def test_a_missing_object_is_refused_and_the_run_continues(world):
    plan = world.propose(ONE, TWO)
    world.state.delete_nrb(ONE)
    assert [outcome.verdict for outcome in world.apply(plan)] == [Verdict.REFUSED, Verdict.VERIFIED]
    assert world.steps(ONE) == ["INTENT", "REFUSED"]


def test_an_object_without_an_answer_stays_open_and_the_run_continues(world):
    plan = world.propose(ONE, TWO)
    world.faulty.gets.extend(["lost", "lost"])
    first, second = world.apply(plan)
    assert (first.verdict, second.verdict) == (Verdict.NOT_BEGUN, Verdict.VERIFIED)
    assert first.detail.startswith("nothing was sent; apply the plan again: ")
    assert world.steps(ONE) == ["INTENT"]
    assert [outcome.verdict for outcome in world.apply(plan)] == [Verdict.VERIFIED, Verdict.VERIFIED]
    assert world.steps(ONE) == VERIFIED_STEPS
    assert world.faulty.posts_seen == 2


@pytest.mark.parametrize("faults", [[503, 503], [{"nrbGuid": "another"}]], ids=str)
def test_an_object_that_cannot_be_read_is_refused(world, faults):
    plan = world.propose(ONE)
    world.faulty.gets.extend(faults)
    assert only(world.apply(plan)).verdict is Verdict.REFUSED
    assert world.faulty.posts_seen == 0


def test_refused_credentials_stop_the_run(world):
    plan = world.propose(ONE, TWO)
    world.faulty.gets.append(401)
    assert [outcome.verdict for outcome in world.apply(plan)] == [Verdict.REFUSED, Verdict.NOT_BEGUN]
    assert world.steps() == ["INTENT", "REFUSED"]
    assert [outcome.verdict for outcome in world.apply(plan)] == [Verdict.REFUSED, Verdict.VERIFIED]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"account": AccountKey("production", "clerk")}, "is for clerk at test, not for clerk at production"),
        ({"account": AccountKey("test", "other")}, "not for other at test"),
        ({"clock": lambda: NOON + LIFETIME}, "expired"),
        ({"identity": " "}, "AUDITKIT_IDENTITY"),
    ],
    ids=["environment", "account", "expiry", "identity"],
)
def test_a_plan_for_another_account_time_or_person_is_refused(world, change, message):
    with pytest.raises(PlanError, match=message):
        world.apply(world.propose(ONE), **change)
    assert (world.steps(), world.faulty.posts_seen) == ([], 0)


def test_a_plan_is_applied_once(world):
    plan = world.propose(ONE)
    world.apply(plan)
    with pytest.raises(PlanError, match="already applied"):
        world.apply(plan)
    again = replace(plan, snapshot_id="snapshot-2")  # another plan for the same change
    assert only(world.apply(again)).verdict is Verdict.ALREADY
    assert world.faulty.posts_seen == 1


def test_one_run_at_a_time(world):
    plan = world.propose(ONE)
    with world.journal.sole_writer(), pytest.raises(Busy):
        world.apply(plan)
    assert world.steps() == []


# Sends without an answer


def test_an_applied_edit_whose_answer_is_lost_is_verified_after_the_quiet_time(world):
    plan = world.propose(ONE)
    world.faulty.posts.append("answer lost")
    assert only(world.apply(plan)).verdict is Verdict.VERIFIED
    assert world.steps() == ["INTENT", "SENDING", "NORESPONSE", "VERIFIED"]
    assert world.waits == [QUIET_SECONDS]
    assert world.faulty.posts_seen == 1


def test_an_edit_that_takes_effect_late_is_verified_and_not_sent_again(world):
    plan = world.propose(ONE)
    world.faulty.posts.append("lost")

    def lands_meanwhile(seconds):
        world.waits.append(seconds)
        world.edit_by_hand(ONE, nrbIsExported=True)

    assert only(world.apply(plan, sleep=lands_meanwhile)).verdict is Verdict.VERIFIED
    assert (world.waits, world.faulty.posts_seen) == ([QUIET_SECONDS], 1)


def test_a_lost_edit_is_sent_again_once_it_is_proven_not_applied(world):
    plan = world.propose(ONE)
    world.faulty.posts.append("lost")
    assert only(world.apply(plan)).verdict is Verdict.VERIFIED
    assert world.steps() == ["INTENT", "SENDING", "NORESPONSE", "SENDING", "RESPONDED", "VERIFIED"]


def test_a_lost_edit_is_sent_again_at_most_twice(world):
    plan = world.propose(ONE)
    world.faulty.posts.extend(["lost"] * 9)
    assert only(world.apply(plan)).verdict is Verdict.NOT_APPLIED
    assert world.steps() == ["INTENT", *["SENDING", "NORESPONSE"] * 3, "NOT_APPLIED"]
    assert world.waits == [QUIET_SECONDS, VERIFY_PAUSE_SECONDS, VERIFY_PAUSE_SECONDS] * 3
    assert world.faulty.posts_seen == 3
    assert world.nrb(ONE)["nrbIsExported"] is False


def test_an_answer_that_reports_an_edit_is_not_proof(world):
    plan = world.propose(ONE)
    world.faulty.posts.extend([import_result()] * 3)
    assert only(world.apply(plan)).verdict is Verdict.NOT_APPLIED
    assert world.faulty.posts_seen == 3


@pytest.mark.parametrize(
    ("status", "next_one"),
    [(400, Verdict.VERIFIED), (404, Verdict.VERIFIED), (401, Verdict.NOT_BEGUN), (403, Verdict.NOT_BEGUN)],
)
def test_a_refused_send_is_not_applied_and_refused_credentials_stop_the_run(world, status, next_one):
    plan = world.propose(ONE, TWO)
    world.faulty.posts.append(status)
    first, second = world.apply(plan)
    assert (first.verdict, second.verdict) == (Verdict.NOT_APPLIED, next_one)
    assert (world.faulty.posts_seen, world.waits[0]) == (1 + (next_one is Verdict.VERIFIED), QUIET_SECONDS)
    if next_one is Verdict.NOT_BEGUN:
        assert second.detail == "the run had stopped before it"
        assert world.steps(TWO) == []
        assert [outcome.verdict for outcome in world.apply(plan)] == [Verdict.NOT_APPLIED, Verdict.VERIFIED]


def test_a_third_value_after_the_send_is_a_conflict(world):
    plan = world.propose(ONE)
    world.faulty.posts.append("lost")
    outcome = only(world.apply(plan, sleep=lambda _: world.edit_by_hand(ONE, nrbNotes="another")))
    assert outcome.verdict is Verdict.CONFLICT
    assert outcome.detail.startswith("neither as before nor as planned: nrbIsExported, nrbNotes")
    assert world.nrb(ONE)["nrbNotes"] == "another"
    assert world.faulty.posts_seen == 1


def test_an_edit_that_somebody_reverted_is_not_sent_again(world):
    plan = world.propose(ONE)
    world.faulty.posts.append("answer lost")
    outcome = only(world.apply(plan, sleep=lambda _: world.edit_by_hand(ONE, nrbIsExported=False)))
    assert outcome.verdict is Verdict.CONFLICT
    assert outcome.detail.startswith("set back by somebody else: nrbIsExported")
    assert world.faulty.posts_seen == 1


def test_an_object_that_disappears_after_the_send_is_a_conflict(world):
    plan = world.propose(ONE)
    world.faulty.posts.append("lost")
    outcome = only(world.apply(plan, sleep=lambda _: world.state.delete_nrb(ONE)))
    assert outcome.verdict is Verdict.CONFLICT
    assert outcome.detail.startswith("gone after the edit was sent: Aimsio") and "answered 404" in outcome.detail


@pytest.mark.parametrize(("is_edited", "verdict"), [(True, Verdict.SIDE_EFFECT), (False, Verdict.CONFLICT)])
def test_an_edit_that_created_something_stops_the_run(world, is_edited, verdict):
    plan = world.propose(ONE, TWO)
    world.faulty.posts.append(import_result(Created=1, Edited=0))
    if is_edited:
        edit_after_the_send(world)
    outcomes = world.apply(plan)
    assert [outcome.verdict for outcome in outcomes] == [verdict, Verdict.NOT_BEGUN]
    assert "more was created than asked for" in outcomes[0].detail
    assert world.steps(TWO) == world.waits == []
    what = "more was created than asked for: find it and make it internal"
    with pytest.raises(PlanError) as caught:
        world.apply(plan)
    assert (
        str(caught.value) == f"plan {plan.digest[:12]} did something unexpected ({what}); look at it, then plan again"
    )


def edit_after_the_send(world):
    """Make the object reach its target between our first read and the verification."""
    inner = world.faulty.app

    async def app(scope, receive, send):
        if scope["method"] == "GET" and world.faulty.posts_seen:
            world.edit_by_hand(ONE, nrbIsExported=True)
        await inner(scope, receive, send)

    world.faulty.app = app


# Unknown outcomes


def test_an_unknown_outcome_stops_the_run_is_listed_and_resolved_before_the_next(world):
    plan = world.propose(ONE, TWO)
    world.faulty.posts.append("answer lost")
    world.faulty.gets.extend(["pass", *[503] * 6])
    assert [outcome.verdict for outcome in world.apply(plan)] == [Verdict.UNKNOWN, Verdict.NOT_BEGUN]
    assert [operation.change.object_id for operation in corrections(world.journal).values() if operation.is_open] == [
        ONE
    ]

    other = world.propose(TWO)
    world.faulty.gets.extend([503] * 6)
    with pytest.raises(OutcomeUnknown, match=f"{ONE}: outcome unknown"):
        world.apply(other)
    assert world.faulty.posts_seen == 1

    assert [outcome.verdict for outcome in world.apply(plan)] == [Verdict.VERIFIED, Verdict.VERIFIED]
    assert world.steps(ONE) == ["INTENT", "SENDING", "NORESPONSE", "UNKNOWN", "UNKNOWN", "VERIFIED"]
    assert world.faulty.posts_seen == 2


def test_finished_objects_keep_their_verdict_when_the_run_stops(world):
    plan = world.propose(ONE, TWO)
    world.faulty.posts.extend(["pass", "answer lost"])
    world.faulty.gets.extend(["pass"] * 3 + [503] * 6)
    assert [outcome.verdict for outcome in world.apply(plan)] == [Verdict.VERIFIED, Verdict.UNKNOWN]
    world.faulty.gets.extend([503] * 6)
    assert [outcome.verdict for outcome in world.apply(plan)] == [Verdict.VERIFIED, Verdict.UNKNOWN]
    assert world.faulty.posts_seen == 2


def test_unknown_outcomes_of_the_same_plan_are_checked_first(world):
    plan = world.propose(ONE, TWO)
    world.faulty.gets.extend(["lost", "lost", "pass", *[503] * 6])
    world.faulty.posts.append("answer lost")
    assert [outcome.verdict for outcome in world.apply(plan)] == [Verdict.NOT_BEGUN, Verdict.UNKNOWN]
    world.faulty.gets.extend([503] * 6)
    assert [outcome.verdict for outcome in world.apply(plan)] == [Verdict.NOT_BEGUN, Verdict.UNKNOWN]
    assert world.faulty.posts_seen == 1
    assert [outcome.verdict for outcome in world.apply(plan)] == [Verdict.VERIFIED, Verdict.VERIFIED]


def test_an_object_interrupted_before_its_send_can_be_applied_after_recovery(world):
    plan = world.propose(ONE)
    world.faulty.gets.extend(["lost", "lost"])
    assert only(world.apply(plan)).verdict is Verdict.NOT_BEGUN
    assert only(world.recover()).verdict is Verdict.NOT_APPLIED
    assert only(world.apply(plan)).verdict is Verdict.VERIFIED
    with pytest.raises(PlanError, match="already applied"):
        world.apply(plan)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"identity": " "}, "AUDITKIT_IDENTITY"),
        ({"note": " "}, "a note is needed"),
        ({"note": "seen\x1b[2J"}, "one line"),
        ({"account": AccountKey("test", "other")}, "not a correction of this account"),
        ({"correction_id": "none"}, "not a correction of this account"),
    ],
    ids=["nobody", "no note", "two lines", "another account", "another operation"],
)
def test_settling_needs_a_person_a_note_and_an_unknown_outcome(world, changes, words):
    plan = world.propose(ONE)
    world.faulty.posts.append("answer lost")
    world.faulty.gets.extend(["pass", *[503] * 6])
    world.apply(plan)
    (known,) = corrections(world.journal)
    given = {"correction_id": known, "note": "seen", "account": ACCOUNT, "identity": "bob"}
    with pytest.raises(PlanError, match=words):
        settle(**given | changes, journal=world.journal)
    settle(**given, journal=world.journal)
    assert corrections(world.journal)[known].verdict is Verdict.SETTLED
    with pytest.raises(PlanError, match="not a correction of this account"):
        settle(**given, journal=world.journal)


def test_an_interrupted_correction_is_recovered_before_it_can_be_settled(world):
    plan = world.propose(ONE)
    world.faulty.gets.extend(["lost", "lost"])
    world.apply(plan)
    (known,) = corrections(world.journal)
    with pytest.raises(PlanError, match="recover"):
        settle(known, "seen", journal=world.journal, account=ACCOUNT, identity="bob")


def test_a_plan_made_while_the_clock_was_ahead_is_not_one_of_the_future(world):
    """Planning also takes the later of the clock and the journal."""
    world.now = NOON + timedelta(hours=1)
    plan = world.approved(world.propose(ONE))
    world.now = NOON
    assert only(world.apply(plan)).verdict is Verdict.VERIFIED


def test_a_plan_that_expired_is_not_revived_by_a_clock_that_is_set_back(world):
    plan = world.approved(world.propose(ONE))
    world.now = NOON + LIFETIME
    world.journal.append("note", {"text": "the clock was right then"})
    world.now = NOON
    with pytest.raises(PlanError, match="expired"):
        world.apply(plan)
    assert world.faulty.posts_seen == 0


def test_a_plan_made_in_the_future_is_refused(world):
    plan = world.propose(ONE)
    world.now = NOON - timedelta(hours=1)
    with pytest.raises(PlanError, match="made in the future"):
        world.apply(plan)


def test_old_corrections_in_the_journal_are_not_validated_again(world):
    world.apply(world.propose(ONE))
    (known,) = corrections(world.journal).values()
    old = replace(known.change, changes=(FieldChange("nrbTotalAfterMarkup", "1", "2"),))
    world.journal.append("correction", {"step": "INTENT", **INTENT, "correction": "x", "change": asdict(old)})
    assert len(corrections(world.journal)) == 2
    world.journal.append("correction", {"step": "INTENT", **INTENT, "correction": "y", "change": {}})
    with pytest.raises(JournalError, match="is not a correction that this version knows"):
        corrections(world.journal)


INTENT = {"plan": "0" * 64, **ACCOUNT._asdict(), "object": TWO}


# The journal cannot be written


@contextmanager
def full_disk(limit):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_without_a_record_nothing_is_sent(world):
    plan = world.propose(ONE)
    world.journal.append("note", {"text": "x" * 500_000})  # larger than any other file written during the test
    plan = world.approved(plan)
    with full_disk(world.journal_path.stat().st_size), pytest.raises(JournalError, match="nothing is sent") as caught:
        world.apply(plan)
    assert "keep this record" not in str(caught.value)
    assert world.faulty.posts_seen == 0


def test_a_disk_that_fills_up_at_the_record_of_a_send_leaves_it_unsent(world, monkeypatch):
    """The anchor needs space too. Without space there is no record either, and other plans continue."""
    plan = world.approved(world.plan(world.creation("create-nrb", **NEW_NRB)))
    journal, room = world.journal, itertools.count()
    opened = os.open

    def opening(path, flags, *mode, **others):
        if str(path).endswith(".journal.anchor") and flags & os.O_EXCL and next(room) == 1:  # that of SENDING
            raise OSError(errno.ENOSPC, "No space left on device")
        return opened(path, flags, *mode, **others)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", opening)
        with pytest.raises(JournalError, match="No space left on device"):
            world.apply(plan, journal=journal)
    assert (world.steps(), world.faulty.posts_seen) == (["INTENT"], 0)
    assert only(world.apply(world.propose(ONE))).verdict is Verdict.VERIFIED
    assert only(world.apply(plan)).verdict is Verdict.VERIFIED


def test_a_full_disk_after_a_send_stops_the_run_and_prints_the_record(world):
    plan = world.propose(ONE, TWO)
    world.journal.append("note", {"text": "x" * 500_000})
    plan = world.approved(plan)
    world.apply(world.propose(TWO))
    lines = [line for line in world.journal_path.read_bytes().splitlines(True) if b'"kind":"correction"' in line]
    until_sending = world.journal_path.stat().st_size + len(lines[0]) + len(lines[1]) + 100
    with full_disk(until_sending), pytest.raises(OutcomeUnknown, match=r'keep this record: .*"RESPONDED"'):
        world.apply(plan)
    assert world.nrb(ONE)["nrbIsExported"] is True
    assert only(world.recover()).verdict is Verdict.VERIFIED
    assert world.steps(ONE) == ["INTENT", "SENDING", "VERIFIED"]


@pytest.mark.parametrize(("fault", "step"), [("pass", "RESPONDED"), ("answer lost", "NORESPONSE")])
def test_when_our_own_files_fail_after_a_send_the_outcome_is_unknown(world, tmp_path, fault, step):
    app, pace = world.faulty.app, tmp_path / "Aimsio.pace" / "pace"

    async def breaking(scope, receive, send):
        if scope["method"] == "POST":
            pace.rename(tmp_path / "pace")
            pace.mkdir()
        await app(scope, receive, send)

    plan = world.propose(ONE, TWO)
    world.faulty.app = breaking
    world.faulty.posts.append(fault)
    one, two = world.apply(plan)
    assert (one.verdict, two.verdict) == (Verdict.UNKNOWN, Verdict.NOT_BEGUN)
    assert one.detail.endswith("make the home writable")
    assert world.steps() == ["INTENT", "SENDING", step, "UNKNOWN"]
    pace.rmdir()
    (tmp_path / "pace").rename(pace)
    assert only(world.recover()).verdict is Verdict.VERIFIED


def test_a_damaged_journal_sends_nothing(make_world):
    world = make_world()
    plan = world.propose(ONE)
    world.journal.append("note", {"text": "x"})
    world.journal_path.write_bytes(world.journal_path.read_bytes().replace(b'"x"', b'"y"'))
    with pytest.raises(JournalError, match="line 1"):
        world.apply(plan)
    assert world.faulty.posts_seen == 0
