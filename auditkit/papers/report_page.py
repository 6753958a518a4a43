"""One HTML page from a notebook that has run: it opens offline, prints well, and text from a vendor is inert in it.

Outputs are sanitized. The page's own policy allows no script but the one written here, by its hash, and no fetch.
plotly.js is packed into the page once, so that a report stays below 2 MB. The same notebook gives the same bytes.

Not here: running the notebook and writing the file (`report.py`).
"""

import base64
import hashlib
import html
import json
import re
import zlib
from collections.abc import Mapping
from functools import cache
from typing import Any

import bleach
from nbconvert import HTMLExporter
from plotly.offline import get_plotlyjs

from auditkit.papers.facts import ReportHeader
from auditkit.papers.html import html_table
from auditkit.values import printable

__all__ = ["page"]

_MIME = "application/vnd.plotly.v1+json"
_PAPER_WIDTH = 680  # pixels: the width of A4 and Letter between margins of 15 mm
_TAG_NAMES = """
    a blockquote br code details div em h1 h2 h3 h4 hr i img li ol p pre span strong sub summary sup table tbody td th
    thead tr ul
"""
_ATTRIBUTES = {
    **{"*": ["class"], "a": ["href", "title"], "img": ["alt"], "th": ["colspan", "rowspan"]},
    **{heading: ["id"] for heading in ("h1", "h2", "h3", "h4")},
}
_PANDAS_STYLE = re.compile(r"<style scoped>.*?</style>", re.DOTALL)  # the sanitizer would show it as text
_HEADING = re.compile(r'<h2 id="([^"]+)">(.*?)</h2>', re.DOTALL)
_TAG = re.compile(r"<[^>]*>|¶")


def page(notebook: Any, *, name: str, front: ReportHeader) -> str:  # noqa: ANN401  a notebook node
    """The page of a notebook that has run, without its code."""
    charts = _extract_charts(notebook)
    exporter = HTMLExporter(
        template_name="basic",
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        embed_images=True,
        sanitize_html=True,
    )
    exporter.register_filter("clean_html", _sanitized)  # nbconvert's own allows no headings, paragraphs or table heads
    content, _ = exporter.from_notebook_node(notebook)
    for mark in charts:
        content = content.replace(f"<pre>{mark}</pre>", f'<div id="{mark}" class="chart"></div>')
    content += "".join(
        f'<h2 id="{_escaped(heading)}">{_escaped(heading)}</h2>\n{html_table(table)}'
        for heading, table in front.tables.items()
    )
    scripts, allowed = _scripts(charts)
    policy = f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; font-src data:"
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            f"<title>{_escaped(name)}</title><style>{_style(front)}</style></head><body>",
            '<div class="demo">DEMO DATA</div>' if front.facts.is_demo else "",
            f"<main>{_header(front)}{_contents(content)}{content}</main>",
            *scripts,
            "</body></html>\n",
        ]
    )


def _style(front: ReportHeader) -> str:
    """The style sheet; in print, every page repeats the title."""
    foot = "".join(each for each in front.facts.title if each.isalnum() or each in " ·-:./")
    return _STYLE.replace("TOP", "DEMO DATA" if front.facts.is_demo else "").replace("FOOT", foot)


def _header(front: ReportHeader) -> str:
    lines = "".join(f"<dt>{_escaped(label)}</dt><dd>{_escaped(line)}</dd>" for label, line in front.lines.items())
    warnings = "".join(f'<p class="warning">{_escaped(warning)}</p>' for warning in front.facts.warnings)
    return f"<header><p><strong>{_escaped(front.facts.title)}</strong></p>{warnings}<dl>{lines}</dl></header>"


def _contents(content: str) -> str:
    entries = "".join(
        f'<li><a href="#{anchor}">{_TAG.sub("", title).strip()}</a></li>' for anchor, title in _HEADING.findall(content)
    )
    return f"<nav><strong>Contents</strong><ol>{entries}</ol></nav>" if entries else ""


def _extract_charts(notebook: Any) -> dict[str, Mapping[str, Any]]:  # noqa: ANN401  a notebook node
    """Replace each chart by a mark that the sanitizer keeps; mark → the chart's JSON."""
    charts: dict[str, Mapping[str, Any]] = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if _MIME in output.get("data", {}):
                chart = output["data"][_MIME]
                digest = hashlib.sha256(json.dumps(chart, sort_keys=True).encode()).hexdigest()
                mark = f"chart-{len(charts)}-{digest[:16]}"
                charts[mark] = chart
                output["data"] = {"text/plain": mark}
            elif "text/html" in output.get("data", {}):
                output["data"]["text/html"] = _PANDAS_STYLE.sub("", output["data"]["text/html"])
    return charts


