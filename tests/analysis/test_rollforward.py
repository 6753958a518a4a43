"""The roll-forward between kept snapshots: each row of the statement, what moved it, and what cannot be compared."""

import shutil
from decimal import Decimal
from itertools import permutations

import duckdb
import pytest

from auditkit.analysis.rollforward import movements, roll_forward
from auditkit.checks.run import Decisions, Parameters, run
from auditkit.errors import NoSnapshot, StoreError
from auditkit.warehouse.schema import rebuild_schema, rebuild_typed
from auditkit.warehouse.snapshots import Store
from tests.syncs import BOOKS, FIRST, SECOND, THIRD
from tests.world import AS_OF, ZONE, invoice, keep, line, line_keys, nrb, ref, referenced, unbilled

D = Decimal


def synced(store, *syncs, links=(), is_new=False):
    """Publish one snapshot for each (NRBs, invoices), with ids from 1; the one before is kept."""
    for sync_id, (nrbs, invoices) in enumerate(syncs, 1):
        with store.writer(), store.draft(keep_previous=True, is_new=is_new) as draft:
            rebuild_schema(draft)
            keep(draft, nrbs, invoices, sync_id)
            rebuild_typed(draft, sync_id=sync_id, zone=ZONE)
            said = Decisions(links=line_keys(draft, links))
            run(draft, Parameters(AS_OF, ZONE, "test", "test", own_rules=store.folder / "rules"), said)
    return store


LABOR, TRAVEL = line("Labor", "50.00"), line("Travel", "30.00")
BEFORE = (
    [
        unbilled("same", "10.00"),
        referenced("billed", "20.00"),
        unbilled("dearer", "7.00"),
        unbilled("gone", "3.00"),
        referenced("on-line", "100.00", nrbBilledInName="INV-a"),
    ],
    [invoice([LABOR, line(ref("on-line"), "100.00")], "a"), invoice([TRAVEL], "b", status_name="Draft")],
)
NOW = (
    [
        unbilled("same", "10.00"),
        referenced("billed", "20.00", nrbBilledInName="INV-b"),
        unbilled("dearer", "9.00"),
        unbilled("new", "5.00"),
        referenced("on-line", "100.00", nrbBilledInName="INV-a"),
    ],
    [
        invoice([TRAVEL, LABOR, line(ref("on-line"), "90.00")], "a"),  # a new line before it, and another price
        invoice([TRAVEL, line(ref("billed"), "20.00")], "b"),
    ],
)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    return synced(Store(tmp_path_factory.mktemp("two") / "home"), BEFORE, NOW)


@pytest.fixture(scope="module")
def pair(two):
    with two.open_pair() as pair:
        yield pair


ROLLED = {
    # code: before, new, cleared, changed, now; items before, new, cleared, changed, now
    "cost_booked": ("140 5 3 2 144", "5 1 1 1 5"),
    "never_invoiced": ("-40 -5 -23 -2 -24", "4 1 2 1 3"),
    "under_billed": ("0 -10 0 0 -10", "0 1 0 0 1"),
    "billed_by_name": ("100 20 0 -10 110", "1 1 0 1 2"),
    "other_lines": ("50 60 0 0 110", "1 2 0 0 3"),
    "invoice_total": ("150 50 0 20 220", "1 1 0 1 2"),
}


def test_before_and_new_less_cleared_and_changed_is_now(pair):
    rows = {row["code"]: row for row in roll_forward(pair).records()}
    found = {
        code: (
            " ".join(str(int(row[name])) for name in ("before", "new", "cleared", "changed", "now")),
            " ".join(str(row[f"items_{name}"]) for name in ("before", "new", "cleared", "changed", "now")),
        )
        for code, row in rows.items()
    }
    nothing = ("0 0 0 0 0", "0 0 0 0 0")
    assert {code: figures for code, figures in found.items() if figures != nothing} == ROLLED
    assert {row["unexplained"] for row in rows.values()} == {0}


def test_every_row_of_the_statement_in_order(pair):
    rows = pair.query(
        "select code, label from statement where scope = 'all' and not is_subtotal order by position"
    ).rows
    assert [(row["code"], row["label"]) for row in roll_forward(pair).records()] == rows
    assert roll_forward(pair).columns == (
        "code", "label", "before", "new", "cleared", "changed", "now", "items_before", "items_new", "items_cleared",
        "items_changed", "items_now", "unexplained",
    )  # fmt: skip


def test_the_items_behind_it(pair):
    rows = movements(pair).records()
    found = [
        (row["code"], row["movement"], row["subject_id"], row["before"], row["now"], row["difference"])
        for row in rows
        if row["code"] in ("never_invoiced", "billed_by_name", "other_lines")
    ]
    assert found == [
        ("never_invoiced", "changed", "dearer", -7, -9, -2),
        ("never_invoiced", "cleared", "billed", -20, None, 20),
        ("never_invoiced", "cleared", "gone", -3, None, 3),
        ("never_invoiced", "new", "new", None, -5, -5),
        ("billed_by_name", "changed", "a/2", 100, 90, -10),
        ("billed_by_name", "new", "b/1", None, 20, 20),
        ("other_lines", "new", "a/0", None, 30, 30),
        ("other_lines", "new", "b/0", None, 30, 30),
    ]
    by_code = {}
    for row in rows:
        by_code[row["code"]] = by_code.get(row["code"], 0) + row["difference"]
    assert by_code == {
        row["code"]: row["now"] - row["before"] for row in roll_forward(pair).records() if row["code"] in by_code
    }
    assert {(row["job_number"], str(row["month"])) for row in rows} == {("JOB-1001", "2026-09-01")}


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("three") / "home")
    return synced(store, (FIRST, BOOKS), (SECOND, BOOKS[1:]), (THIRD, BOOKS[:1]))


