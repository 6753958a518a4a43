"""Tables in a notebook: readable money, snapshot and SQL below, and a vendor's text is inert."""

from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser

import pandas as pd

from auditkit.papers.html import MOST_ROWS, html_table, table
from auditkit.warehouse.answer import Answer

HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(1)">\x1b[31m\u202e'


def frame(*rows: tuple[object, ...], columns: str = "job total flag at", **provenance: object) -> pd.DataFrame:
    return Answer(rows, columns.split(), **provenance)


class Tags(HTMLParser):
    """Every tag and attribute that a browser would see."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen |= {tag, *(name for name, _ in attributes)}


def test_values_for_people() -> None:
    shown = html_table(
        frame(("J-1", Decimal("-1234.50"), True, datetime(2026, 9, 30, 6, tzinfo=UTC)), (None, 7, False, None))
    )
    assert "<td>-1,234.50</td>" in shown and '">yes</td>' in shown and "2026-09-30 06:00+00:00" in shown
    assert "<p>2 rows</p>" in shown


def test_numbers_right_and_text_left() -> None:
    shown = html_table(frame(("J-1", Decimal("1.00"), True, None)))
    assert "<th>total</th>" in shown and 'style="text-align: left">job</th>' in shown
    assert 'style="text-align: left">flag</th>' in shown


def test_subtotals_are_bold() -> None:
    rows = ("never_invoiced", Decimal("-1.00"), False), ("unbilled", Decimal("-1.00"), True)
    statement = frame(*rows, columns="code amount is_subtotal")
    bold = '<tr class="subtotal" style="font-weight: bold">'
    for shown in (html_table(statement), html_table(statement, ["code", "amount"])):
        assert shown.count(bold) == 1 and 'left">unbilled</td>' in shown.partition(bold)[2]
    assert bold not in html_table(statement, most=1)


def test_snapshot_and_sql() -> None:
    shown = html_table(frame(snapshot="849ac77375bc", sql="\nselect a < $b\n", values={"b": HOSTILE}))
    assert "<p>0 rows · snapshot 849ac77375bc</p>" in shown
    assert "<details><summary>SQL</summary><pre>select a &lt; $b\n-- $b = &lt;script&gt;" in shown


def test_values_by_position() -> None:
    assert "<pre>select ?\n-- $1 = x</pre>" in html_table(frame(sql="select ?", values=["x"]))


def test_a_long_table_is_cut_with_a_count() -> None:
    shown = html_table(frame(*[(str(n), n, True, None) for n in range(MOST_ROWS + 1)]))
    assert shown.count("<tr>") == 31 and "<p>61 rows, the first 30 are shown</p>" in shown
    assert html_table(frame(*[(str(n), n, True, None) for n in range(MOST_ROWS)])).count("<tr>") == 61


def test_hostile_text_is_escaped() -> None:
    shown = html_table(
        frame((HOSTILE, HOSTILE, HOSTILE, HOSTILE), columns=f"a b c {HOSTILE.split(maxsplit=1)[0]}", snapshot=HOSTILE)
    )
    tags = {"table", "thead", "tbody", "tr", "th", "td", "p", "class", "style"}
    assert Tags(shown).seen == tags and "\x1b" not in shown and "\u202e" not in shown


def test_a_part_of_an_answer_keeps_its_provenance() -> None:
    whole = frame(
        ("J-1", Decimal("1.00"), True, None), ("J-2", Decimal("2.00"), True, None), snapshot="849ac7", sql="q"
    )
    shown = table(whole, ["total", "job"], most=1)
    assert "<td>1.00</td>" in shown._repr_html_() and "J-2" not in shown._repr_html_() and "flag" not in repr(shown)
    assert "<p>2 rows, the first 1 are shown · snapshot 849ac7</p>" in shown._repr_html_()
    assert "<pre>q</pre>" in shown._repr_html_() and "J-1" in repr(shown) and "J-2" not in repr(shown)


def test_a_derived_table_has_its_labels_and_no_sql() -> None:
    whole = frame(
        ("J-1", Decimal("1000.00"), True, None), ("J-1", Decimal("2.00"), True, None), snapshot="849ac7", sql="q"
    )
    shown = table(whole.groupby("job")["total"].sum().to_frame())._repr_html_()
    assert ">job</th>" in shown and ">J-1</td><td>1,002.00</td>" in shown
    assert "snapshot" not in shown and "SQL" not in shown
    assert ">job</td>" in table(whole.iloc[0].to_frame("value"))._repr_html_()
    assert "<td>0</td>" not in table(whole[whole["total"] > 0])._repr_html_(), "row numbers are no labels"
    two = table(whole.groupby(["job", "flag"])["total"].sum().to_frame())._repr_html_()
    assert ">flag</th>" in two and ">yes</td>" in two
