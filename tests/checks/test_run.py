"""One audit: the same input gives the same bytes, another input another id; and what the verdict is."""

import json
from datetime import date
from decimal import Decimal

import pytest

from auditkit.checks.map_files import read_job_map
from auditkit.checks.reconcile import BY, SCOPES, statement
from auditkit.checks.run import Decisions, Parameters, run
from auditkit.errors import SettingsError
from auditkit.sql import read
from auditkit.warehouse.schema import rebuild_schema, rebuild_typed
from tests.world import (
    AS_OF,
    audited,
    forget_steps,
    insert_bodies,
    invoice,
    line,
    nrb,
    related,
    typed,
    unbilled,
    workbench,
)

NRBS = [nrb("n1"), unbilled("n2", "50.00"), nrb("n3", "20.00"), unbilled("n4", None), nrb("n5", "20.00")]
INVOICES = [
    invoice([line("R1-n1", "90.00"), line("Labor", "20.00"), line("Labor", "20.00")]),
    invoice([line("Labor", "7.00")], "i2", related=[related("OTHER-1", "J2")]),
]
TABLES = (
    "link",
    "undecided",
    "evidence",
    "nrb_state",
    "line_question",
    "nrb_status",
    "job_reconciliation",
    "statement",
    "statement_item",
    "statement_offset",
    "finding",
    "rule",
    "audit_run",
)


def everything(snapshot):
    return {table: repr(snapshot.query(f"select * from {table}").rows) for table in TABLES}


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    with audited(tmp_path_factory.mktemp("first"), NRBS, INVOICES) as snapshot:
        yield everything(snapshot)


def test_the_same_input_gives_the_same_bytes_whatever_its_order(tmp_path, first):
    with audited(tmp_path, NRBS[::-1], INVOICES[::-1]) as snapshot:
        assert everything(snapshot) == first


OWN_RULE = """\
-- id: own-rule
-- title: Own
-- assertion: accuracy
-- severity: low
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text
-- why: Why.
-- remedy: Remedy.
select guid as subject_id, job_number, total as amount_at_risk, 'own' as reason from nrb_status where false
"""


