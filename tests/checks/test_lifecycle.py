"""The life of a finding over several syncs: new, persisting, accepted, re-opened, cleared, and the warnings above."""

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from auditkit.checks.acceptance import acceptances
from auditkit.checks.lifecycle import ACCEPTANCE_COLUMNS
from auditkit.checks.run import Decisions
from auditkit.journal import Journal
from tests.syncs import synced
from tests.world import AS_OF, invoice, line, nrb, related, unbilled, workbench

DAYS = [AS_OF + timedelta(days=n) for n in range(4)]


@pytest.fixture
def draft():
    with workbench() as bench:
        yield bench


def states(draft, rule="nrb-unbilled"):
    """subject → (state, change)."""
    rows = draft.query("select subject_id, state, change from finding where rule_id = $r", {"r": rule}).rows
    return {subject: (state, change) for subject, state, change in rows}


def verdict(draft):
    return draft.query("select verdict from audit_run").scalar()


def accepting(draft, subject="n1", rule="nrb-unbilled", **changes):
    """Decisions that accept one finding as it is in the draft."""
    row = draft.query(
        "select fingerprint, rule_id, subject_id, amount_at_risk, key, evidence from finding"
        " where rule_id = $rule and subject_id = $subject",
        {"rule": rule, "subject": subject},
    ).records()[0]
    said = {**row, "amount_at_risk": str(row["amount_at_risk"]) if row["amount_at_risk"] is not None else None}
    said |= {"note": "agreed", "who": "controller", "until": None, "accepted_at": "2026-09-30T12:00:00+00:00"}
    said |= {"snapshot_id": "s", **changes}
    return Decisions(acceptances=[tuple(said[name] for name in ACCEPTANCE_COLUMNS)])


def test_new_persisting_cleared_and_re_opened(draft):
    worlds = [[unbilled("a")], [unbilled("a"), unbilled("b")], [unbilled("b")], [unbilled("a"), unbilled("b")]]
    seen = []
    for sync_id, (day, nrbs) in enumerate(zip(DAYS, worlds, strict=True), 1):
        synced(draft, sync_id, nrbs, as_of=day)
        seen.append(states(draft))
    assert seen == [
        {"a": ("open", "new")},
        {"a": ("open", "persisting"), "b": ("open", "new")},
        {"b": ("open", "persisting")},
        {"a": ("open", "re-opened"), "b": ("open", "persisting")},
    ]
    rows = draft.query(
        "select subject_id, state, as_of, sync_id from finding_history where rule_id = 'nrb-unbilled' order by rowid"
    ).rows
    assert rows == [
        ("a", "open", DAYS[0], 1),
        ("b", "open", DAYS[1], 2),
        ("a", "cleared", DAYS[2], 3),
        ("a", "open", DAYS[3], 4),
    ]
    first = draft.query("select first_seen from finding where rule_id = 'nrb-unbilled' and subject_id = 'a'").scalar()
    assert first == DAYS[0]


def test_auditing_one_sync_again_changes_nothing_of_it(draft):
    synced(draft, 1, [unbilled("a")])
    synced(draft, 2, [unbilled("a"), unbilled("b")])
    before = draft.query("select * from finding, audit_run order by all").rows
    history = draft.query("select * from finding_history order by rowid").rows
    synced(draft, 2, [unbilled("a"), unbilled("b")])
    assert draft.query("select * from finding, audit_run order by all").rows == before
    assert draft.query("select * from finding_history order by rowid").rows == history


