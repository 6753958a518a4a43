"""Publish: run a notebook on the newest snapshot and write it as one HTML file that opens offline.

Vendors' text is hostile here: outputs are sanitised, and the page's own policy lets no script run but those that are
written below, by their hashes, and nothing be fetched. The same snapshot gives the same bytes.

Not here: what a notebook shows.
"""

import base64
import hashlib
import html
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bleach
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert import HTMLExporter
from nbformat import ValidationError
from nbformat.reader import NotJSONError
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook
from plotly.offline import get_plotlyjs

from auditkit.config import PREFIX, Settings, project_root
from auditkit.errors import AuditkitError, SettingsError

__all__ = ["publish"]

_MIME = "application/vnd.plotly.v1+json"
_CELL_SECONDS = 600
_TAG_NAMES = """
    a blockquote br code div em h1 h2 h3 h4 hr i img li ol p pre span strong sub sup table tbody td th thead tr ul
"""
_ATTRIBUTES = {"*": ["class"], "a": ["href", "title"], "img": ["alt"], "th": ["colspan", "rowspan"]}
_PANDAS_STYLE = re.compile(r"<style scoped>.*?</style>", re.DOTALL)  # the sanitiser would show it as text
_BANNER = (
    '<div style="position:sticky;top:0;z-index:9;background:#ee6677;color:#fff;font:bold 15px sans-serif;'
    'padding:6px;text-align:center">DEMO DATA</div>'
)


def publish(settings: Settings, notebook: str, *, journal: str, is_demo: bool) -> Path:
    """Run `notebooks/<notebook>.ipynb` and return the path of its HTML below the home's `reports/`.

    `journal` says its count and head, which stand at the page's end: held against journal.anchor they show what was
    decided since. Raises `SettingsError` when there is no such notebook, `AuditkitError` with the failing cell's error.
    Importing this module needs the extra `notebooks`.
    """
    source = project_root(Path.cwd()) / "notebooks" / f"{notebook}.ipynb"
    if not source.is_file():
        names = ", ".join(sorted(path.stem for path in source.parent.glob("*.ipynb"))) or "none"
        raise SettingsError(f"{source}: no such notebook (there are: {names})")
    page = _page(_executed(source, settings, is_demo=is_demo), title=notebook, journal=journal, is_demo=is_demo)
    path = settings.folder / "reports" / f"{notebook}.html"
    private = path.with_suffix(".new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        private.write_text(page, "utf-8")
        private.chmod(0o600)
        private.replace(path)
    except OSError as error:
        private.unlink(missing_ok=True)
        raise AuditkitError(f"{path}: {error.strerror}; the report before is unchanged") from None
    return path


def _executed(source: Path, settings: Settings, *, is_demo: bool) -> Any:  # noqa: ANN401  a notebook node
    """The notebook, run without progress bars on the newest snapshot of this home; no vendor is asked."""
    try:
        notebook = parameterize_notebook(load_notebook_node(str(source)), {"refresh": False})
    except (NotJSONError, ValidationError, OSError) as error:
        raise AuditkitError(f"{source}: not a notebook ({str(error).splitlines()[0]})") from None
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"  # papermill gives its own cell a random one, which would be in the page
    client = NotebookClient(
        notebook,
        timeout=_CELL_SECONDS,
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(source.parent)}},
    )
    try:
        client.execute(env=_environment(settings, is_demo=is_demo))
    except CellExecutionError as error:
        raise AuditkitError(
            f"{source.name}: a cell failed with {error.ename}: {' '.join(error.evalue.split())}"
        ) from None
    except (DeadKernelError, CellTimeoutError) as error:
        raise AuditkitError(f"{source.name}: the kernel stopped ({' '.join(str(error).split())})") from None
    return notebook


def _environment(settings: Settings, *, is_demo: bool) -> dict[str, str]:
    """Ours, for the kernel: the same home, no bars; on the demo no account."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not (is_demo and name.startswith((f"{PREFIX}AIMSIO_", f"{PREFIX}JOBNIMBUS_")))
    }
    demo = {f"{PREFIX}DEMO": "1"} if is_demo else {}
    return {**kept, **demo, f"{PREFIX}HOME": str(settings.folder), f"{PREFIX}QUIET": "1"}


def _page(notebook: Any, *, title: str, journal: str, is_demo: bool) -> str:  # noqa: ANN401  a notebook node
    """One page: outputs sanitised, charts put in afterwards, plotly.js once, and a policy that allows only these."""
    charts = _taken_out(notebook)
    exporter = HTMLExporter(
        template_name="basic",
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        embed_images=True,
        sanitize_html=True,
    )
    exporter.register_filter("clean_html", _cleaned)  # nbconvert's own allows no headings, paragraphs or table heads
    content, _ = exporter.from_notebook_node(notebook)
    for mark in charts:
        content = content.replace(f"<pre>{mark}</pre>", f'<div id="{mark}" class="chart"></div>')
    scripts = [get_plotlyjs(), *(_drawing(mark, chart) for mark, chart in charts.items())] if charts else []
    allowed = " ".join(f"'sha256-{_digest(script)}'" for script in scripts) or "'none'"
    policy = f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; font-src data:"
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body>",
            f"{_BANNER if is_demo else ''}<main>{content}<footer>Journal: {html.escape(journal)}</footer></main>",
            *(f"<script>{script}</script>" for script in scripts),
            "</body></html>\n",
        ]
    )


def _taken_out(notebook: Any) -> dict[str, Mapping[str, Any]]:  # noqa: ANN401  a notebook node
    """Replace each chart by a mark that the sanitiser leaves alone; mark → the chart's JSON."""
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


def _drawing(mark: str, chart: Mapping[str, Any]) -> str:
    """The statement that draws one chart; `<` is written so that no text in it can end the script."""
    parts = [mark, chart["data"], chart["layout"], {"displaylogo": False, "responsive": True}]
    arguments = ", ".join(json.dumps(part, sort_keys=True) for part in parts)
    return f"Plotly.newPlot({arguments})".replace("<", "\\u003c")


def _is_allowed(tag: str, name: str, value: str) -> bool:
    if tag == "img" and name == "src":
        return value.startswith("data:image/")
    return name in _ATTRIBUTES.get(tag, ()) or name in _ATTRIBUTES["*"]


def _cleaned(element: str) -> str:
    """HTML without anything that acts: only the tags and attributes listed above, all else taken out."""
    return str(
        bleach.clean(str(element), tags=_TAG_NAMES.split(), attributes=_is_allowed, strip=True, strip_comments=True)
    )


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


_STYLE = """
body { margin: 0; font: 15px/1.5 sans-serif; color: #222 }
main { max-width: 60em; margin: 1.5em auto; padding: 0 1em }
table { border-collapse: collapse; font-size: 13px }
th, td { padding: 3px 10px; border-bottom: 1px solid #ddd; text-align: right; font-variant-numeric: tabular-nums }
.anchor-link { display: none }
pre { white-space: pre-wrap }
.chart { break-inside: avoid }
@media print { main { max-width: none } }
"""