@pytest.mark.parametrize(
    "changes",
    [
        {"tolerance": "0.01"},
        {"thresholds": {"nrb-unbilled": {"min_amount": "1"}}},
        {"links": [("n2", "i1", 1)]},
        {"forbidden": [("n1", "i1", None)]},
        {"jobs": [("JOB-1001", "OTHER-1")]},
        {"own_rules": OWN_RULE},
        {"invoices": [*INVOICES[:1], {**INVOICES[1], "total": "8.00"}]},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_another_input_has_another_id(tmp_path, first, changes):
    if "own_rules" in changes:
        (tmp_path / "own-rule.sql").write_text(OWN_RULE)
        changes = {"own_rules": tmp_path}
    with audited(tmp_path, **{"nrbs": NRBS, "invoices": INVOICES, **changes}) as snapshot:
        assert snapshot.query("select snapshot_id from audit_run").scalar() not in first["audit_run"]


# The verdict

# A void invoice may lack its total: it is in no figure.
CLEAN = ([nrb()], [invoice(), invoice([], "i2", total=None, is_active=False)])


@pytest.mark.parametrize(
    ("nrbs", "invoices", "changes", "verdict", "counted"),
    [
        pytest.param(*CLEAN, {}, "clean", {"findings": 0, "leaves": 1, "lines": 1, "lines_in_bodies": 1}, id="clean"),
        pytest.param([unbilled()], [], {}, "findings", {"findings": 3}, id="unbilled"),
        pytest.param(*CLEAN, {"status": "INCOMPLETE"}, "incomplete", {"findings": 0}, id="an incomplete sync"),
        pytest.param(
            [nrb(), {**nrb("bad"), "nrbGuid": ["bad"]}],
            [invoice()],
            {},
            "incomplete",
            {"quarantined": 1},
            id="quarantine",
        ),
        pytest.param(
            [nrb(nrbRate="NaN")],
            [invoice()],
            {},
            "incomplete",
            {"amounts_unreadable": 1, "quarantined": 0},
            id="a rate",
        ),
        pytest.param(
            [nrb()],
            [invoice(), {**invoice(jnid="i2"), "items": {}}],
            {},
            "incomplete",
            {"amounts_unreadable": 1, "lines": 1, "lines_in_bodies": 1},
            id="unreadable lines",
        ),
        pytest.param(
            [nrb(isInternal="maybe")], [invoice()], {}, "findings", {"amounts_unreadable": 0}, id="a decision"
        ),
        pytest.param(
            [nrb(nrbNotes=["a"])], [invoice(cost="free")], {}, "clean", {"fields_unreadable": 2}, id="fields not needed"
        ),
        pytest.param(
            [nrb(total=None)], [invoice([line(amount="0.00")])], {}, "incomplete", {"nrb_without_total": 1}, id="NRB"
        ),
        pytest.param(
            [nrb()],
            [invoice(), invoice([line("A", None, price=None)], "i2")],
            {},
            "incomplete",
            {"lines_without_amount": 1},
            id="line",
        ),
        pytest.param(
            [nrb()], [invoice(total=None)], {}, "incomplete", {"invoices_without_total": 1}, id="an issued invoice"
        ),
    ],
)
def test_verdict(tmp_path, nrbs, invoices, changes, verdict, counted):
    with audited(tmp_path, nrbs, invoices, **changes) as snapshot:
        ((found, counts),) = snapshot.query("select verdict, counts from audit_run").rows
    assert found == verdict
    assert json.loads(counts).items() >= counted.items()


def test_a_line_that_was_lost_on_the_way_is_missed():
    with workbench() as draft:
        typed(draft, *CLEAN)
        draft.query("delete from invoice_item")
        run(draft, Parameters(as_of=AS_OF, time_zone="UTC", environment="test", account="test"), Decisions())
        ((verdict, counts),) = draft.query("select verdict, counts from audit_run").rows
    assert verdict == "incomplete"
    assert (json.loads(counts)["lines"], json.loads(counts)["lines_in_bodies"]) == (0, 1)


def test_the_run_keeps_its_parameters(tmp_path):
    thresholds = {"nrb-unbilled": {"min_amount": "5"}}
    with audited(tmp_path, tolerance="0.05", thresholds=thresholds, draft_status_names=("draft", "wip")) as snapshot:
        (row,) = snapshot.query(
            "select as_of, parameters, environment, account, time_zone, sync_id from audit_run"
        ).rows
    assert row[0] == date(2026, 9, 30)
    assert json.loads(row[1]) == {
        "as_of": "2026-09-30",
        "draft_status_names": ["draft", "wip"],
        "labor_in_amount": "auto",
        "rules": {"nrb-unbilled": {"min_amount": "5"}},
        "surge": 50,
        "time_zone": "America/Edmonton",
        "tolerance": "0.05",
        "vendor_tax": "ask",
        "void_status_names": ["void", "voided", "canceled", "cancelled", "deleted"],
    }
    assert row[2:] == ("test", "test", "America/Edmonton", 1)


def test_draft_names_are_trimmed_and_folded(tmp_path):
    with audited(tmp_path, [], [invoice(status_name="IN PROGRESS ")], draft_status_names=(" in progress",)) as snapshot:
        assert snapshot.query("select state from invoice_status").scalar() == "draft"


def test_what_was_run_can_be_run_again_on_the_snapshot(tmp_path):
    """The text kept with each rule gives its findings again, on the published file alone."""
    with audited(tmp_path, NRBS, INVOICES) as snapshot:
        rules = snapshot.query("select rule_id, executed from rule").rows
        sql = "select rule_id, count(*) from finding group by rule_id"
        found = dict(snapshot.query(sql).rows)
        again = {rule: len(snapshot.query(text).rows) for rule, text in rules}
    assert again == {rule: found.get(rule, 0) for rule, _ in rules}


# No accepted amount breaks the audit

MOST = "999999999999999.99"


def extremes(most, least):
    """Every amount as large as it may be, in dozens, linked in every way."""
    bill = {"cost": most, "due": least, "tax": least}
    nrbs = [
        *[unbilled(f"u{number}", most) for number in range(11)],
        *[nrb(f"b{number}", most, nrbInvoiceNumber="AP-7777", nrbIsExported=False) for number in range(12)],
        *[nrb(f"m{number}", most, nrbQuantity=most, nrbVendorTax=least, nrbUpcharge=most) for number in range(12)],
        *[nrb(f"s{number}", most, nrbBilledInName=None) for number in range(2)],
    ]
    invoices = [
        invoice([line(f"R1-b{number}", least) for number in range(12)], total=most, subtotal=most, **bill),
        invoice([line("all", least, quantity=most, price=most)] * 15, "i2", total=least, subtotal=least, **bill),
        invoice([line("Labor", most)] * 12, "i3", total=None, subtotal=None, total_paid=least, **bill),
        invoice([line("Labor", most)] * 12, "i4", total=most, subtotal=least, is_active=False, **bill),
    ]
    shared = [*[(f"m{number}", "i2", 0) for number in range(12)], *[("s0", "i2", place) for place in range(1, 14)]]
    return nrbs, invoices, [*shared, ("s1", "i2", 1), ("s1", "i4", 0)]


@pytest.mark.parametrize(("most", "least"), [(MOST, f"-{MOST}"), (f"-{MOST}", MOST)], ids=["high", "low"])
def test_no_accepted_amount_is_too_large_for_the_audit(tmp_path, most, least):
    nrbs, invoices, links = extremes(most, least)
    with audited(tmp_path, nrbs, invoices, links=links) as snapshot:
        assert snapshot.query("select count(*) from quarantine").scalar() == 0
        difference = "select distinct amount, gross from statement where code = 'difference'"
        assert snapshot.query(difference).rows == [(0, 0)]
        totals = "select nrb_total, unbilled_total from job_reconciliation"
        unbilled_cost = snapshot.query(
            "select amount from statement where code = 'unbilled' and scope = 'all'"
        ).scalar()
        assert snapshot.query(totals).rows == [(37 * Decimal(most), -unbilled_cost)]
        for question in (
            *BY.values(),
            read("queries/by_rule"),
            read("queries/unbilled"),
            read("queries/completeness"),
            read("queries/sensitivity"),
        ):
            assert snapshot.query(question).rows
        for scope in SCOPES:
            assert snapshot.query(*statement(scope)).rows


def test_money_is_divided_exactly_whatever_its_size():
    with workbench() as draft:
        rebuild_schema(draft)
        sql = "select money_div(sum(x), 2), median_money(x) from (values ($most::decimal(18, 2)), ($most)) as t(x)"
        ((half, median),) = draft.query(sql, {"most": MOST}).rows
    assert (half, median) == (Decimal(MOST), float(MOST))


# History: one row for each change of state


def test_a_finding_keeps_the_day_it_was_first_seen_until_it_is_cleared(tmp_path):
    days = [date(2026, 9, day) for day in (28, 29, 30)]
    with workbench() as draft:
        for sync_id, (day, body) in enumerate(zip(days, [unbilled(), nrb(), unbilled()], strict=True), 1):
            rebuild_schema(draft)
            draft.query("delete from raw.nrb_body")
            forget_steps(draft)
            insert_bodies(draft, [body], [], sync_id=sync_id)
            draft.query("insert into sync_run by name select $id as sync_id, 'COMPLETE' as status", {"id": sync_id})
            rebuild_typed(draft, sync_id=sync_id, zone="UTC")
            run(draft, Parameters(as_of=day, time_zone="UTC", environment="t", account="t"), Decisions())
            seen = draft.query("select first_seen from finding where rule_id = 'nrb-unbilled'").rows
            assert seen == ([] if sync_id == 2 else [(days[0],)])
        history = draft.query("select state, as_of from finding_history where rule_id = 'nrb-unbilled'").rows
    assert history == [("open", days[0]), ("cleared", days[1]), ("open", days[2])]


# job_map.csv


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("aimsio_job_number,jobnimbus_job_number\nA-1, 1001 \n", [("A-1", "1001")]),
        ("\ufeffjobnimbus_job_number,note,aimsio_job_number\n007,x,A-7\n", [("A-7", "007")]),
        ("aimsio_job_number,jobnimbus_job_number\n", []),
        ('aimsio_job_number,jobnimbus_job_number\n"A, 1",2\n', [("A, 1", "2")]),
    ],
)
def test_job_map(tmp_path, text, rows):
    (tmp_path / "job_map.csv").write_text(text, encoding="utf-8")
    assert read_job_map(tmp_path / "job_map.csv") == rows