def test_a_clean_account_whose_findings_are_all_accepted_is_accepted_and_not_clean(draft):
    paid = [invoice([line("R1-n2")])]
    synced(draft, 1, [unbilled(), nrb("n2")], paid)
    assert verdict(draft) == "findings"
    found = draft.query("select subject_id, rule_id from finding order by rule_id").rows
    assert found == [("n1", "nrb-exported-unbilled"), ("n1", "nrb-unbilled")]
    rows = [row for subject, rule in found for row in accepting(draft, subject, rule).acceptances]
    synced(draft, 1, [unbilled(), nrb("n2")], paid, decisions=Decisions(acceptances=rows[1:]))
    assert verdict(draft) == "findings"
    synced(draft, 1, [unbilled(), nrb("n2")], paid, decisions=Decisions(acceptances=rows))
    assert verdict(draft) == "accepted"
    paid = [invoice([line("R1-n2"), line("R1-n1")])]
    synced(draft, 2, [nrb("n1"), nrb("n2")], paid, decisions=Decisions(acceptances=rows))
    assert verdict(draft) == "clean"


LIFE = {
    # NRB: what is accepted, what the next sync holds, the state of the finding then, why it is open again
    "same": ({}, {}, "accepted", None),
    "less": ({}, {"total": "99.99"}, "accepted", None),
    "more": ({}, {"total": "100.01"}, "open", "accepted at 100.00, now 100.01"),
    "opposite": ({}, {"total": "-100.00"}, "open", "accepted at 100.00, now -100.00"),
    "now-unknown": ({}, {"total": None}, "open", "accepted at 100.00, now unknown"),
    "was-unknown": ({"amount_at_risk": None}, {}, "open", "accepted at an unknown amount, now 100.00"),
    "unknown": ({"amount_at_risk": None}, {"total": None}, "accepted", None),
    "credit": ({"amount_at_risk": "-100.00"}, {"total": "-50.00"}, "accepted", None),
    "last-day": ({"until": DAYS[1].isoformat()}, {}, "accepted", None),
    "past": ({"until": DAYS[0].isoformat()}, {}, "open", f"accepted until {DAYS[0]}"),
    "key": ({"key": '{"other":1}'}, {}, "open", 'its evidence changed: {"other":1} became {"look_first":false}'),
}


def accepting_all(draft, cases):
    """Decisions that accept several findings: (subject, rule, changes)."""
    return Decisions(
        acceptances=[
            row for subject, rule, changes in cases for row in accepting(draft, subject, rule, **changes).acceptances
        ]
    )


def test_an_acceptance_holds_until_its_day_passes_or_more_is_at_risk(draft):
    first = [unbilled(guid) for guid in LIFE]
    synced(draft, 1, first)
    cases = [(guid, "nrb-unbilled", changes) for guid, (changes, *_) in LIFE.items()]
    unchanged, decided = accepting_all(draft, [case for case in cases if not case[2]]), accepting_all(draft, cases)
    synced(draft, 1, first, decisions=unchanged)
    assert states(draft) == {guid: ("open" if changes else "accepted", "new") for guid, (changes, *_) in LIFE.items()}
    synced(draft, 2, [unbilled(guid, **body) for guid, (_, body, *_) in LIFE.items()], decisions=decided, as_of=DAYS[1])
    assert states(draft) == {
        guid: (state, "re-opened" if state == "open" and not changes else "persisting")
        for guid, (changes, _, state, _) in LIFE.items()
    }
    why = {guid: reason for guid, (*_, reason) in LIFE.items()}
    rows = draft.query("select subject_id, reopened_because from finding where rule_id = 'nrb-unbilled'").rows
    assert dict(rows) == why
    assert dict(draft.query("select subject_id, lapsed from acceptance").rows) == why


def test_an_accepted_pair_is_open_again_when_another_joins(draft):
    def bill(guid):
        return nrb(guid, nrbInvoiceNumber="B-77")

    synced(draft, 1, [bill("n1"), bill("n2")])
    decided = accepting(draft, "n2", "nrb-duplicate")
    synced(draft, 1, [bill("n1"), bill("n2")], decisions=decided)
    assert states(draft, "nrb-duplicate") == {"n2": ("accepted", "new")}
    synced(draft, 2, [bill("n1"), bill("n2"), bill("n3")], decisions=decided)
    assert states(draft, "nrb-duplicate")["n2"] == ("open", "re-opened")


