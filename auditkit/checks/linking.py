"""The ladder: which NRB is on which invoice line, and how we know.

Rung 0 is what a person said. Rungs 1 to 3 find the invoice that an NRB names. Rungs 4 to 6 find the line: by a
reference in its text, then by an amount that occurs exactly once on each side, then as a group that sums to it; first
inside the invoice of rungs 1 to 3 (pass 1), then among the job's lines (pass 2); on issued invoices before drafts
before void ones. What is linked is reserved. All reference evidence is used before any amount, so that no amount
takes a line that names another NRB.

Each rung is one SELECT in `sql/link/`; the sets of rung 6 are found by `matching.py`. The rung of references is
repeated until it links nothing new: a link can settle a tie.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from auditkit.checks.engine import Engine
from auditkit.checks.matching import Block, Group, Line, resolve, search
from auditkit.checks.rules import Step, Value, load_steps

__all__ = ["STATES", "link"]

STATES = ("issued", "draft", "void")
PASSES = (1, 2)
_BY_LINE = (
    "link_manual",
    "reference_candidate",
    "link_reference",
    "amount_candidate",
    "link_amount",
    "group_nrb",
    "group_line",
    "group_forbidden",
    "group_named",
    "link_group",
    "group_candidate",
)


def link(engine: Engine, values: Mapping[str, Value]) -> None:
    """Fill job_map, link and link_ambiguous from the typed tables and the decisions (tables `decision_*`)."""
    steps = {step.name: step for step in load_steps("link")}
    *before, links, ambiguous = [step for name, step in steps.items() if name not in _BY_LINE]
    engine.drop("reference_open", "amount_open", "group_open")
    for step in before:
        engine.run(step, values)
    engine.run(steps["link_manual"], values, into="link_line")
    there = {state for (state,) in engine.query("select distinct state from invoice_state").rows} | {STATES[0]}
    for rung in (_reference_rung, _amount_rung, _group_rung):
        for state in (state for state in STATES if state in there):
            for number in PASSES:
                rung(engine, steps, {**values, "state": state, "pass": number})
    engine.run(links, values)
    engine.run(ambiguous, values)


def _reference_rung(engine: Engine, steps: Mapping[str, Step], values: Mapping[str, Value]) -> None:
    linked = 1
    while linked:
        engine.run(steps["reference_candidate"], values)
        linked = engine.append(steps["link_reference"], values, to="link_line")
    engine.append(steps["reference_candidate"], values, to="reference_open")


def _amount_rung(engine: Engine, steps: Mapping[str, Step], values: Mapping[str, Value]) -> None:
    engine.run(steps["amount_candidate"], values)
    engine.append(steps["link_amount"], values, to="link_line")
    engine.append(steps["amount_candidate"], values, to="amount_open")


def _group_rung(engine: Engine, steps: Mapping[str, Step], values: Mapping[str, Value]) -> None:
    """Groups that a name holds together come first; what they leave is searched, block by block."""
    for name in ("group_nrb", "group_line", "group_forbidden", "group_named"):
        engine.run(steps[name], values)
    named = resolve(_named_groups(engine))
    settled = {member for group in (*named.links, *(each.group for each in named.disputes)) for member in group.members}
    blocks = _blocks(engine, settled)
    searched = {name: search(block) for name, block in blocks.items()}
    found = resolve([group for each in searched.values() for group in each.groups])
    pairs = [(nrb, *line) for group in (*named.links, *found.links) for nrb in group.nrbs for line in group.lines]
    disputed = [
        (nrb, *line, f"not the only sum: {dispute.group}; the runner-up: {dispute.runner_up}")
        for dispute in (*named.disputes, *found.disputes)
        for nrb in dispute.group.nrbs
        for line in dispute.group.lines
    ]
    unsearched = [(name, *row) for name, each in searched.items() for row in each.unsearched.items()]
    engine.source("group_found", ("nrb_guid", "jnid", "position"), pairs)
    engine.source("group_disputed", ("nrb_guid", "jnid", "position", "reason"), disputed)
    engine.source("group_unsearched", ("block", "jnid", "reason"), unsearched)
    engine.append(steps["link_group"], values, to="link_line")
    engine.append(steps["group_candidate"], values, to="group_open")


def _named_groups(engine: Engine) -> list[Group]:
    sets: dict[str, list[tuple[str, Line]]] = defaultdict(list)
    for name, nrb, jnid, position in engine.query("select sets, nrb_guid, jnid, position from group_named").rows:
        sets[name].append((nrb, (jnid, position)))
    return [
        Group(tuple(sorted({nrb for nrb, _ in pairs})), tuple(sorted({line for _, line in pairs})))
        for pairs in sets.values()
    ]


def _blocks(engine: Engine, settled: Iterable[str | Line]) -> dict[str, Block]:
    """The blocks in which there is something to add up, without what is settled."""
    nrbs: dict[str, dict[str, int]] = defaultdict(dict)
    lines: dict[str, dict[Line, int]] = defaultdict(dict)
    forbidden: dict[str, set[tuple[str, Line]]] = defaultdict(set)
    for block, nrb, cents in engine.query("select block, nrb_guid, cents from group_nrb where by_amount").rows:
        if nrb not in settled:
            nrbs[block][nrb] = cents
    for block, jnid, position, cents in engine.query(
        "select block, jnid, position, cents from group_line where by_amount"
    ).rows:
        if (jnid, position) not in settled:
            lines[block][jnid, position] = cents
    for block, nrb, jnid, position in engine.query("select block, nrb_guid, jnid, position from group_forbidden").rows:
        forbidden[block].add((nrb, (jnid, position)))
    return {
        name: Block(nrbs[name], lines[name], forbidden[name])
        for name in sorted(nrbs.keys() & lines.keys())
        if len(nrbs[name]) + len(lines[name]) > 2
    }
