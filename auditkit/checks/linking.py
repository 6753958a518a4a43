"""The ladder: which NRB is on which invoice line, and how we know.

Rung 0 is what a person said. Rungs 1 to 3 find the invoice that an NRB names. Rungs 4 and 5 find the line: by a
reference in its text, then by an amount that occurs exactly once on each side; first inside the invoice of rungs 1 to 3
(pass 1), then among the job's lines (pass 2); on issued invoices before drafts before void ones. What is linked is
reserved. All reference evidence is used before any amount, so that no amount takes a line that names another NRB.

Each rung is one SELECT in `sql/link/`. A rung is repeated until it links nothing new: a link can settle a tie.
"""

from collections.abc import Mapping

from auditkit.checks.engines import Engine
from auditkit.checks.rules import Step, Value, load_steps

__all__ = ["STATES", "link"]

STATES = ("issued", "draft", "void")
PASSES = (1, 2)


def link(engine: Engine, values: Mapping[str, Value]) -> None:
    """Fill job_map, link and link_ambiguous from the typed tables and the decisions (tables `decision_*`)."""
    steps = {step.name: step for step in load_steps("link")}
    by_line = ("reference_candidate", "link_reference", "amount_candidate", "link_amount")
    *before, links, ambiguous = [step for name, step in steps.items() if name not in (*by_line, "link_manual")]
    engine.drop("reference_open", "amount_open")
    for step in before:
        engine.run(step, values)
    engine.run(steps["link_manual"], values, into="link_line")
    for rung in (_reference_rung, _amount_rung):
        for state in STATES:
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