def test_an_accepted_line_stays_accepted_when_another_is_inserted_above_it(draft):
    wrong = line("Trucking", "100.00", quantity=1.0, price=90.0)
    synced(draft, 1, [], [invoice([wrong])])
    decided = accepting(draft, "i1/0", "line-arithmetic")
    synced(draft, 2, [], [invoice([line("Labour", "5.00"), wrong])], decisions=decided)
    assert states(draft, "line-arithmetic") == {"i1/1": ("accepted", "persisting")}


def test_an_accepted_record_that_cannot_be_read_does_not_make_the_verdict_incomplete(draft):
    broken, billed = nrb("bad", nrbVendorTax="many"), [invoice([line("R1-bad")])]
    synced(draft, 1, [broken], billed)
    assert verdict(draft) == "incomplete"
    decided = accepting(draft, "bad", "record-quarantined")
    synced(draft, 1, [broken], billed, decisions=decided)
    assert verdict(draft) == "accepted"
    synced(draft, 2, [nrb("bad", nrbVendorTax="several")], billed, decisions=decided)
    assert verdict(draft) == "incomplete"  # another body than the one that was looked at


def charged(name, amount):
    """A job whose NRB of 100.00 is charged for another amount."""
    job, jnid = f"JOB-{name}", f"i-{name}"
    cost = nrb(name, nrbJobOrderNumber=job, nrbBilledInName=f"INV-{jnid}")
    return cost, invoice([line(f"R1-{name}", amount)], jnid, related=[related(job)])


TURNED = [
    # rule, subject, NRB and invoice as accepted, the same with the opposite fault of the same size
    (
        "invoice-subtotal",
        "i-sum",
        (None, invoice([line("none")], "i-sum", subtotal=150.0)),
        (None, invoice([line("none")], "i-sum", subtotal=50.0)),
    ),
    (
        "invoice-total",
        "i-total",
        (None, invoice([line("none")], "i-total", total=150.0)),
        (None, invoice([line("none")], "i-total", total=50.0)),
    ),
    ("line-amount-difference", "i-n1/0", charged("n1", "150.00"), charged("n1", "50.00")),
    ("nrb-missing-key", "key", (nrb("key", nrbVendorCode=None), None), (nrb("key", nrbJobOrderNumber=None), None)),
]


def test_an_accepted_finding_that_turns_into_its_opposite_is_open(draft):
    def books(which):
        return [[case[which][side] for case in TURNED if case[which][side]] for side in (0, 1)]

    synced(draft, 1, *books(2))
    decided = accepting_all(draft, [(subject, rule, {}) for rule, subject, *_ in TURNED])
    synced(draft, 1, *books(2), decisions=decided)
    assert [states(draft, rule)[subject] for rule, subject, *_ in TURNED] == [("accepted", "new")] * len(TURNED)
    synced(draft, 2, *books(3), decisions=decided)
    for rule, *_ in TURNED:
        assert "accepted" not in [state for state, _ in states(draft, rule).values()], rule


def test_what_is_cleared_says_why_and_how_it_stood_last(draft):
    synced(draft, 1, [unbilled("a"), unbilled("b"), unbilled("c")])
    dearer = unbilled("a", "5000.00", nrbJobOrderNumber="JOB-9")
    synced(draft, 2, [dearer, unbilled("b"), unbilled("c")])
    unreadable = {**unbilled("b"), "nrbGuid": ["b"]}
    synced(draft, 3, [nrb("a", "5000.00", nrbJobOrderNumber="JOB-9"), unreadable])
    cleared = draft.query(
        "select subject_id, job_number, amount_at_risk, reason from finding_history"
        " where rule_id = 'nrb-unbilled' and state = 'cleared' order by subject_id"
    ).rows
    assert cleared == [
        ("a", "JOB-9", Decimal("5000.00"), "it no longer fires"),
        ("b", "JOB-1001", Decimal("100.00"), "its record is in quarantine"),
        ("c", "JOB-1001", Decimal("100.00"), "its record vanished"),
    ]


