"""The page of the month end, from the stored notebook: its prose, its code and its outputs.

A table becomes a Markdown table, a chart its title: it is drawn in the notebook and in the report.

Not here: the notebook itself, and whether its stored outputs are current (nbval compares them).
"""

import html
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any

from docs.generator.markdown import fenced, literal, made_from, table

__all__ = ["page"]

_CHART = "application/vnd.plotly.v1+json"
_START = """\
The notebook `01_month_end` on the demo, with its outputs. `make lab` opens it, and `auditkit report` runs it on your
newest snapshot into one HTML file, with charts.
"""


def page(notebook: Mapping[str, Any]) -> str:
    """Markdown of a notebook (as JSON), whose first cell is prose that begins with the title."""
    first, *cells = notebook["cells"]
    title, _, prose = "".join(first["source"]).partition("\n")
    lines = [title, "", made_from("`notebooks/01_month_end.ipynb`"), "", _START, prose.strip()]
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            lines += ["", source]
        else:
            lines += ["", fenced(source, "python")]
            for output in cell["outputs"]:
                lines += ["", *_output(output)]
    return "\n".join(lines) + "\n"


def _output(output: Mapping[str, Any]) -> Iterator[str]:
    if output["output_type"] == "stream":
        yield fenced("".join(output["text"]), "text")
        return
    data = output["data"]
    if _CHART in data:
        yield f"*Chart: {literal(html.unescape(data[_CHART]['layout']['title']['text']))}*"
        return
    read = _Tables()
    read.feed("".join(data["text/html"]))
    header, *rows = read.rows
    numbers = frozenset(range(len(header))) - read.texts
    cells = (
        [f"**{literal(cell)}**" if place in read.subtotals else literal(cell) for cell in row]
        for place, row in enumerate(rows, 1)
    )
    yield from table(list(map(literal, header)), cells, numbers)
    yield from ("", literal(read.foot))
    if read.sql:
        yield from ("", "<details><summary>SQL</summary>", "", fenced(read.sql, "text"), "", "</details>")


class _Tables(HTMLParser):
    """The table of an output: its rows, columns of text, subtotals, the line below it and its SQL."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.texts: set[int] = set()
        self.subtotals: set[int] = set()
        self.foot = ""
        self.sql = ""
        self._within = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a row or a cell."""
        self._within = tag
        if tag == "tr":
            if ("class", "subtotal") in attrs:
                self.subtotals.add(len(self.rows))
            self.rows.append([])
        elif tag in ("th", "td"):
            if ("class", "text") in attrs:
                self.texts.add(len(self.rows[-1]))
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        """End an element."""
        self._within = "" if tag == self._within else self._within

    def handle_data(self, data: str) -> None:
        """Add text to the current element."""
        match self._within:
            case "th" | "td":
                self.rows[-1][-1] += data
            case "p":
                self.foot += data
            case "pre":
                self.sql += data