@pytest.mark.parametrize(("before", "now"), list(permutations((1, 2, 3), 2)))
def test_any_two_snapshots_tie(three, before, now):
    with three.open_pair(before, now) as pair:
        table = roll_forward(pair).records()
        sides = [
            {row["code"]: (row["amount"], row["items"]) for row in pair.query(sql).records()}
            for sql in (
                "select code, amount, items from before.statement where scope = 'all' and not is_subtotal",
                "select code, amount, items from statement where scope = 'all' and not is_subtotal",
            )
        ]
        syncs = pair.query("select b.sync_id, a.sync_id from before.audit_run as b, audit_run as a").rows
    assert syncs == [(before, now)]
    assert {row["code"]: (row["before"], row["items_before"]) for row in table} == sides[0]
    assert {row["code"]: (row["now"], row["items_now"]) for row in table} == sides[1]
    for row in table:
        assert row["before"] + row["new"] - row["cleared"] + row["changed"] == row["now"]
        assert row["items_before"] + row["items_new"] - row["items_cleared"] == row["items_now"]
        assert row["unexplained"] == 0
    assert any(row["before"] != row["now"] for row in table)


def test_an_nrb_on_two_lines_of_an_invoice_is_two_items(tmp_path):
    nrbs = [nrb("a", "30.00", nrbBilledInName="INV-a")]
    before, now = (invoice([line("half", "10.00"), line("half", rest)], "a") for rest in ("20.00", "25.00"))
    links = [("a", "a", 0), ("a", "a", 1)]
    store = synced(Store(tmp_path / "home"), (nrbs, [before]), (nrbs, [now]), links=links)
    with store.open_pair() as pair:
        rows = {row["code"]: row for row in roll_forward(pair).records()}
    row = rows["billed_by_name"]
    assert [row[name] for name in ("before", "new", "cleared", "changed", "now", "unexplained")] == [30, 0, 0, 5, 35, 0]
    assert (row["items_before"], row["items_changed"], row["items_now"]) == (2, 1, 2)


def copied(store, folder):
    shutil.copytree(store.folder, folder / "home")
    return Store(folder / "home")


def tampered(path, sql):
    with duckdb.connect(str(path)) as connection:
        connection.execute(sql)


def test_an_unexplained_difference_shows(two, tmp_path):
    store = copied(two, tmp_path)
    tampered(store.path, "delete from statement_item where code = 'never_invoiced' and subject_id = 'new'")
    with store.open_pair() as pair:
        unexplained = {row["code"]: row["unexplained"] for row in roll_forward(pair).records() if row["unexplained"]}
    assert unexplained == {"never_invoiced": D("-5.00")}


# What cannot be compared


@pytest.mark.parametrize(("older", "question"), [(1, roll_forward), (2, movements)])
def test_a_snapshot_of_an_older_version(two, tmp_path, older, question):
    store = copied(two, tmp_path)
    path = {1: store.folder / "snapshots" / "sync-000001.duckdb", 2: store.path}[older]
    tampered(path, "drop table statement_item")
    with store.open_pair() as pair, pytest.raises(StoreError, match=f"snapshot of read {older} .* older version"):
        question(pair)


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (7, None, "there is no snapshot of sync 7; the snapshots here are of sync 1, 2, 3"),
        (1, 9, "there is no snapshot of sync 9; "),
        (8, 9, "there is no snapshot of sync 8 or sync 9; "),
        (None, 9, "there is no snapshot of sync 9; "),
        (2, 2, "two snapshots are needed; the snapshots here are of sync 1, 2, 3"),
        (3, None, "two snapshots are needed; "),
        (None, 1, "two snapshots are needed; "),
    ],
)
def test_an_unknown_snapshot(three, before, now, words):
    with pytest.raises(NoSnapshot, match=words):
        three.open_pair(before, now)


@pytest.fixture(scope="module")
def restarted(two, tmp_path_factory):
    """An account that was read from the start, counting from 1 again, with its earlier snapshots."""
    return synced(copied(two, tmp_path_factory.mktemp("restarted")), ([], []), is_new=True)


@pytest.mark.parametrize(("before", "now", "nrbs"), [(None, None, (5, 0)), (2, 1, (5, 0)), (1, 2, (0, 5))])
def test_of_two_snapshots_with_one_id_the_newest_is_used(restarted, before, now, nrbs):
    with restarted.open_pair(before, now) as pair:
        counted = pair.query("select (select count(*) from before.nrb), (select count(*) from nrb)").rows
    assert counted == [nrbs]
