"""The two sheets of a workpaper without rows: the cover and the sign-off.

Not here: what the other sheets hold (`workpaper.py`).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence

from xlsxwriter.worksheet import Worksheet

from auditkit.papers.facts import JOURNAL, RULE_SET, SNAPSHOT
from auditkit.papers.sheets import LONG_TEXTS, MOST_CHARACTERS, MOST_ROWS, TiedSheet, Workbook
from auditkit.warehouse.tables import Table

__all__ = ["write_cover", "write_sign_off"]

SIGN_OFF = "Sign-off"

_LIMITS = f"""Of the four lines above a header, the first is the total of all rows, the second that of the rows a filter
leaves, the third is a cell of another sheet, and the fourth is the difference, which must be 0. All are formulas.
Rows beyond the limit of a sheet ({MOST_ROWS:,}) continue on the next one of the same name; the totals count them all.
A text too long for a cell (more than {MOST_CHARACTERS:,} characters) is cut with a mark, and is whole on the sheet
{LONG_TEXTS}. A character that cannot be seen, and might act, is shown as \N{REPLACEMENT CHARACTER}.
An amount of more than 15 digits is text, which no formula sums: totals that include one are values."""
_WIDTHS = (24, 10, 16, 60, 60)
_PEOPLE = ("Prepared by", "Reviewed by", "Approved by")


def write_cover(book: Workbook, lines: Mapping[str, str], sheets: Sequence[TiedSheet]) -> None:
    """What this is, the sheets with their links, and the query behind each."""
    sheet = book.sheet("Cover", "Workpaper")
    for column, width in enumerate(_WIDTHS):
        sheet.set_column(column, column, width)
    sheet.freeze_panes(1, 0)
    for row, (name, text) in enumerate(lines.items(), 2):
        book.text(sheet, row, 0, name, bold=True)
        book.paragraph(sheet, row, (1, 4), sum(_WIDTHS[1:]), text)
    top = 3 + len(lines)
    book.header(sheet, top, ("Sheet", "Rows", "Difference", "What it shows", "How it ties"))
    for row, paper in enumerate(sheets, top + 1):
        book.link(sheet, row, 0, paper.grid.name)
        book.value(sheet, row, 1, len(paper.grid.table.rows))
        book.zero_check(sheet, row, 2, paper.difference)
        book.text(sheet, row, 3, paper.shows, text_wrap=True)
        book.text(sheet, row, 4, paper.ties, text_wrap=True)
    below = top + 1 + len(sheets)
    book.link(sheet, below, 0, SIGN_OFF)
    book.paragraph(sheet, below + 2, (0, 4), sum(_WIDTHS), _LIMITS)
    _queries(book, sheet, below + 4, sheets)


def _queries(book: Workbook, sheet: Worksheet, row: int, sheets: Sequence[TiedSheet]) -> None:
    book.text(sheet, row, 0, "The query behind each sheet; run it again with auditkit sql, or audit.sql()", bold=True)
    for place, paper in enumerate(sheets, row + 1):
        book.text(sheet, place, 0, paper.grid.name, bold=True)
        sql = paper.grid.table.sql.strip()
        book.paragraph(sheet, place, (1, 4), sum(_WIDTHS[1:]), sql, font_name="Courier New", font_size=9)


def write_sign_off(book: Workbook, lines: Mapping[str, str], sheets: Sequence[TiedSheet]) -> None:
    """Who prepared and reviewed what: the snapshot, and each sheet's rows with their total and digest."""
    sheet = book.sheet(SIGN_OFF, SIGN_OFF)
    for column, width in enumerate((20, 28, 16, 22, 16, 68)):
        sheet.set_column(column, column, width)
    sheet.freeze_panes(1, 0)
    book.header(sheet, 2, ("", "Name", "Date", "Signature"))
    for row, role in enumerate((*_PEOPLE, "Remarks"), 3):
        sheet.set_row(row, 32)
        book.text(sheet, row, 0, role, bold=True, border=1)
        for column in (1, 2, 3):
            sheet.write_blank(row, column, None, book.format(border=1))
    signed = (SNAPSHOT, RULE_SET, JOURNAL)
    for row, name in enumerate(signed, 5 + len(_PEOPLE)):
        book.text(sheet, row, 0, name, bold=True)
        book.text(sheet, row, 1, lines[name])
    top = 6 + len(_PEOPLE) + len(signed)
    names = ("Sheet", "Total of", "Rows", "Total", "Difference", "SHA-256 of what auditkit sql --json prints for it")
    book.header(sheet, top, names)
    sheet.autofilter(top, 0, top + len(sheets), len(names) - 1)
    for row, paper in enumerate(sheets, top + 1):
        book.link(sheet, row, 0, paper.grid.name)
        book.text(sheet, row, 1, paper.headline or paper.column)
        book.value(sheet, row, 2, len(paper.grid.table.rows))
        book.figure(sheet, row, 3, paper.total)
        book.zero_check(sheet, row, 4, paper.difference)
        book.text(sheet, row, 5, _digest(paper.grid.table))


def _digest(table: Table) -> str:
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    return hashlib.sha256(f"{json.dumps(rows, default=str, indent=1)}\n".encode()).hexdigest()
