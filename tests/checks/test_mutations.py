"""Rules broken on purpose: whichever condition of a rule is dropped, the tests of that rule notice it.

A mutant is a shipped rule with one condition dropped, anywhere in it: TRUE for one conjunct of a WHERE, HAVING or ON,
or FALSE for one side of an OR. It is noticed when it finds something else than the rule, or fails, or takes longer than
SECONDS (it joins every row with every other), on something that the rule's own tests run the rule on: an account of
their file, or an account and values of parameters that they gave to `Account.findings`. For the latter, those tests
must have run before in this process; `ByAccount` in conftest.py sees to it, and then the accounts are there already.

Small accounts come first: there a mutant that multiplies rows is noticed in no time. `surviving_mutants.py` lists those
that nothing can notice, and no other.
"""

import dataclasses
import importlib
from collections import Counter
from collections.abc import Iterator, Mapping
from threading import Timer
from types import ModuleType
from typing import Any

import pytest
from sqlglot import exp

from auditkit.checks import portable
from auditkit.checks.rules import Rule, load_rules
from tests.checks.surviving_mutants import EQUIVALENT
from tests.world import ASKED, Account

RULES = {rule.name: rule for rule in load_rules()}
SECONDS = 3


def conditions(tree: exp.Query) -> Iterator[tuple[exp.Expr, exp.Expr]]:
    """Every condition of every select, with what takes its place when it is dropped."""
    for select in tree.find_all(exp.Select):
        clauses = [select.args.get("where"), select.args.get("having")]
        joins = [join.args.get("on") for join in select.args.get("joins") or []]
        for whole in [*(clause.this for clause in clauses if clause), *(on for on in joins if on)]:
            yield from _parts(whole)


def _parts(condition: exp.Expr) -> Iterator[tuple[exp.Expr, exp.Expr]]:
    for part in condition.flatten() if isinstance(condition, exp.And) else [condition]:
        yield part, exp.true()
        bare = part.unnest()
        if isinstance(bare, exp.Or):
            for side in bare.flatten():
                yield side, exp.false()
                inner = side.unnest()
                if isinstance(inner, exp.And):
                    yield from _parts(inner)


def mutants(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """The dropped condition → the rule without it."""
    whole, seen = portable.parse(rule.text), Counter[str]()
    for place, (original, _) in enumerate(conditions(whole)):
        tree = whole.copy()
        part, instead = list(conditions(tree))[place]
        part.replace(instead)
        name = f"{original.sql('duckdb').lower()} -> {instead.sql('duckdb').lower()}"
        seen[name] += 1
        name += f" (place {seen[name]})" if seen[name] > 1 else ""
        yield name, dataclasses.replace(rule, text=tree.sql("duckdb"), path=f"{rule.path} without {name}")


def accounts(module: ModuleType) -> list[Account]:
    """Every account of a test file, also in its lists and dicts."""
    found: list[Account] = []
    for held in vars(module).values():
        value = list(held.values()) if isinstance(held, Mapping) else held
        several = value if isinstance(value, (list, tuple)) else [value]
        found += [each for each in several if isinstance(each, Account) and each not in found]
    return found


def trials(name: str) -> list[tuple[Account, dict[str, Any]]]:
    """Every account, with values of parameters, that the rule's own tests run it on; small accounts first."""
    module = importlib.import_module(f"tests.checks.rules.test_{name.replace('-', '_')}")
    return sorted(
        [*((account, {}) for account in accounts(module)), *ASKED.get(name, {}).values()],
        key=lambda trial: (trial[0].size, trial[0].key),
    )


def rows(account: Account, rule: Rule, values: Mapping[str, Any]) -> list[Any] | str:
    """As `Account.rows`, or that it took too long."""
    limit = Timer(SECONDS, account.draft.connection.interrupt)
    limit.start()
    try:
        return account.rows(rule, **values)
    finally:
        limit.cancel()


@pytest.mark.parametrize("name", RULES)
def test_a_dropped_condition_is_noticed(name: str) -> None:
    if name not in ASKED:
        pytest.skip(
            f"run it with tests/checks/rules/test_{name.replace('-', '_')}.py: it needs what that runs the rule on"
        )
    rule, left = RULES[name], dict(mutants(RULES[name]))
    for account, values in trials(name):
        found = account.rows(rule, **values)
        left = {what: mutant for what, mutant in left.items() if rows(account, mutant, values) == found}
    assert set(left) == set(EQUIVALENT.get(name, ()))
