"""What the headers of the rules tell a reader: no advice may make anybody charge a client twice."""

import re
from pathlib import Path

import pytest
from sqlglot import exp

from auditkit.checks import portable
from auditkit.checks.rules import load_rules
from auditkit.warehouse.schema import outline

RULES = {rule.name: rule for rule in load_rules(Path("nowhere"))}
UNBILLED = {"nrb-unbilled", "nrb-exported-unbilled"}
LOOKS = ("Look", "Ask", "Compare", "Check")
ADVICE = re.compile(r"\b(?:bill|add|charge) (?:it|the)\b", re.IGNORECASE)


def test_advice_to_bill_is_recognized():
    assert [name for name, rule in RULES.items() if ADVICE.search(rule.remedy)] == [
        "job-unmapped",
        "line-amount-difference",
        "nrb-billed-not-found",
        "nrb-billed-on-void",
        "nrb-billed-part",
        "nrb-credited-back",
        "nrb-exported-unbilled",
        "nrb-line-not-found",
        "nrb-unbilled",
    ]


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_remedy_that_advises_billing_first_tells_to_look(name):
    for sentence in re.split(r"(?<=\.) ", RULES[name].remedy):
        if ADVICE.search(sentence):
            assert RULES[name].remedy.startswith(LOOKS) or sentence.startswith("Never ")


@pytest.mark.parametrize("name", sorted(UNBILLED))
def test_where_an_equal_line_is_open_the_remedy_tells_to_look_at_it(name):
    assert "look at that line first" in RULES[name].remedy


def test_a_rule_about_a_possible_duplicate_never_advises_to_void_another_document():
    assert "where they differ, renumber one" in RULES["invoice-duplicate"].remedy


@pytest.mark.parametrize(("name", "severity"), [
    ("nrb-invoiced-not-marked", "low"),
    ("nrb-billed-by-amount", "low"),
    ("nrb-duplicate-unnumbered", "low"),
    ("nrb-link-undecided", "medium"),
    ("nrb-duplicate-near", "medium"),
    ("invoice-no-job", "medium"),
    ("job-unmapped", "low"),
    *[(name, "low") for name in (
        "nrb-markup-odd", "invoice-tax-rate", "invoice-below-cost", "nrb-price-odd", "nrb-late-cost", "nrb-split",
        "invoice-payments", "line-names-unknown",
    )],
])  # fmt: skip
def test_where_the_data_may_be_noisy_the_severity_is_low(name, severity):
    assert RULES[name].severity == severity


def test_every_note_tells_what_null_does():
    assert [name for name, rule in RULES.items() if "NULL" not in rule.note] == []


def test_rules_read_public_tables_alone():
    """So that the text that was run can be run again on the published snapshot."""
    public = set(outline())
    for rule in RULES.values():
        tree = portable.parse(rule.text)
        own = {cte.alias for cte in tree.find_all(exp.CTE)}
        assert {".".join(filter(None, (table.db, table.name))) for table in tree.find_all(exp.Table)} - own <= public
