"""Sheets: a table as Excel sheets that people can filter, print and recompute.

Above the rows are, frozen, a title and four lines of formulas, of which the last must be 0; each formula also has the
value computed here, for programs that do not compute. Nothing is lost: rows beyond the limit of a sheet continue on the
next, and a text too long for a cell is whole on a sheet of its own. Text from vendors is hostile: whatever it looks
like, it is written as text.

Not here: which tables there are, and what they must tie to (`workpaper.py`).
"""

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any, Self

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.format import Format
from xlsxwriter.utility import quote_sheetname, xl_range, xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from auditkit.format import for_people
from auditkit.values import printable
from auditkit.warehouse.tables import Table

__all__ = [
    "LONG_TEXTS",
    "MOST_CHARACTERS",
    "MOST_ROWS",
    "Formula",
    "FourLines",
    "SheetRows",
    "TiedSheet",
    "TotalLine",
    "Workbook",
]

Property = str | int | bool
LINE, HEADER, FIRST = 2, 6, 7  # the rows of the four lines, the header and the first record, counted from 0
MOST_ROWS = 1_048_576 - FIRST
MOST_CHARACTERS = 32_767  # of one cell, in units of UTF-16
LONG_TEXTS = "Long texts"
_EXACT_DIGITS = 15  # a double is exact up to here
_PART = 16_000  # characters of one or two units each
_NARROWEST, _WIDEST = 10, 48
_LINE_HEIGHT, _HIGHEST = 15, 409
_LETTER = 1
_MONEY, _COUNT, _DAY = "#,##0.00_);[Red](#,##0.00)", "#,##0_);[Red](#,##0)", "yyyy-mm-dd"
_PLAIN = "General"  # shows every decimal
_FIRST_DAY = date(1900, 3, 1)  # Excel takes 1900 for a leap year; earlier dates are wrong or impossible


@dataclass(frozen=True)
class Formula:
    """A number and the formula that computes it, empty if Excel would not be exact to the cent."""

    formula: str
    value: Decimal

    def __add__(self, other: "Formula") -> "Formula":
        is_formula = self.formula and other.formula
        return Formula(f"{self.formula}+{other.formula}" if is_formula else "", self.value + other.value)

    def __neg__(self) -> "Formula":
        return Formula(f"-{self._term}" if self.formula else "", -self.value)

    def __sub__(self, other: "Formula") -> "Formula":
        is_formula = self.formula and other.formula
        return Formula(f"{self.formula}-{other._term}" if is_formula else "", self.value - other.value)

    def __abs__(self) -> "Formula":
        return Formula(f"ABS({self.formula})" if self.formula else "", abs(self.value))

    @property
    def _term(self) -> str:
        return f"({self.formula})" if set(self.formula) & set("+-") else self.formula

    @property
    def rounded(self) -> "Formula":
        """The same, rounded to the cent: a sum of doubles is not exactly 0 where it must be."""
        return Formula(f"ROUND({self.formula},2)" if self.formula else "", self.value)


