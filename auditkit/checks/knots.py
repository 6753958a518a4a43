"""Components of several NRBs and several lines: who is on which line, and for how much of it.

A component holds the NRBs and lines that names (or one mark) bring together. In this order, as often as it goes on:

1. as many NRBs as lines of one amount, each with each: pairs, in the order of their ids, as any pairing is right;
2. a line that is exactly the sum of its NRBs, an NRB that is exactly the sum of its lines;
3. the rest: own names share a line pro rata; shared names need an exact unique sum, or a plausible one, else they stay
   tied.

Amounts are whole cents. Nothing depends on the order in which anything is given. Not here: which pairs there are.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from auditkit.checks.link_thresholds import SUM_RANGE
from auditkit.checks.matching import Block, Group, Line, resolve, search

__all__ = ["Edge", "Solved", "components", "group_shares", "lump", "shares", "untie"]

Edge = tuple[str, Line]
Share = tuple[str, Line, int]


@dataclass
class Solved:
    """Shares of lines in cents, (nrb, line, cents), and the pairs that stay tied."""

    shares: list[Share] = field(default_factory=list)
    tied: list[Edge] = field(default_factory=list)


def shares(amount: int, weights: list[int]) -> list[int]:
    """Whole cents of an amount by absolute weight, largest remainder first, in the order given; they sum to it."""
    sizes = [abs(weight) for weight in weights] if any(weights) else [1] * len(weights)
    total, size, sign = sum(sizes), abs(amount), 1 if amount >= 0 else -1
    parts = [size * each // total for each in sizes]
    order = sorted(range(len(sizes)), key=lambda place: (-(size * sizes[place] % total), place))
    for place in order[: size - sum(parts)]:
        parts[place] += 1
    return [sign * part for part in parts]


def lump(line: Line, amount: int, nrbs: Mapping[str, int]) -> list[Share]:
    """One line for several NRBs: each its own total and its part of the difference."""
    guids = sorted(nrbs)
    differences = shares(amount - sum(nrbs.values()), [nrbs[guid] for guid in guids])
    return [(guid, line, nrbs[guid] + part) for guid, part in zip(guids, differences, strict=True)]


def group_shares(group: Group, nrbs: Mapping[str, int], lines: Mapping[Line, int]) -> list[Share]:
    """The shares of an exact group: its line in parts for its NRBs, or its lines whole for its NRB."""
    if len(group.lines) == 1:
        return [(guid, group.lines[0], nrbs[guid]) for guid in group.nrbs]
    return [(group.nrbs[0], line, lines[line]) for line in group.lines]


def components(edges: Iterable[Edge]) -> list[list[Edge]]:
    """Edges that hang together, each component sorted, in the order of their first NRB."""
    parent: dict[str | Line, str | Line] = {}

    def root(member: str | Line) -> str | Line:
        parent.setdefault(member, member)
        while parent[member] != member:
            parent[member] = parent[parent[member]]
            member = parent[member]
        return member

    every = sorted(set(edges))
    for nrb, line in every:
        first, second = root(nrb), root(line)
        if first != second:
            parent[second] = first
    found: dict[str | Line, list[Edge]] = defaultdict(list)
    for nrb, line in every:
        found[root(nrb)].append((nrb, line))
    return list(found.values())


def untie(edges: Iterable[Edge], nrbs: Mapping[str, int], lines: Mapping[Line, int], *, own: bool) -> Solved:
    """Solve one component. `own`: every name is an NRB's own (or the mark covers all), so that nothing stays tied."""
    left, found = set(edges), Solved()
    while left and (_take_pairs(left, nrbs, lines, found, own=own) or _take_sums(left, nrbs, lines, found)):
        pass
    if not left:
        return found
    if not own:
        return _take_shared(left, nrbs, lines, found)
    return _take_pro_rata(left, nrbs, lines, found)


def _remove(edges: set[Edge], nrbs: Iterable[str], lines: Iterable[Line]) -> None:
    gone_nrbs, gone_lines = set(nrbs), set(lines)
    edges.difference_update([edge for edge in edges if edge[0] in gone_nrbs or edge[1] in gone_lines])


