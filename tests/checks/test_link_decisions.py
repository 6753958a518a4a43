"""Decisions about links, as the journal keeps them: the latest one about a pair counts."""

from datetime import UTC, datetime

import pytest

from auditkit.checks.link_decisions import link_decisions
from auditkit.journal import Journal

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "journal.jsonl", clock=lambda: NOON)


def test_forbidding_an_invoice_takes_back_the_links_to_its_lines(journal):
    lines = [{"nrb_guid": "n1", "jnid": "i1", "line_key": key} for key in ("k1", "k2")]
    whole = {"nrb_guid": "n1", "jnid": "i1", "line_key": None}
    for kind, pair in (("link", lines[0]), ("link", {**lines[0], "jnid": "i2"}), ("forbid", whole), ("link", lines[1])):
        journal.append(kind, {**pair, "note": "why", "who": "ann"})
    assert [(row["kind"], row["jnid"], row["line_key"]) for row in link_decisions(journal)] == [
        ("link", "i2", "k1"),
        ("forbid", "i1", None),
        ("link", "i1", "k2"),
    ]


def test_forbidding_an_invoice_keeps_the_forbidden_pairs_of_its_lines(journal):
    pair = {"nrb_guid": "n1", "jnid": "i1"}
    for key in ("k1", None):
        journal.append("forbid", {**pair, "line_key": key})
    journal.append("unforbid", {**pair, "line_key": None})
    assert [(row["kind"], row["line_key"]) for row in link_decisions(journal)] == [("forbid", "k1")]


def test_the_latest_decision_about_a_pair_counts(journal):
    pair = {"nrb_guid": "n1", "jnid": "i1", "line_key": "k1"}
    decisions = [
        ("unrelated", pair),
        ("unlink", {**pair, "note": "never linked", "who": "ann"}),
        ("link", {**pair, "note": "seen", "who": "ann"}),
        ("link", {**pair, "line_key": None, "note": "whole", "who": "ann"}),
        ("forbid", {**pair, "note": "no", "who": "bob"}),
        ("unlink", {**pair, "note": "not a link any more", "who": "bob"}),
        ("forbid", {**pair, "jnid": "i2", "note": "x", "who": "bob"}),
        ("unforbid", {**pair, "jnid": "i2", "note": "x", "who": "bob"}),
    ]
    for kind, body in decisions:
        journal.append(kind, body)
    assert link_decisions(journal) == [
        {"kind": "forbid", **pair, "note": "no", "who": "bob", "at": NOON},
        {"kind": "link", **pair, "line_key": None, "note": "whole", "who": "ann", "at": NOON},
    ]
