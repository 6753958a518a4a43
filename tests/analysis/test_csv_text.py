"""CSV: exact, and no cell of text is a formula."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pandas as pd
import pytest

from auditkit.analysis.csv_text import csv_text, inert


def test_each_kind_of_value() -> None:
    row = (
        Decimal("-1234567890123456.70"),
        Decimal("1E+3"),
        7,
        True,
        None,
        date(2026, 9, 30),
        datetime(2026, 9, 30, 6, tzinfo=UTC),
        'a "b", c',
        ["x", Decimal("1.10")],
    )
    frame = pd.DataFrame([row], columns=list("abcdefghi"), dtype=object)
    assert csv_text(frame) == (
        "a,b,c,d,e,f,g,h,i\n"
        '-1234567890123456.70,1000,7,true,,2026-09-30,2026-09-30T06:00:00+00:00,"a ""b"", c","[""x"", ""1.10""]"\n'
    )


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum(a1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1", "＋1"])
def test_text_that_a_spreadsheet_would_calculate(text: str) -> None:
    frame = pd.DataFrame([(text,)], columns=[text], dtype=object)
    (head,), (cell,) = csv.reader(io.StringIO(csv_text(frame)))
    assert head == cell == inert(text) and cell.startswith("'")


@pytest.mark.parametrize("text", ["a", "a=1", "0-1", "", "é"])
def test_text_that_it_would_not(text: str) -> None:
    assert inert(text) == text


def test_text_that_a_terminal_would_act_upon() -> None:
    assert inert("a\x1b[31m\u202eb\x00") == "a�[31m�b�"


def test_an_empty_frame_is_its_header() -> None:
    assert csv_text(pd.DataFrame([], columns=["a", "b"])) == "a,b\n"