OWN = """-- id: my-rule
-- title: mine
-- assertion: accuracy
-- severity: low
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text
-- why: because
-- remedy: look
select guid as subject_id, job_number, total as amount_at_risk, 'so' as reason from nrb_status
"""


def test_findings_of_a_rule_that_is_gone_are_told_when_it_goes(draft, tmp_path):
    own, clean = tmp_path / "my-rule.sql", ([nrb()], [invoice([line("R1-n1")])])
    own.write_text(OWN)
    synced(draft, 1, *clean, own_rules=tmp_path)
    assert states(draft, "my-rule") == {"n1": ("open", "new")}
    own.unlink()
    for sync_id, warned in ((2, True), (2, True), (3, False)):
        synced(draft, sync_id, *clean, own_rules=tmp_path)
        assert [text.partition(",")[0] for text in told(draft)] == ["my-rule: was not run"] * warned
    rows = draft.query(
        "select state, reason, sync_id from finding_history where rule_id = 'my-rule' order by rowid"
    ).rows
    assert rows == [("open", "so", 1), ("cleared", "its rule was not run", 2)]


def test_an_acceptance_of_a_finding_that_is_gone_waits_for_it(draft):
    synced(draft, 1, [unbilled()])
    decided = accepting(draft)
    synced(draft, 2, [nrb()], [invoice([line("R1-n1")])], decisions=decided)
    assert (states(draft), draft.query("select lapsed from acceptance").scalar()) == ({}, None)
    synced(draft, 3, [unbilled()], decisions=decided)
    assert states(draft) == {"n1": ("accepted", "re-opened")}


def told(draft):
    return json.loads(draft.query("select warnings from audit_run").scalar())


@pytest.mark.parametrize(("fresh", "warned"), [(3, False), (4, True)])
def test_a_surge_of_one_rule_is_told_once_above_the_findings(draft, fresh, warned):
    synced(draft, 1, [unbilled("a"), nrb()], [invoice([line("R1-n1")])], surge=1)
    assert told(draft) == []  # of the first sync everything is new
    nrbs = [unbilled("a"), nrb(), *(unbilled(f"b{n}", nrbIsExported=False) for n in range(fresh))]
    synced(draft, 2, nrbs, [invoice([line("R1-n1")])], surge=3)
    rules = [text.partition(":")[0] for text in told(draft)]
    assert rules == (["nrb-unbilled", "nrb-unexported"] if warned else [])


@pytest.mark.parametrize(("lost", "warned"), [(1, False), (2, True)])
def test_marks_that_lead_nowhere_are_told(draft, lost, warned):
    nrbs = [nrb("n1"), *(nrb(f"lost{n}", nrbBilledInName=f"NO-{n}") for n in range(lost))]
    synced(draft, 1, nrbs, [invoice([line("R1-n1")])])
    assert [text for text in told(draft) if text.startswith(f"{lost} of {lost + 1} billed marks find no invoice")] == (
        told(draft) if warned else []
    )
    assert bool(told(draft)) is warned


def test_the_last_word_on_a_finding_stands(tmp_path: Path):
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append("accept", {"fingerprint": "f1", "note": "first"})
    journal.append("accept", {"fingerprint": "f2", "note": "other"})
    journal.append("accept", {"fingerprint": "f1", "note": "again"})
    journal.append("unaccept", {"fingerprint": "f2", "note": "no"})
    journal.append("unaccept", {"fingerprint": "f3", "note": "never was"})
    assert [(said["fingerprint"], said["note"]) for said in acceptances(journal)] == [("f1", "again")]


def test_a_home_of_before_gets_the_columns_that_came_since(draft):
    draft.query(
        "create table finding_history (fingerprint varchar, rule_id varchar, subject_id varchar, state varchar,"
        " as_of date, sync_id integer)"
    )
    synced(draft, 1, [unbilled()], as_of=date(2026, 9, 30))
    assert draft.query("select reason, amount_at_risk from finding_history where rule_id = 'nrb-unbilled'").rows
