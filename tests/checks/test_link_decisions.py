"""Decisions about links: which are in force, and what a whole account makes of them, from one audit to the next."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import auditkit as ak
from auditkit.checks.link_decisions import LinkDecisions, link_decisions
from auditkit.errors import QuestionRefused
from auditkit.journal import Journal
from auditkit.sandbox.world import World
from tests.commands import Account, account_of
from tests.world import audited, invoice, line, nrb, unbilled

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)


# ── What is in force ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "journal.jsonl", clock=lambda: NOON)


def decide(journal, *decisions, note="why", who="ann"):
    body = [{"decision": kind, "nrb_guid": "n1", "jnid": jnid, "line_key": key} for kind, jnid, key in decisions]
    journal.append("links", {"decisions": body, "note": note, "who": who})


def in_force(journal):
    return [(row["decision"], row["jnid"], row["line_key"]) for row in link_decisions(journal)]


def test_forbidding_an_invoice_takes_back_what_was_confirmed_of_its_lines(journal):
    decide(journal, ("confirm", "i1", "k1"), ("confirm", "i2", "k1"), ("forbid", "i1", None), ("confirm", "i1", "k2"))
    assert in_force(journal) == [("confirm", "i2", "k1"), ("forbid", "i1", None), ("confirm", "i1", "k2")]


def test_forbidding_an_invoice_keeps_the_forbidden_pairs_of_its_lines(journal):
    decide(journal, ("forbid", "i1", "k1"), ("forbid", "i1", None))
    decide(journal, ("undo", "i1", None))
    assert in_force(journal) == [("forbid", "i1", "k1")]


def test_the_latest_decision_about_a_pair_counts(journal):
    journal.append("unrelated", {"decisions": "none of ours"})
    decide(journal, ("undo", "i1", "k1"))
    decide(journal, ("confirm", "i1", "k1"), ("confirm", "i3", "k3"), note="seen")
    decide(journal, ("forbid", "i1", "k1"), ("forbid", "i2", "k1"), note="no", who="bob")
    decide(journal, ("undo", "i2", "k1"))
    common = {"nrb_guid": "n1", "at": NOON}
    assert link_decisions(journal) == [
        {"decision": "confirm", **common, "jnid": "i3", "line_key": "k3", "note": "seen", "who": "ann"},
        {"decision": "forbid", **common, "jnid": "i1", "line_key": "k1", "note": "no", "who": "bob"},
    ]


# ── On an account ───────────────────────────────────────────────────────────────────────────────────────────────────

CRANE, PUMP, TWIN, OTHER = "6f1c2ab0-crane", "6f1c2ad7-pump", "77aa10-twin", "77aa11-other"
NRBS = [
    unbilled(CRANE, "71.00", nrbOriginReference=None, nrbInvoiceNumber="44719"),
    unbilled(PUMP, "400.00", nrbOriginReference="R-7788"),
    unbilled(TWIN, "90.00", nrbInvoiceNumber="AP-70123"),
    unbilled(OTHER, "90.00", nrbInvoiceNumber="AP-70123"),
]
INVOICES = [
    invoice([line("Crane 44719", "55.00"), line("Crane 44719, second day", "12.00")], "i1"),
    invoice([line("Operator for R-7788", "120.00", item_type="labor"), line("AP-70123", "90.00")], "i2"),
    invoice([line("Sundries", "400.00")], "i3", number="INV-i1/1"),
]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    names = {"vendors": frozenset({"BIT"}), "jobs": frozenset({"JOB-1001"})}
    world = World(1, date(2026, 9, 30), "America/Edmonton", NRBS, INVOICES, **names, hosts=(), planted={})
    with account_of(world, tmp_path_factory.mktemp("account")) as synced:
        yield synced


@pytest.fixture
def audit(account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ak.Audit]:
    account.home(monkeypatch, tmp_path, IDENTITY="ann")
    with ak.open() as opened:
        yield opened


def states(audit: ak.Audit) -> dict[str, str]:
    return dict(audit.sql("select guid, state from nrb_state").itertuples(index=False, name=None))


def handles(audit: ak.Audit, guid: str) -> list[str]:
    frame = audit.links.undecided()
    return list(frame[frame["nrb_guid"] == guid]["line_id"])


def decisions(audit: ak.Audit) -> list[tuple[Any, ...]]:
    frame = audit.links.decided()[["decision", "nrb_guid", "jnid", "position"]]
    return [(*row[:3], None if pd.isna(row[3]) else row[3]) for row in frame.itertuples(index=False, name=None)]


def test_the_candidates_of_every_undecided_cost_are_listed_in_words(audit: ak.Audit) -> None:
    frame = audit.links.undecided()
    assert set(states(audit).values()) == {"undecided"}
    assert [(row.cost_id, row.jnid, row.position) for row in frame.itertuples()] == [
        ("6f1c2ad", "i2", 0),
        ("77aa10", "i2", 1),
        ("77aa11", "i2", 1),
        ("6f1c2ab", "i1", 0),
        ("6f1c2ab", "i1", 1),
    ]
    first = frame[frame["nrb_guid"] == CRANE].iloc[1].to_dict()
    assert {name: str(first[name]) for name in ("vendor", "vendor_invoice", "cost_date", "cost", "job_number")} == {
        "vendor": "BIT",
        "vendor_invoice": "44719",
        "cost_date": "2026-09-10",
        "cost": "71.00",
        "job_number": "JOB-1001",
    }
    assert (first["invoice"], first["line_text"], str(first["line_amount"]), first["points"], first["why"]) == (
        "INV-i1",
        "Service: Crane 44719, second day",
        "12.00",
        2,
        "named, but not surely: vendor's invoice number 44719 (plain) 2",
    )
    assert all(row.line_id == f"{row.cost_id}:{row.line_key[:3]}" for row in frame.itertuples())
    assert list(audit.links.undecided("job-1001 ")["line_id"]) == list(frame["line_id"])
    assert audit.links.undecided("elsewhere").empty


def test_a_confirmed_line_bills_its_cost_from_the_next_audit_on_until_it_is_undone(audit: ak.Audit) -> None:
    made = audit.links.confirm((PUMP[:7], "INV-i1/1/0"), (CRANE, "i1/0"), note="  seen\n on paper ")
    assert list(made["decision"]) == ["confirm", "confirm"] and set(made["note"]) == {"seen on paper"}
    assert states(audit)[PUMP] == "undecided"
    assert dict(audit.links.undecided()[["line_id", "decision"]].values)[handles(audit, CRANE)[0]] == "confirm"
    audit.run()
    assert states(audit) == {CRANE: "billed_part", PUMP: "billed_full", TWIN: "undecided", OTHER: "undecided"}
    methods = audit.sql("select nrb_guid, jnid, position, method from link order by all").values.tolist()
    assert methods == [[CRANE, "i1", 0, "manual"], [PUMP, "i3", 0, "manual"]]
    assert audit.statement().iloc[-1]["amount"] == 0
    audit.links.undo("6f1c2ad", (CRANE, "INV-i1/0"), note="another crane")
    audit.run()
    assert set(states(audit).values()) == {"undecided"} and decisions(audit) == []


def test_none_of_the_candidates_leaves_the_cost_unbilled(audit: ak.Audit) -> None:
    audit.links.none("6f1c2ab", PUMP, note="asked the foreman")
    (record,) = audit.journal.records()
    assert len(record.body["decisions"]) == 3 and record.body["note"] == "asked the foreman"
    assert sorted(decisions(audit)) == [
        ("forbid", CRANE, "i1", 0),
        ("forbid", CRANE, "i1", 1),
        ("forbid", PUMP, "i2", 0),
    ]
    audit.run()
    assert {guid: states(audit)[guid] for guid in (CRANE, PUMP)} == {CRANE: "unbilled", PUMP: "unbilled"}
    assert set(audit.links.undecided()["nrb_guid"]) == {TWIN, OTHER}


def test_a_forbidden_line_is_no_candidate_and_the_others_are(audit: ak.Audit) -> None:
    audit.links.forbid(handles(audit, CRANE)[1], note="another day")
    audit.run()
    assert states(audit)[CRANE] == "undecided" and len(handles(audit, CRANE)) == 1
    audit.links.forbid((CRANE, "INV-i1"), note="another crane")
    assert decisions(audit) == [("forbid", CRANE, "i1", 1), ("forbid", CRANE, "i1", None)]
    audit.run()
    assert states(audit)[CRANE] == "unbilled"


def test_of_two_costs_that_share_a_name_the_other_is_unbilled_once_one_is_confirmed(audit: ak.Audit) -> None:
    audit.links.confirm(*handles(audit, TWIN), note="its delivery note")
    audit.run()
    assert states(audit)[TWIN] == "billed_full"
    assert states(audit)[OTHER] == "unbilled"


def test_rows_are_decided_all_or_none(audit: ak.Audit) -> None:
    frame = audit.links.undecided().copy()
    rows = frame[frame["nrb_guid"].isin([PUMP, TWIN])].assign(decision=["forbid", "confirm"])
    audit.links.decide(rows, note="with the foreman")
    assert decisions(audit) == [("forbid", PUMP, "i2", 0), ("confirm", TWIN, "i2", 1)]
    grid = ak.review(audit.links.undecided())
    grid.choices = {CRANE: "none"}
    audit.links.decide(grid.chosen, note="in a notebook")
    assert decisions(audit)[2:] == [("forbid", CRANE, "i1", 0), ("forbid", CRANE, "i1", 1)]
    gone = rows.assign(line_key="other words")
    for wrong, words in (
        (gone, "is no candidate any more"),
        (rows.assign(decision=["confirm", "perhaps"]), "decision 'perhaps': write confirm or forbid"),
        (rows.drop(columns="decision"), "column decision is missing"),
        (rows.iloc[:0], "nothing was decided"),
    ):
        with pytest.raises(QuestionRefused, match=words):
            audit.links.decide(wrong, note="why")
    assert len(audit.journal.records()) == 2


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        (("6f1c2a", "i1/0"), "6f1c2a: is the beginning of several: 6f1c2ab0-crane, 6f1c2ad7-pump"),
        (("6f1c2", "i1/0"), "6f1c2: give at least 6 characters"),
        (("nobody", "i1/0"), "nobody: no cost has this id"),
        (("", "i1/0"), "no cost has this id"),
        ((CRANE, "i1"), "i1: no such line; write INVOICE/LINE"),
        ((CRANE, "i1/9"), "i1/9: no such line"),
        (f"{CRANE}:zzz", "no such candidate"),
        (f"{CRANE}:", "no such candidate"),
        (CRANE, "which line?"),
    ],
)
def test_what_is_not_clear_decides_nothing(audit: ak.Audit, pair: Any, words: str) -> None:
    with pytest.raises(QuestionRefused, match=words):
        audit.links.confirm((TWIN, "i2/1"), pair, note="why")
    assert audit.journal.records() == []


def test_an_invoice_number_that_looks_like_a_line_is_not_guessed(audit: ak.Audit) -> None:
    """INV-i1/1 is line 1 of INV-i1, and an invoice."""
    with pytest.raises(QuestionRefused, match=r"INV-i1/1: may be i1/1, i3; give the invoice's id"):
        audit.links.forbid((CRANE, "INV-i1/1"), note="why")
    audit.links.forbid((CRANE, "i3"), note="why")
    audit.links.confirm((CRANE, "INV-i1/1"), note="only a line can be confirmed")
    assert decisions(audit) == [("forbid", CRANE, "i3", None), ("confirm", CRANE, "i1", 1)]


def test_a_note_is_needed_and_there_must_be_something_to_undo(audit: ak.Audit) -> None:
    with pytest.raises(QuestionRefused, match="a note is needed"):
        audit.links.confirm((TWIN, "i2/1"), note=" ")
    with pytest.raises(QuestionRefused, match="nothing is decided about it"):
        audit.links.undo(TWIN, note="why")
    audit.links.confirm((TWIN, "i2/1"), note="why")
    with pytest.raises(QuestionRefused, match="nothing is decided about it"):
        audit.links.undo((TWIN, "i1/0"), note="why")
    with pytest.raises(QuestionRefused, match="no such candidate"):
        audit.links.undo(f"{TWIN}:zzz", note="why")
    audit.run()
    with pytest.raises(QuestionRefused, match="has no candidate lines"):
        audit.links.none(TWIN, note="why")


def test_a_decision_outlives_its_line(account: Account, audit: ak.Audit) -> None:
    """The line is corrected at JobNimbus: the decision about what it said is listed, and can be undone."""
    audit.links.confirm((PUMP, "i3/0"), note="seen")
    account.state.put_invoice(invoice([line("Sundries", "410.00")], "i3", number="INV-i1/1"))
    try:
        audit.sync()
        assert states(audit)[PUMP] == "undecided" and decisions(audit) == [("confirm", PUMP, "i3", None)]
        audit.links.undo(PUMP, note="gone")
        assert audit.links.decided().empty
    finally:
        account.state.put_invoice(INVOICES[2])


def test_a_cost_whose_mark_fits_several_invoices_is_listed_without_a_line(journal: Journal, tmp_path: Path) -> None:
    marked = nrb("n1", nrbBilledInName="TWICE-1", nrbOriginReference=None, nrbInvoiceNumber=None)
    several = [invoice([line("Crew", "7.77", item_type="labor")], jnid, number="TWICE-1") for jnid in ("i1", "i2")]
    with audited(tmp_path, [marked], several) as snapshot:
        links = LinkDecisions(journal, "ann", lambda: snapshot)
        (row,) = links.undecided().to_dict("records")
        assert (row["cost_id"], row["line_id"], row["state"]) == ("n1", None, "marked_several")
        assert row["why"] == "its mark TWICE-1 is the invoice number of the invoice, and of 1 more"
        with pytest.raises(QuestionRefused, match="has no candidate lines"):
            links.none("n1", note="why")
        assert list(links.confirm(("n1", "i2/0"), note="seen")["jnid"]) == ["i2"]
        with pytest.raises(QuestionRefused, match="TWICE-1: may be i1, i2"):
            links.forbid(("n1", "TWICE-1"), note="why")