@dataclass(frozen=True)
class SheetRows:
    """The rows of a table on one sheet, or on several with at most `most` rows each."""

    name: str
    table: Table
    most: int = MOST_ROWS

    @cached_property
    def parts(self) -> tuple[tuple[str, list[tuple[Any, ...]]], ...]:
        """Each sheet's name and rows."""
        starts = range(0, max(len(self.table.rows), 1), self.most)
        return tuple(
            (self.name if number == 1 else f"{self.name} {number}", self.table.rows[start : start + self.most])
            for number, start in enumerate(starts, 1)
        )

    def total(self, column: str) -> Formula:
        """The sum of a column over all its sheets."""
        return self._summed("SUM(", column)

    def shown(self, column: str) -> Formula:
        """The same, only of rows that a filter leaves."""
        return self._summed("SUBTOTAL(109,", column)

    def added(self, column: str, rows: Sequence[int]) -> Formula:
        """The sum of some rows of the first sheet, counted from 0 and in order."""
        place, reaches = self._place(column), []
        for _, run in groupby(enumerate(rows), lambda each: each[1] - each[0]):
            first, *_, last = [row for _, row in run] * 2
            reaches.append(xl_range(FIRST + first, place, FIRST + last, place))
        prefix = f"{quote_sheetname(self.name)}!"
        value = sum((Decimal(self.table.rows[row][place]) for row in rows), Decimal(0))
        formula = f"SUM({','.join(prefix + reach for reach in reaches)})" if self.total(column).formula else ""
        return Formula(formula, value)

    def count(self) -> Formula:
        """The number of rows; their first column is never empty."""
        return Formula(f"COUNTA({self._reach(self.table.columns[0])})", Decimal(len(self.table.rows)))

    def at(self, column: str, row: int) -> Formula:
        """One cell of the first sheet."""
        value = Decimal(self.table.rows[row][self._place(column)])
        cell = xl_rowcol_to_cell(FIRST + row, self._place(column), row_abs=True, col_abs=True)
        return Formula(f"{quote_sheetname(self.name)}!{cell}" if _is_exact(value) else "", value)

    def line(self, number: int, column: str) -> str:
        """The cell of a line above a column."""
        cell = xl_rowcol_to_cell(LINE + number, self._place(column), row_abs=True, col_abs=True)
        return f"{quote_sheetname(self.name)}!{cell}"

    def _summed(self, function: str, column: str) -> Formula:
        values = self._values(column)
        is_exact = _is_exact(sum((abs(value) for value in values), Decimal(0)))
        return Formula(f"{function}{self._reach(column)})" if is_exact else "", sum(values, Decimal(0)))

    def _reach(self, column: str) -> str:
        place = self._place(column)
        return ",".join(
            f"{quote_sheetname(name)}!{xl_range(FIRST, place, FIRST + max(len(rows), 1) - 1, place)}"
            for name, rows in self.parts
        )

    def _values(self, column: str) -> list[Decimal]:
        place = self._place(column)
        return [Decimal(row[place]) for row in self.table.rows if row[place] is not None]

    def _place(self, column: str) -> int:
        return self.table.columns.index(column)


@dataclass(frozen=True)
class TotalLine:
    """One of the four lines above the header: its label, and formulas above some of the columns."""

    label: str
    figures: Mapping[str, Formula]


FourLines = tuple[TotalLine, TotalLine, TotalLine, TotalLine]


@dataclass(frozen=True)
class TiedSheet:
    """One sheet: what it shows and how it ties, in words; its rows; its four lines, of which the last must be 0.

    The first line's formula above `column` is the total of the sheet; `headline` names it, if the column does not.
    """

    grid: SheetRows
    shows: str
    ties: str
    lines: FourLines
    column: str
    headline: str = ""

    @property
    def total(self) -> Formula:
        """The total of the sheet, as a formula for another one."""
        return Formula(self.grid.line(0, self.column), self.lines[0].figures[self.column].value)

    @property
    def difference(self) -> Formula:
        """The sum of the differences, without sign."""
        cells = [Formula(self.grid.line(3, column), figure.value) for column, figure in self.lines[3].figures.items()]
        first, *others = map(abs, cells)
        return sum(others, first)


