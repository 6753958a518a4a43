"""Which NRB is on which invoice line, and how we know: evidence, links, states.

1. Evidence: what speaks for a pair, in points (`sql/link/10` to `34`): names in a line's words, the NRB's mark.
2. Links: what is settled, component by component, in cents. Names first, then what a purchase order covers, then the
   mark, and last an amount alone, where chance would hardly make it.
3. States: each leaf in exactly one. What is named, but not surely, is undecided, never absent.

Each step is one SELECT; Python only unties knots (`knots.py`) and searches sums (`matching.py`), block by block. Ties
go by guid and (jnid, position), never by arrival. docs/linking.md explains it to an accountant.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from auditkit.checks.engine import Engine
from auditkit.checks.knots import Edge, Share, components, group_shares, lump, untie
from auditkit.checks.link_thresholds import SQL_PARAMETERS, rounding
from auditkit.checks.matching import Block, Line, resolve, search
from auditkit.checks.rules import Step, Value, load_steps
from auditkit.warehouse.schema import find_names

__all__ = ["link"]

SETTLED = ("nrb_guid", "jnid", "position", "method", "share_cents")
UNSETTLED = {"nrb_guid": "varchar", "jnid": "varchar", "position": "integer", "reason": "varchar"}
TIED = "several NRBs or lines share the name, and no exact or plausible sum tells them apart"
DISPUTED = "several sums make this amount"


def link(engine: Engine, values: Mapping[str, Value]) -> None:
    """Fill job_map, link, undecided, nrb_state, evidence and line_question from the typed tables and the decisions."""
    steps = {step.name: step for step in load_steps("link")}
    run = _Run(engine, steps, {**values, **SQL_PARAMETERS, "by_mark": False})
    run.each("nrb_leaf", "invoice_state", "job_map", "job_entry", "job_suggested", "invoice_line", "round_share")
    run.each("nrb_name")
    engine.script(find_names(), {})
    run.each(
        "job_confirmed", "job_suggestion", "invoice_job", "invoice_found", "line_cover", "line_name", "foreign_name"
    )
    run.each("name_pair", "name_term", "name_evidence", "name_raised", "edge", "star")
    run.settle_names()
    run.each("invoice_known")
    engine.drop("amount_evidence")
    for by_mark in (True, False):
        run.settle_amounts(by_mark=by_mark)
    run.each(
        "open_nrb",
        "open_line",
        "amount_pair",
        "link",
        "undecided",
        "unread_leaf",
        "nrb_state",
        "evidence",
        "line_question",
    )


class _Run:
    """One run of the steps. The temporary tables `settled` and `unsettled` grow as it goes."""

    def __init__(self, engine: Engine, steps: Mapping[str, Step], values: Mapping[str, Value]) -> None:
        self._engine = engine
        self._steps = steps
        self._values = values

    def each(self, *names: str) -> None:
        """Run these steps, each into a table of its name."""
        for name in names:
            self._engine.run(self._steps[name], self._values)

    def settle_names(self) -> None:
        """Own names and shared ones, component by component; then what a purchase order exactly covers."""
        self._engine.query("create or replace temp table settled as select * from star")
        self._engine.empty("unsettled", UNSETTLED)
        self.each("knot")
        rows = self._engine.query("select nrb_guid, jnid, position, is_own, manual, cents, line_cents from knot").rows
        nrbs = {nrb: cents for nrb, _, _, _, _, cents, _ in rows}
        lines = {(jnid, position): cents for _, jnid, position, _, _, _, cents in rows}
        shared = {nrb for nrb, _, _, is_own, *_ in rows if not is_own}
        manual = {nrb for nrb, _, _, _, is_manual, *_ in rows if is_manual}
        solved = [
            untie(edges, nrbs, lines, own=not any(nrb in shared for nrb, _ in edges))
            for edges in components([(nrb, (jnid, position)) for nrb, jnid, position, *_ in rows])
        ]
        found = [share for each in solved for share in each.shares]
        self._settle([share for share in found if share[0] not in manual], "name")
        self._settle([share for share in found if share[0] in manual], "manual")
        self._ask([edge for each in solved for edge in each.tied], TIED)
        self._engine.append(self._steps["order_set"], self._values, to="settled")

    def settle_amounts(self, *, by_mark: bool) -> None:
        """Equal amounts, then sums: on the invoice that a mark names, or in the job where chance hardly makes them."""
        values = {**self._values, "by_mark": by_mark}
        for name in ("open_nrb", "open_line", "amount_pair", "amount_hit"):
            self._engine.run(self._steps[name], values)
        self._engine.append(self._steps["amount_evidence"], values, to="amount_evidence")
        self._engine.append(self._steps["amount_link"], values, to="settled")
        self._engine.append(self._steps["amount_tie"], values, to="unsettled")
        for name in ("open_nrb", "open_line", "forbidden_pair"):
            self._engine.run(self._steps[name], values)
        self._settle_sums(by_mark=by_mark)

    def _settle_sums(self, *, by_mark: bool) -> None:
        """Of a mark all against all, within rounding; then unique exact sums, guarded against coincidence."""
        nrbs: dict[str, dict[str, int]] = defaultdict(dict)
        for block, nrb, cents in self._engine.query("select block, nrb_guid, cents from open_nrb").rows:
            nrbs[block][nrb] = cents
        lines: dict[tuple[str, int], dict[Line, int]] = defaultdict(dict)
        for block, rank, jnid, position, cents in self._engine.query(
            "select block, state_rank, jnid, position, cents from open_line"
        ).rows:
            lines[block, rank][jnid, position] = cents
        forbidden: dict[str, set[Edge]] = defaultdict(set)
        for block, nrb, jnid, position in self._engine.query(
            "select block, nrb_guid, jnid, position from forbidden_pair"
        ).rows:
            forbidden[block].add((nrb, (jnid, position)))
        taken: set[str | Line] = set()
        settled: list[Share] = []
        disputed: list[Edge] = []
        for block, rank in sorted(lines):
            open_nrbs = {nrb: cents for nrb, cents in nrbs[block].items() if nrb not in taken}
            open_lines = {line: cents for line, cents in lines[block, rank].items() if line not in taken}
            if not open_nrbs or not open_lines:
                continue
            found = _whole_mark(open_nrbs, open_lines) if by_mark and not forbidden[block] else []
            if not found:
                found, tied = _exact_sums(open_nrbs, open_lines, forbidden[block])
                disputed += tied
            settled += found
            taken |= {member for nrb, line, _ in found for member in (nrb, line)}
        self._settle(settled, "mark" if by_mark else "amount")
        self._ask(disputed, DISPUTED)

    def _settle(self, found: Sequence[Share], method: str) -> None:
        self._engine.insert(
            "settled", SETTLED, [(nrb, jnid, position, method, cents) for nrb, (jnid, position), cents in found]
        )

    def _ask(self, tied: Sequence[Edge], reason: str) -> None:
        self._engine.insert(
            "unsettled", tuple(UNSETTLED), [(nrb, jnid, position, reason) for nrb, (jnid, position) in tied]
        )


def _exact_sums(
    nrbs: Mapping[str, int], lines: Mapping[Line, int], forbidden: Collection[Edge]
) -> tuple[list[Share], list[Edge]]:
    """Unique exact sums as shares, and the members of those that are not the only one."""
    booked = {nrb: cents for nrb, cents in nrbs.items() if cents > 0}
    charged = {line: cents for line, cents in lines.items() if cents > 0}
    if not booked or not charged or len(booked) + len(charged) <= 2:
        return [], []
    found = resolve(search(Block(booked, charged, forbidden)).groups)
    tied = [(nrb, line) for each in found.disputes for nrb in each.group.nrbs for line in each.group.lines]
    return [share for group in found.links for share in group_shares(group, booked, charged)], tied


def _whole_mark(nrbs: Mapping[str, int], lines: Mapping[Line, int]) -> list[Share]:
    """All NRBs that a mark leaves open against all lines that it leaves, or against one line, within rounding."""
    if len(nrbs) < 2:
        return []
    total, allowed = sum(nrbs.values()), rounding(len(nrbs))
    if abs(total - sum(lines.values())) <= allowed:
        return untie([(nrb, line) for nrb in nrbs for line in lines], nrbs, lines, own=True).shares
    near = [line for line, cents in lines.items() if abs(cents - total) <= allowed]
    return lump(near[0], lines[near[0]], nrbs) if len(near) == 1 else []
