"""Hostile text, through every text field of both vendors and out of each of nine sinks: nothing of it acts.

Each payload is one NRB and one invoice whose every text is the payload. `make test` takes a sample of the payloads,
`make hostile` all of them. The judges are real parsers: html5lib, csv, openpyxl, a terminal emulator,
json; a browser is one in `test_chromium.py`.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import html5lib
import nbformat
import openpyxl
import papermill
import pyte
import pytest

import auditkit as ak
from auditkit.analysis.csv_text import csv_text
from auditkit.papers.html import html_table
from auditkit.papers.terminal import records
from auditkit.values import printable
from tests.commands import Ran, auditkit
from tests.hostile.conftest import Account, charts
from tests.served import point

csv.field_size_limit(10_000_000)  # a raw body is one field
ROOT = Path(__file__).parents[2]
FREE_OF_HTML = {"br", "extra"}  # what plotly's own templates hold
TABLE_TAGS = {"table", "thead", "tbody", "tr", "th", "td", "p", "details", "summary", "pre"}
DRAWING = {"draw", "linefeed", "carriage_return", "tab"}


def tags(text: str) -> set[str]:
    """Every element that a browser would create, and every attribute that could act or load."""
    tree = html5lib.parseFragment(text, treebuilder="etree", namespaceHTMLElements=False)
    elements = [each for each in tree.iter() if isinstance(each.tag, str)]
    return {each.tag for each in elements} | {
        name for each in elements for name in map(str, each.attrib) if name not in ("class", "style", "border")
    }


class Listener:
    """The control characters that a terminal would act upon."""

    def __init__(self) -> None:
        self.heard: set[str] = set()

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: self.heard.add(name)


def acts_in_a_terminal(text: str) -> set[str]:
    listener = Listener()
    pyte.Stream(listener, strict=False).feed(text)
    unseen = {f"U+{ord(each):04X}" for each in text if not each.isprintable() and each not in "\n\r\t"}
    return (listener.heard - DRAWING) | unseen


def test_every_payload_is_there_or_quarantined_with_a_reason(account: Account) -> None:
    """Nothing is lost: each is typed unchanged, or its record is in quarantine, by id."""
    typed = {row["guid"]: row["notes"] for row in account.frames["nrb"].to_dict("records")}
    refused = set(account.frames["quarantine"]["subject_id"])
    for number, text in enumerate(account.payloads):
        guid = f"n{number}"
        assert (guid in refused) != (guid in typed), text[:40]
        assert guid in refused or typed[guid] == (text if text.strip() else None)
    assert len(typed) >= len(account.payloads) * 0.9


# ── The nine sinks ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_dataframe_as_html(account: Account) -> None:
    for name, frame in account.frames.items():
        for start in range(0, max(len(frame), 1), 50):  # more rows are not shown at once
            shown = html_table(frame.iloc[start : start + 50])
            assert tags(shown) - TABLE_TAGS == {"DOCUMENT_FRAGMENT"}, name
            assert not {each for each in shown if not each.isprintable()} - {"\n"}


def test_a_chart_and_its_hover(audit: ak.Audit) -> None:
    for figure in charts(audit):
        for text in strings(json.loads(figure.to_json())):
            assert tags(text) - FREE_OF_HTML == {"DOCUMENT_FRAGMENT"}, text[:80]
            assert not {each for each in text if not each.isprintable()}, text[:80]


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)


@pytest.fixture(scope="module")
def executed(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("executed") / "02.ipynb"
    with pytest.MonkeyPatch.context() as monkeypatch:
        point(monkeypatch, account.address, account.home)
        papermill.execute_notebook(
            ROOT / "notebooks" / "02_unbilled_unexported.ipynb", path, progress_bar=False, kernel_name="python3"
        )
    return nbformat.read(path, 4)


def test_the_output_of_a_notebook(executed: Any) -> None:
    shown = [output for cell in executed.cells for output in cell.get("outputs", [])]
    assert len(shown) >= 10 and not any(output["output_type"] == "error" for output in shown)
    for output in shown:
        data = output.get("data", {})
        assert set(data) <= {"text/plain", "text/html", "application/vnd.plotly.v1+json"}
        assert tags(data.get("text/html", "")) - TABLE_TAGS == {"DOCUMENT_FRAGMENT"}
        assert acts_in_a_terminal(data.get("text/plain", "")) == set()


def test_the_report(audit: ak.Audit) -> None:
    page = audit.report("02_unbilled_unexported").read_text("utf-8")
    tree = html5lib.parse(page, treebuilder="etree", namespaceHTMLElements=False)
    found = {each.tag for each in tree.iter() if isinstance(each.tag, str)}
    ours = {"html", "head", "meta", "title", "style", "body", "main", "header", "nav", "div", "dl", "dt", "dd"}
    prose = {"h1", "h2", "h3", "p", "a", "ol", "li", "strong", "em", "code", "span", "script"}
    assert found - ours - prose <= TABLE_TAGS
    assert len(list(tree.iter("script"))) == 2 and len(list(tree.iter("meta"))) == 2
    for each in tree.iter():
        assert not [name for name in each.attrib if str(name).startswith("on")]
        assert str(each.get("href", "#")).startswith("#") and each.get("src") is None


def test_a_spreadsheet(account: Account, audit: ak.Audit, tmp_path: Path) -> None:
    for name in ("nrb", "invoice", "invoice_item"):
        path = audit.to_excel(account.frames[name], tmp_path / f"{name}.xlsx")
        sheet = openpyxl.load_workbook(path)["Answer"]
        cells = [cell for row in sheet.iter_rows(min_row=8) for cell in row]
        assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]
    notes = {row["guid"]: row["notes"] for row in account.frames["nrb"].to_dict("records")}
    book = openpyxl.load_workbook(tmp_path / "nrb.xlsx")["Answer"]
    names = [cell.value for cell in book[7]]
    for row in book.iter_rows(min_row=8, values_only=True):
        said = dict(zip(names, row, strict=True))
        kept = printable(notes[said["guid"]] or "")
        shown, cut, _ = (said["notes"] or "").partition(" … [cut here")
        assert shown == kept or (cut and kept.startswith(shown) and len(shown) > 10_000)


def test_the_workpaper(audit: ak.Audit) -> None:
    book = openpyxl.load_workbook(audit.workpaper())
    formulas = [str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    calls = {name for formula in formulas for name in re.findall(r"([A-Z]+)\(", re.sub(r"'[^']*'", "", formula))}
    assert formulas and calls <= {"SUM", "SUBTOTAL", "ROUND", "ABS", "COUNTA"}
    links = [cell.hyperlink for sheet in book for row in sheet.iter_rows() for cell in row if cell.hyperlink]
    assert links and all(link.target is None for link in links)


def test_csv(account: Account) -> None:
    for name, frame in account.frames.items():
        text = csv_text(frame)
        rows = list(csv.reader(io.StringIO(text, newline="")))
        assert len(rows) == len(frame) + 1 and {len(row) for row in rows} == {len(frame.columns)}, name
        for row, values in zip(rows[1:], frame.itertuples(index=False, name=None), strict=True):
            for cell, value in zip(row, values, strict=True):
                active = cell.lstrip(" \u00a0").startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))
                assert not (active and isinstance(value, str)), (name, cell[:60])


@pytest.mark.parametrize(
    "arguments",
    [
        ("sql", "select * from nrb"),
        ("sql", "select * from invoice_item"),
        ("findings",),
        ("statement", "--by", "vendor"),
        ("statement", "--by", "job"),
        ("sql", "--csv", "select * from nrb"),
    ],
    ids=" ".join,
)
def test_a_terminal(audit: ak.Audit, arguments: tuple[str, ...]) -> None:
    ran = auditkit(*arguments)
    assert (ran.code, ran.err) == (0, "") and len(ran.out) > 1000
    assert acts_in_a_terminal(ran.out) == set()


def test_a_line_of_an_error(account: Account, audit: ak.Audit) -> None:
    """What a person typed or a vendor sent, in the line of an error."""
    for text in account.payloads:
        if "\x00" in text or not text.isascii() or len(text) > 2000 or text.startswith("-"):
            continue  # a shell cannot pass these, or they are options
        for ran in (auditkit("explain", text), auditkit("statement", "--by", "vendor", "--key", text + "x")):
            assert_one_line(ran)


def assert_one_line(ran: Ran) -> None:
    assert ran.code == 2 and ran.err.count("\n") == 1, ran
    assert acts_in_a_terminal(ran.err) == set()


def test_a_plan_for_people(account: Account, audit: ak.Audit) -> None:
    for guid in list(account.frames["nrb"]["guid"])[::12]:
        effect = audit.corrections.preview(
            audit.corrections.change("edit-nrb", guid, reason="asked", values={"nrbNotes": "plain"})
        )
        for frame in (effect.fields, effect.findings, effect.statement):
            assert tags(html_table(frame)) - TABLE_TAGS == {"DOCUMENT_FRAGMENT"}


def test_json(account: Account, audit: ak.Audit) -> None:
    ran = auditkit("sql", "--json", "select * from nrb")
    assert ran.out.isascii() and acts_in_a_terminal(ran.out) == set()
    shown = {row["guid"]: row["notes"] for row in json.loads(ran.out)}
    assert shown == {row["guid"]: row["notes"] for row in records(account.frames["nrb"])}