class Workbook:
    """A workbook being written to a file; `close()` ends it. The same calls give the same bytes.

    `titled` is on every sheet, and `footed` below each printed page.
    """

    def __init__(self, path: Path, *, titled: str, footed: str, created: datetime, is_demo: bool) -> None:
        options = {
            "constant_memory": True,
            "tmpdir": str(path.parent),
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        self._workbook = xlsxwriter.Workbook(str(path), options)
        self._workbook.set_properties({"title": printable(titled), "author": "auditkit", "created": created})
        self._titled, self._footed, self._is_demo = titled, footed, is_demo
        self._formats: dict[tuple[tuple[str, Property], ...], Format] = {}
        self._long: list[tuple[str, str, str]] = []

    def format(self, **properties: Property) -> Format:
        """A format, made once."""
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self._workbook.add_format({"valign": "top", **properties})
        return self._formats[key]

    def sheet(self, name: str, title: str, repeated: tuple[int, int] = (0, 0)) -> Worksheet:
        """A new sheet with its title, set up to print one page wide in landscape."""
        sheet = self._workbook.add_worksheet(name)
        sheet.set_landscape()
        sheet.set_paper(_LETTER)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(*repeated)
        sheet.set_footer(f"&L&8{self._footed.replace('&', '&&')}&C&8&A&R&8Page &P of &N")
        color = "#C00000" if self._is_demo else "black"
        self.text(sheet, 0, 0, f"{title} · {self._titled}", bold=True, font_size=13, font_color=color)
        return sheet

    def text(self, sheet: Worksheet, row: int, column: int, text: str, **properties: Property) -> None:
        """Text, whatever it looks like. A text too long for a cell is cut with a mark and kept for `close()`."""
        shown = written = printable(text)
        if shown.startswith("<r>") and shown.endswith("</r>"):  # xlsxwriter would read it as its own markup
            written = f'<r><t xml:space="preserve">{html.escape(shown, quote=False)}</t></r>'
        if len(written) > _PART and len(written.encode("utf-16-le")) // 2 > MOST_CHARACTERS:
            cell = xl_rowcol_to_cell(row, column)
            self._long.append((sheet.get_name(), cell, shown))
            written = f"{shown[:_PART]} … [cut here: all {len(shown):,} characters are on the sheet {LONG_TEXTS}]"
        sheet.write_string(row, column, written, self.format(**properties))

    def paragraph(
        self,
        sheet: Worksheet,
        row: int,
        columns: tuple[int, int],
        width: int,
        text: str,
        **properties: Property,
    ) -> None:
        """Text across several columns, `width` characters in all; the row is as high as needed."""
        lines = sum(1 + len(line) // width for line in text.split("\n"))
        sheet.set_row(row, min(_LINE_HEIGHT * lines, _HIGHEST))
        if columns[0] < columns[1]:
            sheet.merge_range(row, columns[0], row, columns[1], "")
        self.text(sheet, row, columns[0], text, text_wrap=True, **properties)

    def value(self, sheet: Worksheet, row: int, column: int, value: object, **properties: Property) -> None:
        """A value by its type: numbers that are exact as a double and dates as such, everything else as text."""
        if isinstance(value, bool):
            sheet.write_boolean(row, column, value, self.format(align="center", **properties))
        elif isinstance(value, (int, Decimal)):
            number = Decimal(value)
            if _is_exact(number):
                shape = self.format(num_format=_number_format(number), **properties)
                sheet.write_number(row, column, float(number), shape)
            else:
                self.text(sheet, row, column, for_people(number), align="right", **properties)
        elif isinstance(value, float) and math.isfinite(value):
            sheet.write_number(row, column, value, self.format(num_format=_PLAIN, **properties))
        elif isinstance(value, date) and not isinstance(value, datetime) and value >= _FIRST_DAY:
            sheet.write_datetime(row, column, value, self.format(num_format=_DAY, align="left", **properties))
        elif value is not None:
            self.text(sheet, row, column, for_people(value), **properties)

    def figure(self, sheet: Worksheet, row: int, column: int, figure: Formula, **properties: Property) -> None:
        """A formula with its value, or the value alone."""
        if not figure.formula:
            self.value(sheet, row, column, figure.value, **properties)
            return
        shape = self.format(num_format=_number_format(figure.value), **properties)
        here = figure.formula.replace(f"{quote_sheetname(sheet.get_name())}!", "")
        sheet.write_formula(row, column, f"={here}", shape, float(figure.value))

    def zero_check(self, sheet: Worksheet, row: int, column: int, figure: Formula) -> None:
        """A formula that is green if it is 0, and red if not."""
        self.figure(sheet, row, column, figure, bold=True)
        for criteria, color in (("==", "#C6EFCE"), ("!=", "#FFC7CE")):
            shape = self.format(bg_color=color)
            rule = {"type": "cell", "criteria": criteria, "value": 0, "format": shape}
            sheet.conditional_format(row, column, row, column, rule)

    def link(self, sheet: Worksheet, row: int, column: int, name: str) -> None:
        """The name of another sheet, as a link to it."""
        shape = self.format(underline=1, font_color="blue")
        sheet.write_url(row, column, f"internal:{quote_sheetname(name)}!A1", shape, name)

    def header(self, sheet: Worksheet, row: int, names: Sequence[str]) -> None:
        """The names of columns."""
        for column, name in enumerate(names):
            self.text(sheet, row, column, name, bold=True, text_wrap=True, bg_color="#D9E1F2", bottom=1)

    def tied(self, sheet: TiedSheet) -> None:
        """A tied sheet, with its rows and lines."""
        self.write_rows(sheet.grid, f"{sheet.shows} {sheet.ties}", sheet.lines)

    def write_rows(self, grid: SheetRows, about: str, lines: Sequence[TotalLine] = ()) -> None:
        """A table on its sheets, with a text about it and lines of formulas above its header."""
        columns = grid.table.columns
        shapes = [_ColumnFormat.of(name, values) for name, values in zip(columns, _columns(grid.table), strict=True)]
        for number, (name, rows) in enumerate(grid.parts):
            sheet = self.sheet(name, name, (HEADER, HEADER))
            for place, shape in enumerate(shapes):
                sheet.set_column(place, place, shape.width)
            again = f"Continued from the sheet {grid.name}, which has the totals. " if number else ""
            width = sum(shape.width for shape in shapes)
            self.paragraph(sheet, 1, (0, len(columns) - 1), width, f"{again}{about}", italic=True)
            for line, each in enumerate(lines if number == 0 else ()):
                self._line(sheet, line, each, columns)
            self.header(sheet, HEADER, columns)
            self._rows(sheet, rows, shapes, columns.index("is_subtotal") if "is_subtotal" in columns else None)
            last = FIRST + max(len(rows), 1) - 1
            sheet.autofilter(HEADER, 0, last, len(columns) - 1)
            sheet.freeze_panes(FIRST, 1)
            sheet.ignore_errors({"number_stored_as_text": xl_range(FIRST, 0, last, len(columns) - 1)})

    def close(self) -> None:
        """Write the texts that were too long for a cell, and end the file."""
        if self._long:
            sheet = self.sheet(LONG_TEXTS, LONG_TEXTS, (2, 2))
            self.header(sheet, 2, ("sheet", "cell", "part", "text"))
            sheet.set_column(3, 3, 100)
            for row, values in enumerate(self._parts(), 3):
                for column, value in enumerate(values):
                    self.value(sheet, row, column, value)
            sheet.autofilter(2, 0, sheet.dim_rowmax, 3)
            sheet.freeze_panes(3, 0)
        try:
            self._workbook.close()
        except FileCreateError as error:
            raise OSError(*error.args[0].args) from None

    def _parts(self) -> Iterator[tuple[str, str, int, str]]:
        for name, cell, text in self._long:
            for number, start in enumerate(range(0, len(text), _PART), 1):
                yield name, cell, number, text[start : start + _PART]

    def _line(self, sheet: Worksheet, number: int, line: TotalLine, columns: Sequence[str]) -> None:
        self.text(sheet, LINE + number, 0, line.label, bold=True)
        for column in (each for each in columns if each in line.figures):
            write = self.zero_check if number == 3 else self.figure
            write(sheet, LINE + number, columns.index(column), line.figures[column])

    def _rows(
        self, sheet: Worksheet, rows: Sequence[tuple[Any, ...]], shapes: Sequence["_ColumnFormat"], mark: int | None
    ) -> None:
        """The records; those whose column `mark` is true are subtotals, and bold."""
        for row, values in enumerate(rows, FIRST):
            bold = {"bold": True} if mark is not None and values[mark] is True else {}
            for column, value in enumerate(values):
                wrapped = {"text_wrap": True} if shapes[column].is_wrapped and isinstance(value, str) else {}
                self.value(sheet, row, column, value, **wrapped, **bold)


@dataclass(frozen=True)
class _ColumnFormat:
    """The width of a column in characters, and whether its texts wrap."""

    width: int
    is_wrapped: bool

    @classmethod
    def of(cls, name: str, values: Sequence[object]) -> Self:
        numbers = [Decimal(value) for value in values if isinstance(value, (int, Decimal))]
        widest = sum((abs(number) for number in numbers), Decimal(0))
        texts = max((len(str(value)) for value in values if isinstance(value, (str, date))), default=0)
        words = max(map(len, name.replace("_", "_ ").split()), default=0)
        wanted = max(texts, words + 3, len(f"{widest:,}") + 3, _NARROWEST)  # the button of the filter covers three
        return cls(min(wanted, _WIDEST), texts > _WIDEST)


def _columns(table: Table) -> list[tuple[Any, ...]]:
    return list(zip(*table.rows, strict=True)) if table.rows else [()] * len(table.columns)


def _number_format(value: Decimal) -> str:
    """Counts without decimals, money with two, and other numbers with all their decimals."""
    if value.as_tuple().exponent == 0:
        return _COUNT
    return _MONEY if value == round(value, 2) else _PLAIN


def _is_exact(value: Decimal) -> bool:
    return value.is_finite() and len(value.as_tuple().digits) <= _EXACT_DIGITS