def _take_pairs(
    edges: set[Edge], nrbs: Mapping[str, int], lines: Mapping[Line, int], found: Solved, *, own: bool
) -> bool:
    """As many NRBs as lines of one amount, each with each; not one NRB that has further lines of its own."""
    by_amount: dict[int, tuple[set[str], set[Line]]] = defaultdict(lambda: (set(), set()))
    for nrb, line in edges:
        if nrbs[nrb] == lines[line]:
            by_amount[nrbs[nrb]][0].add(nrb)
            by_amount[nrbs[nrb]][1].add(line)
    moved = False
    for amount in sorted(by_amount):
        guids, places = sorted(by_amount[amount][0]), sorted(by_amount[amount][1])
        if len(guids) != len(places) or any((guid, place) not in edges for guid in guids for place in places):
            continue
        has_more = any(line not in places for nrb, line in edges if nrb in guids)
        is_sole = len(guids) == 1 and len({nrb for nrb, line in edges if line in places}) == 1
        if own and has_more and is_sole:
            continue
        found.shares += [(guid, place, amount) for guid, place in zip(guids, places, strict=True)]
        _remove(edges, guids, places)
        moved = True
    return moved


def _take_sums(edges: set[Edge], nrbs: Mapping[str, int], lines: Mapping[Line, int], found: Solved) -> bool:
    """One line that its NRBs, or one NRB that its lines, exactly sum to, where these have nothing else."""
    nrbs_of: dict[Line, list[str]] = defaultdict(list)
    lines_of: dict[str, list[Line]] = defaultdict(list)
    for nrb, line in sorted(edges):
        nrbs_of[line].append(nrb)
        lines_of[nrb].append(line)
    for line in sorted(nrbs_of):
        guids = nrbs_of[line]
        if sum(nrbs[guid] for guid in guids) == lines[line] and all(len(lines_of[guid]) == 1 for guid in guids):
            found.shares += lump(line, lines[line], {guid: nrbs[guid] for guid in guids})
            _remove(edges, guids, [line])
            return True
    for guid in sorted(lines_of):
        places = lines_of[guid]
        if sum(lines[place] for place in places) == nrbs[guid] and all(len(nrbs_of[place]) == 1 for place in places):
            found.shares += [(guid, place, lines[place]) for place in places]
            _remove(edges, [guid], places)
            return True
    return False


def _take_shared(edges: set[Edge], nrbs: Mapping[str, int], lines: Mapping[Line, int], found: Solved) -> Solved:
    """Shared names: exact unique sums, else all together where their sum is plausible, else tied."""
    guids, places = sorted({nrb for nrb, _ in edges}), sorted({line for _, line in edges})
    above = {guid: nrbs[guid] for guid in guids if nrbs[guid] > 0}
    charges = {place: lines[place] for place in places if lines[place] > 0}
    exact = resolve(search(Block(above, charges)).groups).links if above and charges else ()
    for group in exact:
        found.shares += group_shares(group, nrbs, lines)
        _remove(edges, group.nrbs, group.lines)
    booked, charged = sum(nrbs[guid] for guid in guids), sum(lines[place] for place in places)
    low, high = SUM_RANGE
    if not exact and booked and low <= Decimal(charged) / booked <= high:
        return _take_pro_rata(edges, nrbs, lines, found)
    found.tied += sorted(edges)
    return found


def _take_pro_rata(edges: set[Edge], nrbs: Mapping[str, int], lines: Mapping[Line, int], found: Solved) -> Solved:
    """Each line shared by those that it names: one line by total and difference, several by weight."""
    places = sorted({line for _, line in edges})
    for place in places:
        guids = sorted(nrb for nrb, line in edges if line == place)
        if len(places) == 1:
            found.shares += lump(place, lines[place], {guid: nrbs[guid] for guid in guids})
        else:
            parts = shares(lines[place], [nrbs[guid] for guid in guids])
            found.shares += [(guid, place, part) for guid, part in zip(guids, parts, strict=True)]
    return found
