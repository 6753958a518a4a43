"""Accrual: unbilled with and without markup, unexported without it, up to a period's end."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from auditkit.analysis.accrual import BY, accrual, period_end
from auditkit.errors import QuestionRefused
from auditkit.warehouse.snapshots import Snapshot
from tests.world import audited, invoice, line, ms, nrb, seconds, unbilled

JULY, AUGUST = ms(date(2026, 7, 31)), ms(date(2026, 8, 1))
MARKED_UP = {"nrbRate": "50.00", "nrbQuantity": "2.000", "nrbUpcharge": "10.000", "nrbVendorTax": "5.00"}


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    nrbs = [
        nrb("billed"),
        unbilled("july", "115.00", nrbInvoiceDate=JULY, **MARKED_UP),
        unbilled("august", "30.00", nrbInvoiceDate=AUGUST, nrbVendorCode="ELC", nrbIsExported=False),
        unbilled("no rate", "7.00", nrbInvoiceDate=JULY, nrbRate=None, nrbVendorCode="ELC"),
        unbilled("no date", "1.00", nrbInvoiceDate=None, nrbCreatedAt=None, nrbCreatedByUserName="other@sandbox"),
        nrb("unexported", "115.00", nrbInvoiceDate=JULY, nrbIsExported=None, **MARKED_UP),
    ]
    with audited(tmp_path_factory.mktemp("accrual"), nrbs, [invoice()]) as opened:
        yield opened


def asked(snapshot: Snapshot, *arguments: str | None) -> pd.DataFrame:
    question = accrual(*arguments)
    return snapshot.query(question.sql, dict(question.values)).frame()


def rows(frame: pd.DataFrame) -> list[tuple[object, ...]]:
    return [tuple(row) for row in frame.itertuples(index=False, name=None)]


def test_revenue_with_markup_and_expense_without(snapshot: Snapshot) -> None:
    """Rate 50 × 2 and tax 5.00 are 105.00 at cost; with 10 % on the subtotal 115.00."""
    dec = Decimal
    assert rows(asked(snapshot, "month")) == [
        (date(2026, 7, 1), 3, dec("210.00"), dec("237.00"), 1, dec("105.00"), 1),
        (date(2026, 8, 1), 1, dec("30.00"), dec("30.00"), 1, dec("30.00"), 0),
        (None, 1, dec("1.00"), dec("1.00"), 0, dec("0.00"), 0),
    ]


def test_up_to_the_last_day_of_a_period_and_what_has_no_date(snapshot: Snapshot) -> None:
    assert rows(asked(snapshot, "month", "2026-07"))[:1] == rows(asked(snapshot, "month"))[:1]
    assert [row[0] for row in rows(asked(snapshot, "month", "2026-07"))] == [date(2026, 7, 1), None]


def test_a_cost_that_was_billed_in_part_by_then_has_the_same_share_of_its_cost(tmp_path: Path) -> None:
    """105.00 at cost is 115.00 with markup and tax; 46.00 of it was invoiced in July, so 60 % is still to be billed."""
    cost = nrb("n1", "115.00", nrbInvoiceDate=JULY, nrbCreatedAt=JULY, **MARKED_UP)
    dates = {date(2026, 7, 31): "46.00", date(2026, 8, 1): "69.00"}
    invoices = [
        invoice([line("R1-n1", amount)], f"i{day:%m}", date_invoice=seconds(day), date_created=seconds(day))
        for day, amount in dates.items()
    ]
    with audited(tmp_path, [cost], invoices) as opened:
        assert rows(asked(opened, "job", "2026-07")) == [
            ("JOB-1001", 1, Decimal("63.00"), Decimal("69.00"), 0, Decimal("0.00"), 0)
        ]


@pytest.mark.parametrize("by", sorted(BY))
def test_every_key_gives_the_same_total(snapshot: Snapshot, by: str) -> None:
    frame = asked(snapshot, by)
    assert frame.columns[0] == by
    assert [sum(frame[name]) for name in frame.columns[1:]] == [5, Decimal("241.00"), Decimal("268.00"), 2, 135, 1]


def test_by_vendor_the_most_money_comes_first(snapshot: Snapshot) -> None:
    assert [row[:4] for row in rows(asked(snapshot, "vendor"))] == [
        ("BIT", 3, Decimal("211.00"), Decimal("231.00")),
        ("ELC", 2, Decimal("30.00"), Decimal("37.00")),
    ]


@pytest.mark.parametrize("by", ["color", "", "s.job_number; drop table nrb"])
def test_an_invalid_key(by: str) -> None:
    with pytest.raises(QuestionRefused, match=r"^by must be one of job, month, vendor, type, person, not "):
        accrual(by)


@pytest.mark.parametrize(
    ("period", "as_of", "last"),
    [
        ("2026-07", date(2026, 9, 30), date(2026, 7, 31)),
        ("2024-02", date(2026, 9, 30), date(2024, 2, 29)),
        ("9999-12", date(2026, 9, 30), date(9999, 12, 31)),
        (None, date(2026, 9, 30), date(2026, 6, 30)),
        (None, date(2026, 7, 1), date(2026, 6, 30)),
        (None, date(2026, 3, 31), date(2025, 12, 31)),
    ],
)
def test_the_last_day_of_a_period(period: str | None, as_of: date, last: date) -> None:
    assert period_end(period, as_of) == last


@pytest.mark.parametrize(
    "period", ["2026", "2026-13", "2026-00", "0000-01", "2026-7", "2026-07-01", "٢٠٢٦-٠٧", 202607, ""]
)
def test_an_invalid_month(period: str) -> None:
    with pytest.raises(QuestionRefused, match=r"^a period is a month, written YYYY-MM, not "):
        period_end(period, date(2026, 9, 30))
