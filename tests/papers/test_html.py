"""Tables in a notebook: readable money, snapshot and SQL below, and nothing of a vendor's text acts."""

from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser

import pandas as pd

from auditkit.papers.html import MOST_ROWS, html_table

HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(1)">\x1b[31m\u202e'


def frame(*rows: tuple[object, ...], columns: str = "job total flag at", **attrs: object) -> pd.DataFrame:
    made = pd.DataFrame(rows, columns=columns.split(), dtype=object)
    made.attrs.update(attrs)
    return made


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


def test_numbers_stand_right_and_text_left() -> None:
    shown = html_table(frame(("J-1", Decimal("1.00"), True, None)))
    assert "<th>total</th>" in shown and 'style="text-align: left">job</th>' in shown
    assert 'style="text-align: left">flag</th>' in shown


def test_its_snapshot_and_its_sql() -> None:
    shown = html_table(frame(snapshot="849ac77375bc", sql="\nselect a < $b\n", values={"b": HOSTILE}))
    assert "<p>0 rows · snapshot 849ac77375bc</p>" in shown
    assert "<details><summary>SQL</summary><pre>select a &lt; $b\n-- $b = &lt;script&gt;" in shown


def test_values_by_place() -> None:
    assert "<pre>select ?\n-- $1 = x</pre>" in html_table(frame(sql="select ?", values=["x"]))


def test_more_rows_than_people_read_are_counted() -> None:
    shown = html_table(frame(*[(str(n), n, True, None) for n in range(MOST_ROWS + 1)]))
    assert shown.count("<tr>") == 31 and "<p>61 rows, the first 30 are shown</p>" in shown
    assert html_table(frame(*[(str(n), n, True, None) for n in range(MOST_ROWS)])).count("<tr>") == 61


def test_hostile_text_is_text() -> None:
    shown = html_table(
        frame((HOSTILE, HOSTILE, HOSTILE, HOSTILE), columns=f"a b c {HOSTILE.split(maxsplit=1)[0]}", snapshot=HOSTILE)
    )
    tags = {"table", "thead", "tbody", "tr", "th", "td", "p", "class", "style"}
    assert Tags(shown).seen == tags and "\x1b" not in shown and "\u202e" not in shown