TWO_OF_ONE = {
    "nrbs": [nrb("n1", nrbJobOrderNumber="A-1"), nrb("n2", "7.00", nrbJobOrderNumber="B-1", nrbBilledInName=None)],
    "invoices": [invoice([line("R1-n2", "7.00")], related=[related("J-9", "J1")])],
    "jobs": [("A-1", "J-9"), ("B-1", "J-9"), ("B-1", "J-9")],
}


def test_a_job_of_jobnimbus_may_be_several_of_aimsio(tmp_path):
    with audited(tmp_path, **TWO_OF_ONE) as snapshot:
        assert snapshot.query("select count(*) from job_map where source = 'job_map.csv'").scalar() == 2
        assert snapshot.query("select nrb_guid from link where position = 0").rows == [("n2",)]
        assert snapshot.query("select job_number from invoice_status").scalar() == "B-1"  # its linked NRBs decide
    others = {**TWO_OF_ONE, "invoices": [invoice([line("Labor", "55.00")], related=[related("x", "j-9 ")])]}
    with audited(tmp_path, **others) as snapshot:
        assert snapshot.query("select job_number from invoice_status").scalar() == "(several)"


def test_lines_of_the_job_map_that_name_no_job_are_told_and_counted(tmp_path, capsys):
    jobs = [("A-1", "J-9"), ("a-1 ", "OTHER"), ("GONE", "J-9"), ("B-1", "J1")]
    with audited(tmp_path, **{**TWO_OF_ONE, "jobs": jobs}) as snapshot:
        counts = json.loads(snapshot.query("select counts from audit_run").scalar())
    assert counts["job_map_unknown"] == 2
    told = "job_map.csv: 2 lines name a job that this snapshot does not hold: GONE = J-9, a-1  = OTHER"
    assert told in capsys.readouterr().err.splitlines()
    with audited(tmp_path, **TWO_OF_ONE):
        assert "job_map.csv" not in capsys.readouterr().err


def test_no_job_map_is_an_empty_one(tmp_path):
    assert read_job_map(tmp_path / "job_map.csv") == []


@pytest.mark.parametrize(
    ("text", "line_number", "words"),
    [
        ("aimsio_job_number\nA-1\n", 1, "expected the columns aimsio_job_number, jobnimbus_job_number"),
        ("", 1, "expected the columns"),
        ("aimsio_job_number,jobnimbus_job_number\nA-1,1\nA-2,\n", 3, "both job numbers are needed"),
        ("aimsio_job_number,jobnimbus_job_number\nA-1\n", 2, "both job numbers are needed"),
    ],
)
def test_a_job_map_that_cannot_be_read_names_its_line(tmp_path, text, line_number, words):
    path = tmp_path / "job_map.csv"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        read_job_map(path)
    assert str(caught.value).startswith(f"{path}:{line_number}: {words}")


@pytest.mark.parametrize("text", ["aimsio_job_number,jobnimbus_job_number\nA-\xff,1\n"])
def test_a_job_map_that_is_no_text_is_named(tmp_path, text):
    path = tmp_path / "job_map.csv"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(SettingsError, match=r"job_map\.csv"):
        read_job_map(path)
