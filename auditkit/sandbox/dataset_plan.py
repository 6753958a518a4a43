"""The outline of a world: its jobs, when they are invoiced and under which numbers, and which faults each one has.

Everything that jobs share is decided here (running numbers, counts), so that each job can be written alone, in any
order, any number of times. Not here: any NRB, line or amount.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import accumulate, cycle, islice, pairwise
from random import Random

from auditkit.sandbox.dataset_books import AS_OF, Role, State
from auditkit.sandbox.dataset_catalog import CLIENTS
from auditkit.sandbox.faults import ALONE, NEEDS_DRAFT, NEEDS_OWN_JOB, NEEDS_VOID
from auditkit.sandbox.habits import HABITS, OPEN_STATUS, ROLES

__all__ = ["JobPlan", "Slot", "outline"]

_YEAR = 365
_PERIOD = 30  # days between a job's progress invoices
_NRBS_PER_FAULT, _SPARE_NRBS, _FAULTS_PER_JOB = 2, 5, 4  # a duplicate takes two; the spare ones are for a receipt
_HABITS_PER_JOB = 3
_JOBS_PER_LABOR_JOB = 8
_FIRST_INVOICE_NUMBER = 10_001
_FIRST_JOBNIMBUS_NUMBER = 2_001


@dataclass(frozen=True, slots=True)
class Slot:
    """One invoice to write. A draft has no number yet; a void one copies the invoice in slot `copies`.

    Costs are billed on issued `progress` invoices; an invoice of another role is written by a habit of the job.
    """

    day: date
    state: State
    number: str | None = None
    copies: int | None = None
    shares_number: bool = False
    role: Role = "progress"
    follows_gap: bool = False

    def numbered_as(self, place: int) -> int:
        """The place whose number it has: its own, or that of the invoice that replaced it."""
        return self.copies if self.shares_number and self.copies is not None else place


@dataclass(frozen=True, slots=True)
class JobPlan:
    """One job to write, with serials and record ids from `first_*` on."""

    index: int
    number: str
    jobnimbus_number: str
    is_in_aimsio: bool
    client: int
    nrb_count: int
    first_serial: int
    slots: tuple[Slot, ...]
    first_recid: int = 0
    faults: tuple[str, ...] = ()
    habits: tuple[str, ...] = ()

    @property
    def plain_nrbs(self) -> int:
        """How many single, billed NRBs, each named on its line, the faults may need."""
        return _NRBS_PER_FAULT * len(self.faults) if self.nrb_count else 0


def outline(rng: Random, nrbs: int, faults: Mapping[str, int], habits: Random | None = None) -> list[JobPlan]:
    """The plans of all jobs, with `nrbs` records among them. Sixty jobs to a thousand NRBs, spread over a year.

    `habits`: a random stream of its own, by which jobs get habits; without it there are none.
    """
    jobs = max(1, nrbs * 6 // 100)
    sizes = _sizes(rng, nrbs, jobs)
    hosts = _hosts(rng, sizes, faults)
    firsts = accumulate(sizes, initial=1)
    plans = [
        _job(rng, index, jobs, nrbs=(first, size), faults=tuple(hosts.get(index, ())))
        for index, (size, first) in enumerate(zip(sizes, firsts, strict=False))
    ]
    plans += [
        _job_without_nrbs(rng, jobs + extra, name)
        for extra, name in enumerate(name for name in faults for _ in range(faults[name]) if name in NEEDS_OWN_JOB)
    ]
    if habits:
        plans = _with_habits(plans, habits)
    return _numbered(plans)


def _sizes(rng: Random, nrbs: int, jobs: int) -> list[int]:
    """How many NRBs each job has: about 50 to 150 percent of the average, `nrbs` in all."""
    weights = [rng.randrange(50, 151) for _ in range(jobs)]
    total = sum(weights)
    edges = [nrbs * reached // total for reached in accumulate(weights, initial=0)]
    return [after - before for before, after in pairwise(edges)]


def _hosts(rng: Random, sizes: list[int], faults: Mapping[str, int]) -> dict[int, list[str]]:
    """Which job has which faults: a third of the jobs, or more if they have not enough room, in turn.

    A fault that must be alone has a job for itself.
    """
    every = [name for name in faults for _ in range(faults[name]) if name not in NEEDS_OWN_JOB]
    alone = [name for name in every if name in ALONE]
    names = [name for name in every if name not in ALONE]
    room = {index: min((size - _SPARE_NRBS) // _NRBS_PER_FAULT, _FAULTS_PER_JOB) for index, size in enumerate(sizes)}
    able = [index for index in room if room[index] > 0]
    rng.shuffle(able)
    shared = max(len(able) - len(alone), 0)
    able, apart = able[:shared], able[shared:]
    reached = list(accumulate((room[index] for index in able), initial=0))
    if reached[-1] < len(names) or len(apart) < len(alone):
        room_for = reached[-1] + len(apart)
        raise ValueError(f"{sum(sizes)} NRBs have room for {room_for} faults, not {len(every)}; build more NRBs")
    some = max(bisect_left(reached, len(names)), min(len(able), len(sizes) // 3))
    rounds = [index for turn in range(_FAULTS_PER_JOB) for index in able[:some] if turn < room[index]]
    hosts = {index: [name] for index, name in zip(apart, alone, strict=True)}
    for index, name in zip(rounds, names, strict=False):
        hosts.setdefault(index, []).append(name)
    return hosts


def _job(rng: Random, index: int, jobs: int, *, nrbs: tuple[int, int], faults: tuple[str, ...]) -> JobPlan:
    periods = rng.choices((2, 3, 4), (78, 17, 5))[0]
    room = _YEAR - _PERIOD * periods - 6
    start = AS_OF - timedelta(days=_YEAR - index * room // jobs)
    slots = [
        Slot(start + timedelta(days=_PERIOD * period + rng.randrange(-2, 3)), "issued")
        for period in range(1, periods + 1)
    ]
    needs_void = any(name in NEEDS_VOID for name in faults)
    if needs_void or rng.random() < 0.08:
        copied = rng.randrange(periods)
        reissued = replace(slots[copied], day=slots[copied].day + timedelta(days=2))
        shares_number = not needs_void and rng.random() < 0.5
        slots.append(Slot(slots[copied].day, "void", copies=copied, shares_number=shares_number))
        slots[copied] = reissued
    if any(name in NEEDS_DRAFT for name in faults) or rng.random() < 0.15:
        slots.append(Slot(slots[periods - 1].day + timedelta(days=rng.randrange(1, 3)), "draft"))
    return JobPlan(
        index=index,
        number=f"JOB{start:%y}-{101 + index:04d}",
        jobnimbus_number=str(_FIRST_JOBNIMBUS_NUMBER + index),
        is_in_aimsio=True,
        client=rng.randrange(len(CLIENTS)),
        first_serial=nrbs[0],
        nrb_count=nrbs[1],
        slots=tuple(slots),
        faults=faults,
    )


def _job_without_nrbs(rng: Random, index: int, fault: str) -> JobPlan:
    number = str(_FIRST_JOBNIMBUS_NUMBER + index)
    slot = Slot(AS_OF - timedelta(days=rng.randrange(20, 200)), "issued")
    return JobPlan(index, number, number, False, rng.randrange(len(CLIENTS)), 0, 0, (slot,), faults=(fault,))


def _with_habits(plans: list[JobPlan], rng: Random) -> list[JobPlan]:
    """The plans with habits in turn, and further jobs of labor only. Jobs of a fault that must be alone get none."""
    names = cycle(name for name in HABITS if name != OPEN_STATUS)
    changed = []
    for plan in plans:
        if plan.nrb_count and not ALONE.intersection(plan.faults):
            last = max(slot.day for slot in plan.slots)
            is_recent = last > AS_OF - timedelta(days=_PERIOD)
            habits = (*islice(names, _HABITS_PER_JOB), *[OPEN_STATUS] * is_recent)
            # A tidy company sends its drafts: those that it has are of this month.
            slots = [replace(s, day=_this_month(rng)) if s.state == "draft" else s for s in plan.slots]
            changed.append(replace(plan, habits=habits, slots=(*slots, *_slots_of(plan, habits, rng))))
        else:
            changed.append(plan)
    changed += [_labor_job(rng, len(plans) + extra) for extra in range(2 + len(plans) // _JOBS_PER_LABOR_JOB)]
    return changed


def _this_month(rng: Random) -> date:
    return AS_OF - timedelta(days=rng.randrange(2, 13))


def _slots_of(plan: JobPlan, habits: tuple[str, ...], rng: Random) -> Iterator[Slot]:
    """Further invoices for the habits: before the first, a few days after one, or after the last."""
    issued = [place for place, slot in enumerate(plan.slots) if slot.state == "issued"]
    first, last = plan.slots[issued[0]].day, plan.slots[issued[-1]].day
    if "void by status" in habits and not any(slot.state == "void" for slot in plan.slots):
        copied = rng.choice(issued)
        yield Slot(plan.slots[copied].day - timedelta(days=1), "void", copies=copied)
    for name in habits:
        for role in ROLES.get(name, ()):
            days = rng.randrange(1, 4)
            early = {"deposit": first - timedelta(days=20 + days), "standby": _this_month(rng)}
            day = early.get(role) or min(last + timedelta(days=days), AS_OF)
            yield Slot(day, "draft" if role == "standby" else "issued", role=role)


def _labor_job(rng: Random, index: int) -> JobPlan:
    """A job without third-party cost; every second one exists in Aimsio."""
    number = str(_FIRST_JOBNIMBUS_NUMBER + index)
    start = AS_OF - timedelta(days=rng.randrange(70, 300))
    slots = tuple(Slot(start + timedelta(days=_PERIOD * period), "issued") for period in range(rng.randrange(1, 3)))
    name = f"JOB{start:%y}-{101 + index:04d}" if index % 2 else number
    return JobPlan(index, name, number, bool(index % 2), rng.randrange(len(CLIENTS)), 0, 0, slots)


def _numbered(plans: list[JobPlan]) -> list[JobPlan]:
    """The plans with invoice numbers in the order of days, and record ids.

    A gap occurs only before the last invoice of a job with that fault.
    """
    wanted = sorted(
        (slot.day, plan.index, place)
        for plan in plans
        for place, slot in enumerate(plan.slots)
        if slot.state != "draft" and not slot.shares_number
    )
    gaps = {
        (plan.index, max(place for place, slot in enumerate(plan.slots) if slot.state == "issued"))
        for plan in plans
        if "invoice-gap" in plan.faults
    }
    steps = accumulate((1 + (key[1:] in gaps) for key in wanted), initial=_FIRST_INVOICE_NUMBER - 1)
    next(steps)
    numbers = {key[1:]: f"INV-{number}" for key, number in zip(wanted, steps, strict=True)}
    recid, numbered = 1, []
    for plan in plans:
        slots = tuple(
            replace(
                slot,
                number=numbers.get((plan.index, slot.numbered_as(place))),
                follows_gap=(plan.index, place) in gaps,
            )
            for place, slot in enumerate(plan.slots)
        )
        numbered.append(replace(plan, slots=slots, first_recid=recid))
        recid += len(slots)
    return numbered
