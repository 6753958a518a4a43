"""Charts: the title states the result, the amounts are those of the table, and text from a vendor is inert."""

import json
from datetime import date
from decimal import Decimal

import pandas as pd
import pytest

import auditkit as ak

HOSTILE = "<img src=x onerror=alert(1)>&<b>bold</b>"
ESCAPED = "&lt;img src=x onerror=alert(1)&gt;&amp;&lt;b&gt;bold&lt;/b&gt;"


def frame(columns: str, *rows: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns.split(), dtype=object)


def dec(text: str) -> Decimal:
    return Decimal(text)


STATEMENT = frame(
    "code label amount is_subtotal",
    ("cost_booked", "Cost", dec("1000.00"), False),
    ("internal", "Internal", dec("-100.00"), False),
    ("not_billable", "Not billable", dec("0.00"), False),
    ("billable_cost", "Billable", dec("900.00"), True),
    ("never_invoiced", "Never invoiced", dec("-200.10"), False),
    ("unbilled", "Unbilled", dec("-200.10"), True),
    ("billed_cost", "Billed", dec("699.90"), True),
    ("billed_by_name", "By reference", dec("600.00"), False),
    ("billed_by_amount", "By amount", dec("99.90"), False),
    ("other_lines", "Other", dec("50.05"), False),
    ("invoice_total", "Invoices", dec("749.95"), False),
    ("difference", "Difference", dec("0.00"), False),
)
JOBS = frame(
    "job_number billable_total linked_line_total variance verdict",
    (HOSTILE, dec("500.00"), dec("200.00"), dec("-300.00"), "under-billed"),
    (None, dec("0.00"), dec("12.50"), dec("12.50"), "over-billed"),
    ("JOB-3", dec("10.10"), dec("10.10"), dec("0.00"), "agrees"),
)
UNBILLED = frame(
    "guid job_number vendor_code total age_bucket accounting_date",
    ("n1", HOSTILE, HOSTILE, dec("200.00"), "0-30", date(2026, 9, 1)),
    ("n2", HOSTILE, HOSTILE, dec("100.00"), "over 180", date(2026, 1, 1)),
    ("n3", "J-2", None, dec("60.00"), "31-60", date(2026, 8, 1)),
    ("n4", HOSTILE, "ACME", dec("40.00"), "61-90", date(2026, 9, 2)),
    ("n5", None, "BIT", dec("-0.01"), "no date", None),
    ("n6", "J-2", "BIT", None, "0-30", date(2026, 9, 1)),
)
BY_MONTH = frame(
    "month unbilled_total unexported_cost",
    (date(2026, 1, 1), dec("100.10"), dec("0.00")),
    (date(2026, 9, 1), dec("80.00"), dec("50.00")),
    (None, dec("0.00"), dec("0.00")),
)
CHARTS = [
    (ak.waterfall, STATEMENT, "From 1,000.00 of cost to 749.95 of invoices, unreconciled 0.00"),
    (ak.scatter, JOBS, "1 of 3 jobs agree to the cent"),
    (ak.variances, JOBS, "Jobs are under-billed by 300.00 in all"),
    (ak.aging, UNBILLED, "399.99 was never invoiced"),
    (ak.top_vendors, UNBILLED, "Three vendors hold 100 % of what was never invoiced"),
    (ak.heat_map, UNBILLED, "399.99 was never invoiced on 3 jobs"),
    (ak.trend, BY_MONTH, "Open: 180.10 not billed and 50.00 not exported, the oldest of 2026-01"),
]
IDS = [chart.__name__ for chart, _, _ in CHARTS]


@pytest.mark.parametrize(("chart", "table", "title"), CHARTS, ids=IDS)
def test_the_title_states_the_result(chart, table, title) -> None:
    assert chart(table).layout.title.text == title


@pytest.mark.parametrize(("chart", "table", "title"), CHARTS, ids=IDS)
def test_the_same_table_gives_the_same_chart(chart, table, title) -> None:
    assert chart(table).to_json() == chart(table.copy()).to_json()


