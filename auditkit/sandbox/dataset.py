"""Make a world: a believable field-service contractor at both vendors, from a seed, with planted faults.

`build(faults={})` is a clean one, in which every billable NRB is billed to the cent and every rule is silent. The
outline of all jobs is drawn first; each job is then written from its own stream of chance whenever it is asked for, so
that a million NRBs need no memory.

Not here: serving (the server), and finding anything (the audit; tests know from `World.hosts` what it must find).
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import overload

from auditkit.sandbox.dataset_bodies import invoice_bodies, nrb_bodies
from auditkit.sandbox.dataset_books import AS_OF, TIMEZONE, Job
from auditkit.sandbox.dataset_catalog import VENDORS
from auditkit.sandbox.dataset_jobs import write_job
from auditkit.sandbox.dataset_plan import JobPlan, outline
from auditkit.sandbox.faults import DEFAULT, FAULTS
from auditkit.sandbox.world import Body, World

__all__ = ["DEFAULT", "build"]


def build(
    seed: int = 1,
    nrbs: int = 1000,
    faults: Mapping[str, int] | None = DEFAULT,
    *,
    lump_sums: bool = False,
    habits: bool = False,
) -> World:
    """A year of one contractor up to its last day, with exactly `nrbs` NRBs, receipts and their children included.

    `faults` says how many of each name in `FAULTS` to plant; `{}` and None plant nothing. With `lump_sums` half of the
    receipts are billed in one line that names the receipt; with `habits` the contractor has those of ordinary books
    (`sandbox.habits`): every cost is billed all the same. About six jobs and fifteen invoices to a hundred NRBs.
    Raises ValueError for an unknown fault, and when the world is too small for all of them.
    """
    wanted = faults or {}
    for name in wanted:
        if name not in FAULTS:
            raise ValueError(f"there is no fault {name!r}; choose among {', '.join(FAULTS)}")
    planted = {name: wanted[name] for name in FAULTS if wanted.get(name)}
    if nrbs < 1:
        raise ValueError(f"a world needs at least one NRB, not {nrbs}")
    writer = _Writer(seed, lump_sums)
    chance = Random(f"{seed}/habits") if habits else None  # noqa: S311 - must be the same again from its seed
    plans = outline(Random(seed), nrbs, planted, chance)  # noqa: S311 - as above
    return World(
        seed=seed,
        as_of=AS_OF,
        timezone=TIMEZONE,
        nrbs=_Bodies(plans, [plan.nrb_count for plan in plans], writer.nrbs),
        invoices=_Bodies(plans, [len(plan.slots) for plan in plans], writer.invoices),
        vendors=frozenset(vendor.code for vendor in VENDORS),
        jobs=frozenset(plan.number for plan in plans if plan.is_in_aimsio),
        hosts=_Hosts(writer, [plan for plan in plans if plan.faults]),
        planted=planted,
    )


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes any job of one world: first clean, then with its faults."""

    seed: int
    lump_sums: bool

    def job(self, plan: JobPlan) -> Job:
        rng = Random(f"{self.seed}/{plan.index}")  # noqa: S311 - must be the same again from its seed
        job = write_job(rng, plan, self.lump_sums)
        for name in plan.faults:
            job = FAULTS[name](job, rng)
        return job

    def nrbs(self, plan: JobPlan) -> Iterator[Body]:
        return nrb_bodies(self.job(plan))

    def invoices(self, plan: JobPlan) -> Iterator[Body]:
        return invoice_bodies(self.job(plan))


@dataclass(frozen=True, slots=True)
class _Hosts:
    """The jobs with a fault, each written again when it is reached."""

    writer: _Writer
    plans: Sequence[JobPlan]

    def __iter__(self) -> Iterator[Job]:
        return map(self.writer.job, self.plans)


class _Bodies(Sequence[Body]):
    """One kind of body of all jobs, in order, each job written when it is reached and forgotten after it."""

    def __init__(
        self, plans: Sequence[JobPlan], counts: Sequence[int], write: Callable[[JobPlan], Iterator[Body]]
    ) -> None:
        self._plans = plans
        self._edges = list(accumulate(counts, initial=0))
        self._write = write

    def __len__(self) -> int:
        return self._edges[-1]

    def __iter__(self) -> Iterator[Body]:
        for plan in self._plans:
            yield from self._write(plan)

    @overload
    def __getitem__(self, index: int) -> Body: ...

    @overload
    def __getitem__(self, index: slice) -> list[Body]: ...

    def __getitem__(self, index: int | slice) -> Body | list[Body]:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        position = index + len(self) if index < 0 else index
        if not 0 <= position < len(self):
            raise IndexError(f"there are {len(self)} records, not {index}")
        place = bisect_right(self._edges, position) - 1
        return list(self._write(self._plans[place]))[position - self._edges[place]]
