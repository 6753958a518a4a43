"""The notebooks with what they should show, and one whose data is hostile.

Not here: opening them.
"""

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Page

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"

# Each of them sets `window.__hit` if it becomes HTML; `provoke` does what a person would do to it.
HOSTILE = (
    '<img src=x onerror="window.__hit = 1">',
    "<script>window.__hit = 2</script>",
    "</script><script>window.__hit = 3</script>",
    '<svg onload="window.__hit = 4"></svg>',
    '<a href="javascript:window.__hit = 5">link</a>',
    '<b onmouseover="window.__hit = 6" onclick="alert(7)">bold</b>',
    '"><iframe srcdoc="<script>parent.__hit = 8</script>"></iframe>',
)
_CHART = f"""import plotly.graph_objects as go
hostile = {list(HOSTILE)!r}
bars = [go.Bar(x=[text], y=[1], name=text, text=text, hovertext=text, hovertemplate=text) for text in hostile]
notes = [dict(text=text, x=0, y=1 + number) for number, text in enumerate(hostile)]
go.Figure(bars, dict(title="".join(hostile), annotations=notes, xaxis_title=hostile[4], height=900))"""
_TABLE = """import pandas as pd
from auditkit.warehouse.answer import Answer
frame = Answer([[text] * len(hostile) for text in hostile], hostile, snapshot=hostile[0], sql=hostile[1])
frame"""
_DERIVED = "frame.sort_values(hostile[0]).set_index(hostile[1])"
_REVIEW = """import auditkit as ak
row = dict(rule_id=hostile[0], severity=hostile[1], job_number=hostile[2], subject_id=hostile[3], amount_at_risk=None)
rows = [{**row, "reason": text, "fingerprint": text} for text in hostile]
ak.review(Answer([list(row.values()) for row in rows], rows[0], snapshot=hostile[0], sql=hostile[1]))"""
# Charts need a real mouse: plotly.js ignores events made by a script, and its tool bar has a link to its maker.
_PROVOKE = """(within) => {
    for (const element of document.querySelectorAll(`${within} :not(.main-svg *, .modebar *)`))
        for (const kind of ["mouseover", "click"])
            element.dispatchEvent(new MouseEvent(kind, { bubbles: true, cancelable: true }));
}"""
_IN_CHARTS = """(within) => [...document.querySelectorAll(`${within} .main-svg :is(.point, text, a)`)].map((drawn) => {
    const box = drawn.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
})"""


class NotebookFile:
    """One of our notebooks, and what it shows according to its stored outputs."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def cells(self) -> list[dict[str, Any]]:
        return list(json.loads(self.path.read_text("utf-8"))["cells"])

    @cached_property
    def charts(self) -> int:
        return self._outputs("application/vnd.plotly.v1+json")

    @cached_property
    def tables(self) -> int:
        return self._outputs("text/html")

    @cached_property
    def last_line(self) -> str:
        return "".join(self.cells[-1]["outputs"][-1]["text"]).strip()

    def _outputs(self, mime: str) -> int:
        return sum(mime in output.get("data", {}) for cell in self.cells for output in cell.get("outputs", []))


PAPERS = [NotebookFile(path) for path in sorted(NOTEBOOKS.glob("*.ipynb"))]


def write_hostile(path: Path) -> None:
    """A notebook with hostile text everywhere in a chart and in tables."""
    cells = [new_code_cell("refresh = False", metadata={"tags": ["parameters"]}, id="parameters")]
    sources = ("%load_ext auditkit", _CHART, _TABLE, _DERIVED, _REVIEW)
    cells += [new_code_cell(source, id=f"cell-{number}") for number, source in enumerate(sources)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(metadata={"kernelspec": kernel}, cells=cells), path)


def provoke(page: Page, within: str = "body") -> None:
    """Move over everything and click on everything; then wait for the effects."""
    page.set_viewport_size({"width": 1280, "height": 4000})
    for x, y in page.evaluate(_IN_CHARTS, within):
        page.mouse.click(x, y)
    page.evaluate(_PROVOKE, within)
    page.wait_for_timeout(200)