@pytest.mark.parametrize(("chart", "table", "title"), CHARTS, ids=IDS)
def test_text_from_a_vendor_is_not_html(chart, table, title) -> None:
    shown = json.dumps(json.loads(chart(table).to_json()), ensure_ascii=False)
    assert "<img" not in shown and "<b>" not in shown
    assert (ESCAPED in shown) == (chart not in (ak.waterfall, ak.aging, ak.trend))  # these name no vendor and no job


@pytest.mark.parametrize(
    ("chart", "table"),
    [pytest.param(chart, table, id=chart.__name__) for chart, table, _ in CHARTS],
)
def test_an_empty_table(chart, table) -> None:
    assert chart(table.head(0)).layout.title.text


def test_where_every_job_agrees() -> None:
    agreeing = JOBS[JOBS["verdict"] == "agrees"]
    assert ak.scatter(agreeing).layout.title.text == "1 of 1 jobs agree to the cent"
    assert ak.variances(agreeing).layout.title.text == "Jobs are under-billed by 0.00 in all"


def test_the_bridge_from_cost_to_invoice() -> None:
    """Steps of 0.00 and rows that repeat others are left out, and the rest still adds up."""
    (bars,) = ak.waterfall(STATEMENT).data
    assert list(bars.y) == ["Cost", "Internal", "Billable", "Never invoiced", "Billed", "Other", "Invoices"]
    assert list(bars.measure) == ["absolute", "relative", "total", "relative", "total", "relative", "total"]
    assert list(bars.text) == ["1,000.00", "-100.00", "900.00", "-200.10", "699.90", "50.05", "749.95"]
    steps = [amount for amount, measure in zip(bars.x, bars.measure, strict=True) if measure != "total"]
    assert round(sum(steps), 2) == bars.x[-1]


def test_jobs_that_agree_are_on_the_line() -> None:
    agrees, others, line = ak.scatter(JOBS).data
    assert list(agrees.x) == list(agrees.y) == [10.10]
    assert list(others.text) == [ESCAPED, "(none)"] and others.marker.color != agrees.marker.color
    assert list(line.x) == list(line.y) == [0, 500.0]


def test_only_the_largest_variances() -> None:
    (bars,) = ak.variances(JOBS, most=1).data
    assert list(bars.text) == ["-300.00"] and list(bars.y) == [ESCAPED]
    colors = ak.variances(JOBS).data[0].marker.color
    assert len(colors) == 2 and colors[0] != colors[1]


def test_money_by_age() -> None:
    (bars,) = ak.aging(UNBILLED).data
    assert dict(zip(bars.x, bars.text, strict=True)) == {
        "0-30 days": "200.00",
        "31-60 days": "60.00",
        "61-90 days": "40.00",
        "91-180 days": "0.00",
        "over 180 days": "100.00",
        "no date": "-0.01",
    }


def test_vendors_by_money() -> None:
    bars, shares = ak.top_vendors(UNBILLED, most=3).data
    assert [round(share, 2) for share in shares.y] == [75.0, 90.0, 100.0] and list(shares.x) == list(bars.x)
    assert list(zip(bars.x, bars.text, strict=True)) == [
        (ESCAPED, "300.00"),
        ("(no vendor)", "60.00"),
        ("ACME", "40.00"),
    ]


def test_unbilled_money_by_job_and_month() -> None:
    """The jobs with the most money first; a month of a job without any is empty, not 0."""
    (cells,) = ak.heat_map(UNBILLED).data
    assert (list(cells.y), list(cells.x)) == ([ESCAPED, "J-2", "(none)"], ["2026-01", "2026-08", "2026-09", "no date"])
    assert [list(row) for row in cells.text] == [
        ["100.00", "", "240.00", ""],
        ["", "60.00", "0.00", ""],
        ["", "", "", "-0.01"],
    ]
    assert ak.heat_map(UNBILLED, most=1).layout.title.text == "340.00 was never invoiced on one job"


def test_what_is_open_by_month() -> None:
    unbilled, unexported = ak.trend(BY_MONTH).data
    assert list(unbilled.x) == list(unexported.x) == ["2026-01", "2026-09", "no date"]
    assert (list(unbilled.y), list(unexported.y)) == ([100.1, 80.0, 0.0], [0.0, 50.0, 0.0])


def test_the_title_counts_the_vendors() -> None:
    assert ak.top_vendors(UNBILLED.head(2)).layout.title.text.startswith("One vendor holds 100 %")
