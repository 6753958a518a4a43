"""One HTML file that opens offline: no fetch, no active text from a vendor, the same bytes each time."""

import base64
import hashlib
import re
import zlib
from collections.abc import Iterator
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from plotly.offline import get_plotlyjs

from auditkit.errors import AuditkitError, SettingsError
from auditkit.papers.facts import Facts, ReportHeader
from auditkit.papers.report import publish
from auditkit.settings import Settings
from tests.commands import small_disk

CHART = """import plotly.graph_objects as go
import plotly.io as pio
pio.renderers.default = "plotly_mimetype"
go.Figure(go.Bar(x=["</script><script>alert(1)</script>"], y=[1]), {"title": "</SCRIPT><img src=x>"})"""
HOSTILE = """from IPython.display import HTML, SVG, Javascript, Markdown, display
display(HTML('''<b onclick="alert(2)">bold</b><script>alert(3)</script><a href="javascript:alert(4)">link</a>
<iframe src="https://evil.example/frame"></iframe><object data="https://evil.example/object"></object>
<meta http-equiv="refresh" content="0;url=https://evil.example/"><form action="https://evil.example/"><input></form>
<svg onload="alert(5)"></svg><link rel="stylesheet" href="https://evil.example/sheet.css">'''))
display(SVG('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(6)"><script>alert(7)</script></svg>'))
display(Markdown("<script>alert(8)</script>"))
display(Javascript("alert(9)"))"""
TABLE = """import pandas as pd
print("\\x1b[31m<script>alert(10)</script>\\x1b[0m")
pd.DataFrame({"<script>alert(11)</script>": ["<img src=x onerror=alert(12)>", "</table><script>alert(13)</script>"]})"""
IMAGES = """from IPython.display import HTML
HTML('<img src="https://evil.example/pixel.png">')"""
PARAMETERS = "refresh = True"
MAY_LOAD = {"src", "href", "data", "action", "background", "poster", "srcset", "formaction"}


class Elements(HTMLParser):
    """Every tag of a page with its attributes, and the text of every script."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._in_script = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._in_script = tag == "script"
        self.scripts += [""] * self._in_script

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts[-1] += data


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "auditkit.toml").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(project: Path, name: str, *cells: str, heading: str = "# Month end") -> None:
    """A notebook whose first code cell holds the parameters, as ours do."""
    parameters = new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}, id="parameters")
    code = [new_code_cell(source, id=f"cell-{number}") for number, source in enumerate(cells)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(
        metadata={"kernelspec": kernel}, cells=[new_markdown_cell(heading, id="heading"), parameters, *code]
    )
    nbformat.write(notebook, project / "notebooks" / f"{name}.ipynb")


def published(name: str, *, is_demo: bool = False, **parameters: str) -> str:
    moved = pd.DataFrame([("<b>unbilled</b>", Decimal("1234.50"))], columns=["label", "now"], dtype=object)
    facts = Facts("<title>", ["COMPLETE"], ["an override <i>"], "none", is_demo)
    front = ReportHeader(facts, {"Journal": "2 records, the last is <ab>"}, {"Roll-forward since sync 1": moved})
    path = publish(Settings.load(demo=is_demo), name, front=front, parameters=parameters)
    return path.read_text("utf-8")


def unpacked(page: str) -> str:
    """plotly.js out of the page, as the page's own script unpacks it."""
    packed = re.search(r'<script type="text/plain" id="plotly">([^<]*)</script>', page)
    assert packed
    data = base64.b85decode(packed[1].translate(str.maketrans(",[]", "&<>")))
    return zlib.decompress(data, -zlib.MAX_WBITS).decode()


