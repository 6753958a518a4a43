"""The habits of ordinary books: each occurs, every cost stays billed to the cent, without them nothing changes."""

import hashlib
from collections import Counter, defaultdict
from dataclasses import replace
from decimal import Decimal
from functools import cache
from random import Random

import pytest

from auditkit.sandbox.dataset import DEFAULT, build
from auditkit.sandbox.dataset_books import Job, Nrb
from auditkit.sandbox.dataset_jobs import write_job
from auditkit.sandbox.dataset_plan import JobPlan, outline
from auditkit.sandbox.faults import FAULTS
from auditkit.sandbox.habits import HABITS
from auditkit.sandbox.world import World, to_json

NRBS = 1000
SEEDS = pytest.mark.parametrize("seed", [1, 2, 3])


@cache
def plans(seed: int) -> list[JobPlan]:
    """The outline of a clean world with habits, as `build` makes it."""
    return outline(Random(seed), NRBS, {}, Random(f"{seed}/habits"))


def written(seed: int, plan: JobPlan) -> Job:
    return write_job(Random(f"{seed}/{plan.index}"), plan, lump_sums=False)


@cache
def jobs(seed: int) -> list[Job]:
    return [written(seed, plan) for plan in plans(seed)]


@cache
def changed_jobs(seed: int) -> Counter[str]:
    """How many jobs each habit changes, beside the habits before it."""
    counts = Counter[str]()
    for plan in plans(seed):
        before = written(seed, replace(plan, habits=()))
        for count, name in enumerate(plan.habits, 1):
            after = written(seed, replace(plan, habits=plan.habits[:count]))
            counts[name] += (before.nrbs, before.invoices) != (after.nrbs, after.invoices)
            before = after
    return counts


def digest(world: World) -> str:
    lines = (to_json(body) + "\n" for bodies in (world.nrbs, world.invoices) for body in bodies)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


@SEEDS
@pytest.mark.parametrize("habit", HABITS)
def test_every_habit_changes_a_job(habit, seed):
    assert changed_jobs(seed)[habit] >= 1


@SEEDS
def test_the_outline_is_that_of_the_world(seed):
    world = build(seed, NRBS, faults={}, habits=True)
    assert [body["nrbGuid"] for body in world.nrbs] == [nrb.guid for job in jobs(seed) for nrb in job.nrbs]
    assert [body["jnid"] for body in world.invoices] == [item.jnid for job in jobs(seed) for item in job.invoices]


def groups(job: Job) -> list[list[Nrb]]:
    """Its billable costs, those together that share a line of an issued invoice."""
    costs = {nrb.guid: nrb for nrb in job.nrbs if nrb.is_chargeable and not nrb.children}
    together = {guid: {guid} for guid in costs}
    for invoice in job.invoices:
        for line in invoice.lines:
            if invoice.state == "issued" and line.carries:
                shared = set().union(*(together[guid] for guid in line.carries))
                together |= dict.fromkeys(shared, shared)
    return [[costs[guid] for guid in guids] for guids in {frozenset(guids) for guids in together.values()}]


def billed(job: Job, group: list[Nrb]) -> Decimal:
    guids = {nrb.guid for nrb in group}
    lines = (line for invoice in job.invoices if invoice.state == "issued" for line in invoice.lines)
    return sum((line.amount for line in lines if guids.intersection(line.carries)), Decimal(0))


@SEEDS
def test_every_cost_is_billed_to_the_cent(seed):
    without_tax = 0
    for plan, job in zip(plans(seed), jobs(seed), strict=True):
        for group in groups(job):
            total = sum(nrb.total for nrb in group)
            if billed(job, group) == total:
                continue
            # The one exception: the vendor's tax, which the contractor gets back, is not billed.
            (nrb,) = group
            assert billed(job, group) == nrb.total - nrb.tax
            assert "recoverable tax" in plan.habits
            without_tax += 1
    assert without_tax == changed_jobs(seed)["recoverable tax"]


@SEEDS
def test_lines_carry_billable_costs_of_their_own_job_alone(seed):
    for job in jobs(seed):
        billable = {nrb.guid for nrb in job.nrbs if nrb.is_chargeable and not nrb.children}
        carried = {guid for invoice in job.invoices for line in invoice.lines for guid in line.carries}
        assert carried == billable


@SEEDS
def test_deposits_and_retainage_add_up_to_nothing(seed):
    for job in jobs(seed):
        sums = defaultdict[str, Decimal](Decimal)
        for invoice in job.invoices:
            for line in invoice.lines if invoice.state == "issued" else ():
                sums[line.name] += line.amount
        assert (sums["Deposit"], sums["Retainage"]) == (0, 0)


@SEEDS
@pytest.mark.parametrize("faults", [{}, DEFAULT], ids=["clean", "faults"])
def test_invoice_numbers_have_no_gap(seed, faults):
    numbers = {body["number"] for body in build(seed, NRBS, faults, habits=True).invoices} - {None}
    serials = sorted(int(number.removeprefix("INV-")) for number in numbers)
    assert serials == list(range(10_001, 10_001 + len(serials)))


@SEEDS
def test_worlds_are_the_same_again_from_their_seed(seed):
    first = digest(build(seed, NRBS, habits=True))
    assert first == digest(build(seed, NRBS, habits=True)) != digest(build(seed, NRBS))


@SEEDS
@pytest.mark.parametrize("faults", [DEFAULT, dict.fromkeys(FAULTS, 2)], ids=["default", "every"])
def test_faults_find_room_beside_habits(seed, faults):
    world = build(seed, NRBS, faults, habits=True)
    assert world.planted == faults
    assert len(list(world.nrbs)) == len(world.nrbs) == NRBS
    assert len(list(world.invoices)) == len(world.invoices)


@pytest.mark.parametrize(
    ("options", "pinned"),
    [
        ({"faults": DEFAULT}, "9ce5cfbbee1db898621161bb0832ade9c134360dc4b38fb38798f2934669fd15"),
        ({"faults": {}}, "706dd070e7f1576048c2e204c3113e2cbc2a43103c212743b95f56628cb3216f"),
        ({"faults": DEFAULT, "lump_sums": True}, "cc0a3ce31230b55d9c4a2564ef78da05a393b183d5ee2877294a88bd49a9340c"),
        ({"seed": 2, "faults": DEFAULT}, "9102e216935eeea32179033ca33100c89a1a594fb313c6ff4457fbedfc67f024"),
        ({"seed": 3, "faults": {}}, "f9cd77ac70624a32a82b8605e8bdaa66ec0f49537d0c1c6f74ebe612a2f3f81d"),
    ],
)
def test_a_world_without_habits_is_byte_for_byte_what_it_was(options, pinned):
    assert digest(build(**options)) == pinned