def _is_allowed(tag: str, name: str, value: str) -> bool:
    if tag == "img" and name == "src":
        return value.startswith("data:image/")
    return name in _ATTRIBUTES.get(tag, ()) or name in _ATTRIBUTES["*"]


def _sanitized(element: str) -> str:
    """HTML without anything active: only the tags and attributes listed above."""
    return str(
        bleach.clean(str(element), tags=_TAG_NAMES.split(), attributes=_is_allowed, strip=True, strip_comments=True)
    )


def _escaped(text: str) -> str:
    return html.escape(printable(text))


# ── plotly.js, packed ───────────────────────────────────────────────────────────────────────────────────────────────

# Base85 without the three characters special to HTML: four bytes take five characters, in base64 5.3.
_BASE85 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%,()*+-;[=]?@^_`{|}~"
_HTML_FREE = str.maketrans("&<>", ",[]")
_DRAW = """(async () => {
const text = document.querySelector("script#plotly").textContent, digits = new Map([..."BASE85"].map((c, n) => [c, n]));
const bytes = new Uint8Array(Math.ceil(text.length / 5) * 4);
for (let from = 0, to = 0; from < text.length; from += 5, to += 4) {
  let value = 0;
  for (let n = from; n < from + 5; n++) value = value * 85 + (n < text.length ? digits.get(text[n]) : 84);
  bytes.set([value / 16777216, value >>> 16, value >>> 8, value], to);
}
const packed = new Blob([bytes.subarray(0, SIZE)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
const script = document.createElement("script");
script.textContent = await new Response(packed).text();
document.head.append(script);
for (const [id, data, layout, config] of CHARTS) await Plotly.newPlot(id, data, layout, config);
document.documentElement.dataset.drawn = CHARTS.length;
})()"""


def _scripts(charts: Mapping[str, Mapping[str, Any]]) -> tuple[list[str], str]:
    """The page's scripts, and their hashes for its policy: plotly.js as data, and the code that unpacks and draws."""
    if not charts:
        return [], "'none'"
    size, packed = _packed_plotly()
    drawn = [
        [mark, chart["data"], {**chart["layout"], "width": _PAPER_WIDTH}, {"displayModeBar": False}]
        for mark, chart in charts.items()
    ]
    # `<` is escaped, so that no text in a chart can end the script
    listed = json.dumps(drawn, sort_keys=True).replace("<", "\\u003c")
    draw = f"const CHARTS = {listed};\n" + _DRAW.replace("BASE85", _BASE85).replace("SIZE", str(size))
    allowed = " ".join(f"'sha256-{_digest(script)}'" for script in (get_plotlyjs(), draw))
    return [f'<script type="text/plain" id="plotly">{packed}</script>', f"<script>{draw}</script>"], allowed


@cache
def _packed_plotly() -> tuple[int, str]:
    """The number of bytes of plotly.js when deflated, and the bytes as text."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9)
    packed = packer.compress(get_plotlyjs().encode()) + packer.flush()
    return len(packed), base64.b85encode(packed).decode("ascii").translate(_HTML_FREE)


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


_STYLE = """
body { margin: 0; font: 15px/1.5 sans-serif; color: #222 }
main { max-width: 56em; margin: 1.5em auto; padding: 0 1em }
table { border-collapse: collapse; font-size: 13px; display: block; overflow-x: auto }
th, td { padding: 3px 10px; border-bottom: 1px solid #ddd; text-align: right; font-variant-numeric: tabular-nums }
td { white-space: nowrap } td.text { white-space: normal }
td.text, th.text { text-align: left }
.subtotal { font-weight: bold }
table + p, details { margin: 2px 0; font-size: 12px; color: #666 }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1em; font-size: 13px }
dt { grid-column: 1; color: #666 } dd { grid-column: 2; margin: 0; overflow-wrap: anywhere }
header, nav { border-bottom: 1px solid #ddd } nav { font-size: 13px; padding: .5em 0 }
.warning { border-left: 4px solid #ccbb44; padding-left: .6em }
.demo { position: sticky; top: 0; z-index: 9; background: #ee6677; color: #fff; font-weight: bold; text-align: center;
  padding: 6px }
.anchor-link { display: none }
pre { white-space: pre-wrap; overflow-wrap: anywhere }
.chart { break-inside: avoid }
@page { margin: 20mm 15mm; font: 9px sans-serif;
  @top-center { content: "TOP"; color: #ee6677; font-weight: bold }
  @bottom-left { content: "FOOT" } @bottom-right { content: counter(page) " of " counter(pages) } }
@media print {
  main { max-width: none; margin: 0; padding: 0 }
  table { display: table; font-size: 10px }
  td.text { overflow-wrap: anywhere }
  thead { display: table-header-group }
  tr, dl { break-inside: avoid } h1, h2, h3 { break-after: avoid }
  nav, details, .demo { display: none }
}
"""
