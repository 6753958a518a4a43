"""After a process ended at any record, recovery finds out what was sent before anything is sent again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from auditkit.corrections.apply import Outcome
from auditkit.corrections.operations.registry import OPERATIONS
from auditkit.corrections.plan import LIFETIME
from auditkit.corrections.tracking import Verdict
from auditkit.errors import PlanError
from auditkit.journal import Journal
from auditkit.settings import AccountKey

from .conftest import NOON, ONE, TWO, Killed, World, only

QUIET_SECONDS = OPERATIONS["edit-nrb"].quiet


def killed_before_record(world: World, plan, number: int) -> None:
    """Apply, and end the process before this record is written, as kill -9 would."""
    clock_reads = iter(range(number))

    def clock():
        if next(clock_reads) == number - 1:
            raise Killed
        return NOON

    with pytest.raises(Killed):
        world.apply(plan, journal=Journal(world.journal_path, clock=clock))


@pytest.mark.parametrize("post", ["pass", "lost", "answer lost"])
@pytest.mark.parametrize("number", [1, 2, 3, 4])
@pytest.mark.parametrize("resume", ["apply", "recover"])
def test_killed_before_each_record(world, post, number, resume):
    plan = world.propose(ONE)
    world.faulty.posts.append(post)
    killed_before_record(world, plan, number)
    sent, steps = world.faulty.posts_seen, world.steps()
    assert sent == (number > 2)
    world.waits.clear()

    outcomes = world.apply(plan) if resume == "apply" else world.recover()
    if resume == "recover":
        assert world.faulty.posts_seen == sent
    applied = world.nrb(ONE)["nrbIsExported"] is True
    expected = [] if (number, resume) == (1, "recover") else [Verdict.VERIFIED if applied else Verdict.NOT_APPLIED]
    assert [outcome.verdict for outcome in outcomes] == expected
    assert applied or resume == "recover"
    if steps[-1:] in (["SENDING"], ["NORESPONSE"]):
        assert world.waits[0] == QUIET_SECONDS
    was_applied_at_once = sent and post != "lost"
    if was_applied_at_once:
        assert world.faulty.posts_seen == 1
    assert world.recover() == []


def test_killed_while_recovering(world):
    plan = world.propose(ONE)
    world.faulty.posts.append("answer lost")
    killed_before_record(world, plan, 3)
    killed_before_record(world, plan, 1)
    assert only(world.apply(plan)).verdict is Verdict.VERIFIED
    assert world.steps() == ["INTENT", "SENDING", "VERIFIED"]
    assert world.faulty.posts_seen == 1


def test_another_plan_first_recovers_the_interrupted_one(world):
    first, second = world.propose(ONE), replace(world.propose(ONE, TWO), snapshot_id="snapshot-2")
    world.faulty.posts.append("answer lost")
    killed_before_record(world, first, 3)
    assert [outcome.verdict for outcome in world.apply(second)] == [Verdict.ALREADY, Verdict.VERIFIED]
    assert world.steps(ONE) == ["INTENT", "SENDING", "VERIFIED", "INTENT", "ALREADY"]


def test_an_interrupted_plan_that_expired_is_recovered_not_applied(world):
    plan = world.propose(ONE)
    killed_before_record(world, plan, 2)
    world.now = NOON + LIFETIME + timedelta(seconds=1)
    with pytest.raises(PlanError, match="expired"):
        world.apply(plan)
    assert only(world.recover()) == Outcome(
        "edit-nrb", ONE, Verdict.NOT_APPLIED, "interrupted before anything was sent"
    )
    assert world.faulty.posts_seen == 0


def test_corrections_of_another_account_are_left_alone(world):
    killed_before_record(world, world.propose(ONE), 3)
    assert world.recover(account=AccountKey("test", "other")) == []
    assert world.steps() == ["INTENT", "SENDING"]
