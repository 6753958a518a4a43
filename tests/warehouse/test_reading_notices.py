"""The notices about how the vendors' data was read."""

from pathlib import Path

import pytest

import auditkit as ak
from auditkit import sql
from auditkit.sandbox.dataset import build
from auditkit.sandbox.state import State
from tests.served import point, serving
from tests.warehouse.test_days import MONTH_ENDS, midnights
from tests.world import invoice, line, nrb, typed, workbench


def notices(nrbs, invoices):
    with workbench() as bench:
        typed(bench, nrbs, invoices)
        return bench.query(sql.read("queries/reading_notices")).column()


def test_documented_data_needs_no_notice():
    assert notices([nrb()], [invoice()]) == []


def test_each_field_and_each_form_is_one_sentence():
    nrbs = [nrb("a", nrbNotes=[1], nrbVendorTax="37.125"), nrb("b", nrbNotes={}, nrbVendorTax="1.001")]
    invoices = [
        invoice([line(), line(cost="free"), line(cost="dear")], "i", number=7),
        {**invoice([], "j"), "items": [7], "related": {}},
    ]
    assert notices(nrbs, invoices) == [
        "JobNimbus: 1 of items[] could not be read, e.g. in j: expected an object, found 7",
        'JobNimbus: 2 of items[].cost could not be read, e.g. in i: expected a number such as 862.50, found "free"',
        "JobNimbus: 1 of related could not be read, e.g. in j: expected a list, found an object",
        "Aimsio: 2 of nrbNotes could not be read, e.g. in a: expected text, found a list",
        "JobNimbus: 1 of number read in an unusual form: a number for a text, e.g. 7",
        'Aimsio: 2 of nrbVendorTax read in an unusual form: rounded to cents, e.g. "1.001" (+0.00 in all)',
    ]


def test_dates_of_another_zone_are_a_notice():
    days = midnights(MONTH_ENDS, "America/Chicago")
    assert notices([], [invoice([], str(n), date_invoice=day) for n, day in enumerate(days)]) == [
        "JobNimbus: date_invoice is midnight in America/Chicago (11 of 11), so dates are read as days of that zone,"
        " not of America/Edmonton"
    ]


def test_a_sync_ends_with_the_notices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = build(seed=9, nrbs=30, faults={})
    with serving(world, tmp_path) as address, State(tmp_path / "vendors.sqlite") as state:
        point(monkeypatch, address, tmp_path / "home")
        state.put_nrb({**world.nrbs[0], "nrbNotes": ["a"], "nrbVendorTax": "0.0001"})
        with ak.open() as audit:
            audit.sync()
            (notices,) = audit.snapshot.query("select notices from sync_run").column()
            assert audit.about["status"] == "COMPLETE"
    guid = world.nrbs[0]["nrbGuid"]
    assert notices == (
        f"Aimsio: 1 of nrbNotes could not be read, e.g. in {guid}: expected text, found a list;"
        ' Aimsio: 1 of nrbVendorTax read in an unusual form: rounded to cents, e.g. "0.0001" (-0.00 in all)'
    )
