"""Rules broken on purpose: whichever condition of a rule is dropped, the self-test says so.

A mutant is a shipped rule with TRUE for one conjunct: of the outermost select, and of what it reads as far as the
rule's own condition stands there. All of them are held against the plants in one audit of an empty account;
what is not noticed there must say something else of a small world of records that cannot be planted. To leave a
conjunct out is the same in SQL.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlglot import exp

from auditkit.checks import portable
from auditkit.checks.findings import fire
from auditkit.checks.rules import Rule, load_rules
from auditkit.checks.run import Decisions, Parameters, prepare
from auditkit.checks.selftest import examine
from auditkit.errors import RuleError
from auditkit.warehouse.schema import rebuild_schema, rebuild_typed
from tests.syncs import corrected, noon
from tests.world import (
    AS_OF,
    COST_DAY,
    ZONE,
    insert_bodies,
    invoice,
    line,
    line_keys,
    nrb,
    seconds,
    typed,
    unbilled,
    workbench,
)

PARAMETERS = Parameters(
    as_of=AS_OF,
    time_zone=ZONE,
    environment="test",
    account="test",
    labor_in_amount="yes",
    tolerance=Decimal("0.05"),
    thresholds={rule: {"min_amount": "50"} for rule in ("nrb-duplicate", "nrb-duplicate-near")},
)
NULL_JOINS_NOTHING = "the join on equality, or the comparison, leaves NULL out as well"
EQUIVALENT = {
    "line-amount-difference: not k.position is null (1)": "what is linked to no line is charged nothing",
    "line-arithmetic: not t.amount is null (3)": "a line without an amount is one whose amount is derived",
    "nrb-duplicate: m.members > 1 (0)": "one alone has no other to be joined with",
    "nrb-duplicate: not vendor_key is null (6)": NULL_JOINS_NOTHING,
    "nrb-duplicate: not number_key is null (7)": NULL_JOINS_NOTHING,
    "nrb-duplicate: not n.vendor_code is null (8)": NULL_JOINS_NOTHING,
    "nrb-duplicate: not n.vendor_invoice_number is null (9)": NULL_JOINS_NOTHING,
    "nrb-line-not-found: invoice_found (2)": "what is on no line has an issued invoice only if one was found",
    "nrb-parent-mismatch: not parent_guid is null (3)": NULL_JOINS_NOTHING,
    "nrb-total-mismatch: not n.total_after_markup is null (4)": NULL_JOINS_NOTHING,
}


def conditions(tree: exp.Query) -> list[exp.Expr]:
    """The conjuncts of the outermost select and of the selects that it reads; deeper while these have none."""
    named = {cte.alias: cte.this for cte in tree.ctes}
    seen, found = set(), []

    def visit(query: exp.Expr, depth: int) -> None:
        if isinstance(query, exp.SetOperation):
            visit(query.left, depth)
            visit(query.right, depth)
            return
        clauses = [query.args.get("where"), query.args.get("having")]
        joins = query.args.get("joins") or []
        whole = [clause.this for clause in clauses if clause] + [join.args["on"] for join in joins if join.args["on"]]
        for condition in whole:
            found.extend(condition.flatten() if isinstance(condition, exp.And) else [condition])
        if depth == 0 or not any(clauses):
            sources = [query.args["from_"].this, *(join.this for join in joins)]
            for name in [source.name for source in sources if source.name in named and source.name not in seen]:
                seen.add(name)
                visit(named[name], depth + 1)

    visit(tree, 0)
    return found


def mutants(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """Name → the rule without one of its conditions."""
    whole = portable.parse(rule.text)
    for place, original in enumerate(conditions(whole)):
        tree = whole.copy()
        conditions(tree)[place].replace(exp.true())
        name = f"{rule.name}: {original.sql('duckdb').lower()} ({place})"
        yield name, dataclasses.replace(rule, text=tree.sql("duckdb"), path=name)


# What the plants must leave alone because it cannot be told from the user's own (cost without a job), because only a
# person can say it (a link by hand), because it takes both vendors (two records of one id), or because it does not
# change on what a rule fires, only what it says of it.
NRBS = [
    nrb(),
    unbilled("no-job", nrbJobOrderNumber=None),
    unbilled("by-hand", "200.00"),
    unbilled("twice", nrbInvoiceNumber="AP-7"),
    unbilled("twice-again", nrbInvoiceNumber="AP-7"),
    nrb("dearer", "150.00"),
    unbilled("one-id", isInternal="maybe"),
]
EARLIER = [(-1, nrb("dearer", nrbIsExported=False)), (0, nrb("dearer"))]  # the sync and the NRB then
HIDDEN = invoice([line("Hidden")], "hidden", is_active=False)
LATE = seconds(COST_DAY + timedelta(100))
INVOICES = [
    invoice(
        [line(), line("Without an amount", None, quantity=1, price="5.00", labor={"amount": "1.00"})], subtotal="105.00"
    ),
    invoice([line("Half", "100.00")], "late", date_invoice=LATE),
    invoice([line("Other half", "100.00")], "later", date_invoice=LATE + 86_400),
    invoice([line("Same id", "7.00")], "one-id", status_name=["Sent"]),
]
BY_HAND = [("by-hand", "late", 0), ("by-hand", "later", 0)]


def on_the_world(rules: Sequence[Rule]) -> list[object]:
    """What each rule says of the world above, line by line; or that it fails."""
    said: list[object] = []
    with workbench() as draft:
        typed(draft, NRBS, INVOICES)
        for sync_id, body in EARLIER:
            insert_bodies(draft, [body], [], sync_id=sync_id)
        insert_bodies(draft, [], [HIDDEN], sync_id=0)
        draft.query(
            "insert into raw.tombstone by name select 'invoice' as subject_type, 'hidden' as subject_id,"
            " false as is_active, 0 as last_sync, 1 as vanished_sync"
        )
        rebuild_schema(draft)
        rebuild_typed(draft, sync_id=1, zone=ZONE)
        journal = corrected("VERIFIED", noon(1), jnid="hidden").journal
        engine = prepare(draft, PARAMETERS, Decisions(links=line_keys(draft, BY_HAND), journal=journal))
        for rule in rules:
            try:
                fire(engine, rule, rule.values(PARAMETERS.common, {}), into="hit")
                said.append(sorted(engine.query("select * from hit").rows, key=repr))
            except RuleError as error:
                said.append(str(error))
    return said


def test_every_mutant_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    shipped = {rule.name: rule for rule in load_rules()}
    every = [mutant for rule in shipped.values() for mutant in mutants(rule)]
    with workbench() as draft:
        typed(draft)
        outcomes = examine(draft, [*shipped.values(), *(rule for _, rule in every)], PARAMETERS, Decisions())
    originals, broken = outcomes[: len(shipped)], outcomes[len(shipped) :]
    assert [outcome.rule_id for outcome in originals if not outcome.passed] == []
    unnoticed = [mutant for mutant, outcome in zip(every, broken, strict=True) if outcome.passed]
    before = dict(zip(shipped, on_the_world(list(shipped.values())), strict=True))
    after = on_the_world([rule for _, rule in unnoticed])
    left = {name for (name, rule), said in zip(unnoticed, after, strict=True) if said == before[rule.name]}
    with capsys.disabled():
        print(
            f"\n{len(every)} mutants: the self-test notices {len(every) - len(unnoticed)}, a world of odd records"
            f" {len(unnoticed) - len(left)} more; {len(left)} are no other rule"
        )
    assert left == set(EQUIVALENT)