@pytest.mark.slow
def test_progress_is_shown(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("auditkit.progress._LINE_EVERY_SECONDS", 0)
    write(project, "01_short", "1 + 1")
    published("01_short")
    assert capsys.readouterr().err.splitlines()[-1].endswith(" of 3 cell")


@pytest.fixture
def page(project: Path) -> Iterator[str]:
    heading = "# Month end <script>alert(14)</script>\n\n## Part 1"
    write(project, "01_hostile", CHART, HOSTILE, TABLE, "refresh", heading=heading)
    yield published("01_hostile", is_demo=True)


@pytest.mark.slow
def test_the_page_fetches_nothing_and_runs_only_its_script(page: str, project: Path) -> None:
    elements = Elements(page)
    # Nothing is fetched.
    for tag, attributes in elements.tags:
        for name in MAY_LOAD & set(attributes):
            assert (attributes[name] or "").startswith(("data:", "#")), (tag, attributes)
    assert "@import" not in page.partition("<script>")[0]
    # Scripts are ours: plotly, packed as data, and the one that unpacks it and draws, each allowed by its hash alone.
    _, draw = elements.scripts
    assert unpacked(page) == get_plotlyjs() and draw.startswith("const CHARTS = [[")
    policy = next(a["content"] or "" for tag, a in elements.tags if tag == "meta" and "content" in a)
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (get_plotlyjs(), draw)]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    assert policy.split("; ")[:2] == ["default-src 'none'", f"script-src {allowed}"]
    assert "unsafe-eval" not in policy and "script-src 'unsafe-inline'" not in policy
    assert page.index("Content-Security-Policy") < page.index("<style>") < page.index("<script>")
    assert len(page) < 2_000_000
    # Hostile text is escaped.
    assert not [a for tag, a in elements.tags for name in a if name.startswith("on")]
    tags = {tag for tag, _ in elements.tags}
    assert not tags & {"iframe", "object", "form", "input", "link", "base", "svg", "embed"}
    assert next(a for tag, a in elements.tags if tag == "meta") == {"charset": "utf-8"}
    assert sum(tag == "meta" for tag, _ in elements.tags) == 2
    assert "&lt;script&gt;alert(11)&lt;/script&gt;" in page and "javascript:" not in page.partition("<script>")[0]
    assert "\x1b" not in page
    # The header and the added tables are there.
    assert "<dt>Journal</dt><dd>2 records, the last is &lt;ab&gt;</dd>" in page
    assert '<p class="warning">an override &lt;i&gt;</p>' in page and "<td>1,234.50</td>" in page
    assert re.findall(r'<a href="#([^"]+)">', page.partition("</nav>")[0]) == ["Part-1", "Roll-forward since sync 1"]
    # The title, the demo banner and the parameter that calls no vendor are there.
    assert page.count('<div class="demo">DEMO DATA</div>') == 1 and "<title>01_hostile</title>" in page
    assert re.search(r"<pre>False\s*</pre>", page)
    path = project / "data" / "demo" / "reports" / "01_hostile.html"
    assert path.stat().st_mode & 0o777 == 0o600 and [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.slow
def test_the_same_bytes_twice(project: Path) -> None:
    write(project, "01_plain", CHART, TABLE)
    first = published("01_plain")
    assert published("01_plain") == first and "DEMO DATA" not in first


@pytest.mark.slow
def test_no_reference_to_another_host(project: Path) -> None:
    write(project, "01_images", IMAGES)
    assert "evil.example" not in published("01_images")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("raise ValueError('the residual is 0.01')", "a cell failed with ValueError: the residual is 0.01"),
        ("assert 1 == 2, 'totals differ'", "a cell failed with AssertionError: totals differ"),
        pytest.param(
            "raise ValueError('first\\nsecond')",
            "first",
        ),
        pytest.param(
            "import os\nos._exit(1)",
            "kernel",
        ),
    ],
    ids=["error", "assert", "two lines", "dead kernel"],
)
def test_a_cell_that_fails_is_one_line(cell: str, words: str, project: Path) -> None:
    """And the report before is kept."""
    reports = project / "data" / "demo" / "reports"
    reports.mkdir(parents=True)
    (reports / "01_fails.html").write_text("the last one that was right")
    write(project, "01_fails", cell)
    with pytest.raises(AuditkitError, match=words) as failure:
        published("01_fails")
    assert str(failure.value).startswith("01_fails.ipynb: ") and "\n" not in str(failure.value)
    assert (reports / "01_fails.html").read_text() == "the last one that was right"


def test_an_unknown_notebook(project: Path) -> None:
    write(project, "00_mine", "1")
    with pytest.raises(SettingsError, match=r"02_none.ipynb: no such notebook \(there are: 00_mine, 01_month_end, "):
        published("02_none")


@pytest.mark.parametrize("content", [b"{", b"[]", b"{}", b"\xff\xfe", b'{"cells": 1}'], ids=repr)
def test_a_file_that_is_not_a_notebook(content: bytes, project: Path) -> None:
    (project / "notebooks" / "01_broken.ipynb").write_bytes(content)
    with pytest.raises(AuditkitError, match=r"01_broken.ipynb: not a notebook") as failure:
        published("01_broken")
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize("name", ["../notebooks/00_mine", "/tmp/00_mine", "notebooks/00_mine", ".."])
def test_a_notebook_of_another_folder(name: str, project: Path) -> None:
    write(project, "00_mine", "1")
    with pytest.raises(SettingsError, match=r"give the name of one in notebooks/|no such notebook"):
        published(name)


def test_a_month_for_a_notebook_without_that_parameter(project: Path) -> None:
    """Its file would have the name of a month that it does not show."""
    write(project, "00_mine", "1")
    with pytest.raises(SettingsError, match=r"00_mine.ipynb: its first cell has no parameter period; leave it out"):
        published("00_mine", period="2026-09")


def test_practice_does_not_report_on_an_account(project: Path) -> None:
    assert project
    with pytest.raises(SettingsError, match=r"05_corrections.ipynb: practices on demo data"):
        published("05_corrections")


@pytest.mark.slow
def test_a_cell_that_does_not_end(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditkit.papers.report._CELL_SECONDS", 5)
    write(project, "00_mine", "while True: pass")
    with pytest.raises(AuditkitError, match=r"^00_mine.ipynb: a cell ran longer than 5 seconds; run it in Jupyter$"):
        published("00_mine")


@pytest.mark.slow
def test_a_full_disk(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, "01_plain", CHART)
    with small_disk(project / "disk", 1024) as disk:  # a page with a chart takes more
        monkeypatch.setenv("AUDITKIT_HOME", str(disk / "home"))
        with pytest.raises(AuditkitError, match="No space left on device"):
            published("01_plain")
        assert not list(disk.rglob("*.html"))


@pytest.mark.slow
def test_the_demo_beside_an_account(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """URLs are in auditkit.toml, secrets in the environment: the demo's report uses neither."""
    urls = 'aimsio_url = "https://portal.aimsio.com"\njobnimbus_url = "https://app.jobnimbus.com"\n'
    (project / "auditkit.toml").write_text(f'{urls}timezone = "America/Edmonton"\n')
    for name in ("AIMSIO_USERNAME", "AIMSIO_PASSWORD", "JOBNIMBUS_TOKEN"):
        monkeypatch.setenv(f"AUDITKIT_{name}", "x")
    write(project, "01_account", "import auditkit as ak\nprint(ak.open().settings.is_demo)")
    assert "True" in published("01_account", is_demo=True)


@pytest.mark.slow
def test_a_page_without_a_chart_runs_no_script(project: Path) -> None:
    write(project, "01_text", "print('no chart')")
    page = published("01_text")
    assert "script-src 'none'" in page and "<script" not in page and len(page) < 20_000
