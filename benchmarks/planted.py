"""A planted world for the benchmarks of linking: typed tables, and the truth about which NRB is on which line.

Each job has three issued invoices. Of its twenty NRBs ten are charged on a line that names them, three on a line that
only its amount gives away, one for another amount than it cost, three in one lump sum that names their common vendor
invoice, two in one that names nothing, and one nowhere; and every invoice has labour in whole dollars that no NRB
stands behind. Two of three NRBs that are charged are marked with their invoice.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

Pair = tuple[str, str, int]
KINDS = ["named"] * 10 + ["amount"] * 3 + ["repriced"] + ["lump"] * 3 + ["sum"] * 2 + ["unbilled"]
LABOUR = ("Crew, 2 days", "Supervisor", "Travel", "Consumables")


@dataclass
class World:
    """Columns of the typed tables, in cents, and the planted pairs (nrb_guid, jnid, position)."""

    nrbs: list[tuple[str, str, str, str, int, str | None]] = field(default_factory=list)
    lines: list[tuple[str, int, str, int]] = field(default_factory=list)
    invoices: list[tuple[str, str]] = field(default_factory=list)
    truth: set[Pair] = field(default_factory=set)


def plant(jobs: int, seed: int = 1) -> World:
    """A world of so many jobs, with twenty NRBs each."""
    world = World()
    for number in range(jobs):
        _plant_job(world, Random(f"{seed}/{number}"), f"JOB-{10_000 + number}")
    return world


def _plant_job(world: World, rng: Random, job: str) -> None:
    guids = [f"{job}-n{place}" for place in range(len(KINDS))]
    amounts = {guid: max(100, int(rng.lognormvariate(11, 1))) for guid in guids}
    vendor_numbers = {guid: f"AP-{rng.randrange(10**7):07}" for guid in guids}
    kind_of = dict(zip(guids, KINDS, strict=True))
    invoices = [f"{job}-i{place}" for place in range(3)]
    texts: dict[str, list[tuple[str, int, tuple[str, ...]]]] = {jnid: [] for jnid in invoices}
    home = {guid: rng.choice(invoices) for guid in guids}
    lumps = {kind: tuple(guid for guid in guids if kind_of[guid] == kind) for kind in ("lump", "sum")}
    first_of = {guid: members[0] for members in lumps.values() for guid in members}
    home = {guid: home[first_of.get(guid, guid)] for guid in guids}
    vendor_numbers.update((guid, vendor_numbers[lumps["lump"][0]]) for guid in lumps["lump"])
    for guid, jnid, text, amount in _charged(rng, guids, kind_of, home, amounts):
        texts[jnid].append((text, amount, (guid,)))
    for kind, members in lumps.items():
        text = f"Materials per {vendor_numbers[members[0]]}" if kind == "lump" else "Materials, as agreed on site"
        texts[home[members[0]]].append((text, sum(amounts[guid] for guid in members), members))
    for jnid in invoices:
        texts[jnid] += [(rng.choice(LABOUR), rng.randrange(200, 9000) * 100, ()) for _ in range(rng.randrange(1, 4))]
        rng.shuffle(texts[jnid])
        world.invoices.append((jnid, job))
        for position, (text, amount, carried) in enumerate(texts[jnid]):
            world.lines.append((jnid, position, text, amount))
            world.truth.update((guid, jnid, position) for guid in carried)
    is_marked = {guid: kind_of[guid] != "unbilled" and rng.random() < 2 / 3 for guid in guids}
    for guid in guids:
        mark = f"INV-{home[guid]}" if is_marked[first_of.get(guid, guid)] else None
        world.nrbs.append((guid, job, f"REF-{guid}", vendor_numbers[guid], amounts[guid], mark))


def _charged(
    rng: Random, guids: list[str], kind_of: dict[str, str], home: dict[str, str], amounts: dict[str, int]
) -> Iterator[tuple[str, str, str, int]]:
    for guid in guids:
        if kind_of[guid] == "named":
            yield guid, home[guid], f"Vendor charge REF-{guid}", amounts[guid]
        elif kind_of[guid] == "amount":
            yield guid, home[guid], "Vendor charge, as agreed on site", amounts[guid]
        elif kind_of[guid] == "repriced":
            yield guid, home[guid], f"Vendor charge REF-{guid}", amounts[guid] * rng.randrange(80, 98) // 100
