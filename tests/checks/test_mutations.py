"""Rules broken on purpose: whichever condition of a rule is dropped, the tests of that rule notice it.

A mutant is a shipped rule with one condition dropped, anywhere in it: TRUE for one conjunct of a WHERE, HAVING or ON,
or FALSE for one side of an OR. It is noticed when it finds something else on an account of the rule's own test file
(every `Account` there, with the rule's `VALUES` where the file has them), or fails.
"""

import dataclasses
import importlib
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import pytest
from sqlglot import exp

from auditkit.checks import portable
from auditkit.checks.rules import Rule, load_rules
from tests.world import Account

RULES = {rule.name: rule for rule in load_rules()}
# (rule, condition) → why nothing can notice that it is dropped.
EQUIVALENT: dict[tuple[str, str], str] = {}


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
    whole = portable.parse(rule.text)
    for place, (original, _) in enumerate(conditions(whole)):
        tree = whole.copy()
        part, instead = list(conditions(tree))[place]
        part.replace(instead)
        name = f"{original.sql('duckdb').lower()} -> {instead.sql('duckdb').lower()}"
        yield name, dataclasses.replace(rule, text=tree.sql("duckdb"), path=f"{rule.path} without {name}")


def accounts(module: ModuleType) -> list[Account]:
    """Every account of a test file, also in its lists and dicts."""
    found: list[Account] = []
    for held in vars(module).values():
        value = list(held.values()) if isinstance(held, Mapping) else held
        several = value if isinstance(value, (list, tuple)) else [value]
        found += [each for each in several if isinstance(each, Account) and each not in found]
    return found


def noticed(rule: Rule, mutant: Rule, account: Account, values: Mapping[str, Any]) -> bool:
    return account.rows(mutant, **values) != account.rows(rule, **values)


@pytest.mark.parametrize("name", RULES)
def test_a_dropped_condition_is_noticed(name: str) -> None:
    rule, module = RULES[name], importlib.import_module(f"tests.checks.rules.test_{name.replace('-', '_')}")
    pairs = [(account, values) for account in accounts(module) for values in getattr(module, "VALUES", [{}])]
    left = dict(mutants(rule))
    for account, values in pairs:
        left = {what: mutant for what, mutant in left.items() if not noticed(rule, mutant, account, values)}
    assert set(left) == {what for each, what in EQUIVALENT if each == name}
