"""The reports as a client's auditor opens them: one file from disk, without a network, on the screen and printed."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from auditkit.papers.facts import Facts, ReportHeader
from auditkit.papers.report import publish
from auditkit.settings import Settings
from tests.browser.papers import HOSTILE, PAPERS, NotebookFile, provoke, write_hostile
from tests.browser.watching import Seen, environment, marks, refused, screenshot, watched
from tests.commands import auditkit

DRAWN = "html[data-drawn]"


@pytest.fixture(scope="module")
def home(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(demo, tmp_path_factory.mktemp("report") / "home"))


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(paper, marks=[] if paper.charts else pytest.mark.campaign, id=paper.path.stem) for paper in PAPERS
    ],
)
def paper(request: pytest.FixtureRequest) -> NotebookFile:
    """Only `make browser` opens those without a chart."""
    return request.param


@pytest.fixture(scope="module")
def report(paper: NotebookFile, home: Path) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home.parent)
        for name, value in environment(home.parent, home).items():
            patch.setenv(name, value)
        ran = auditkit("report", "--notebook", paper.path.stem)
    assert ran.code == 0, ran
    return home / "reports" / f"{paper.path.stem}.html"


@pytest.fixture(scope="module")
def opened(report: Path, browser: Browser) -> Iterator[tuple[Page, Seen]]:
    with watched(browser, lambda url: url == report.as_uri(), offline=True) as (page, seen):
        page.goto(report.as_uri())
        yield page, seen


def test_every_chart_is_drawn(paper: NotebookFile, report: Path, opened: tuple[Page, Seen]) -> None:
    page, seen = opened
    if paper.charts:
        page.wait_for_selector(DRAWN, state="attached")
        assert page.get_attribute("html", "data-drawn") == str(paper.charts)
    assert len(marks(page, ".chart")) == paper.charts and all(marks(page, ".chart"))
    assert page.locator("main table:visible").count() >= paper.tables
    assert paper.last_line in page.inner_text("main") and page.inner_text(".demo") == "DEMO DATA"
    assert (seen, refused(page)) == (Seen(), [])
    assert report.stat().st_size < 2_000_000
    screenshot(page, f"report-{report.stem}")


def test_contents_lead_to_headings(opened: tuple[Page, Seen]) -> None:
    page, seen = opened
    links = page.locator("nav a")
    assert links.count() >= 3
    for link in links.all():
        link.click()
        heading = page.locator("h2:target")
        assert heading.inner_text().removesuffix("¶") == link.inner_text()
        assert heading.bounding_box()["y"] < page.viewport_size["height"]
    assert seen == Seen()


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="pdftotext is missing; apt-get install poppler-utils")
def test_each_printed_page_has_title_and_number(report: Path, opened: tuple[Page, Seen], tmp_path: Path) -> None:
    page, seen = opened
    snapshot = re.search(r"snapshot \w+", page.inner_text("header strong"))
    page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    read = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "report.pdf", "-"], capture_output=True, text=True, check=True
    )
    sheets = [sheet.strip().splitlines() for sheet in read.stdout.removesuffix("\f").split("\f")]
    assert snapshot and len(sheets) > 1 and seen == Seen()
    assert {lines[0] for lines in sheets} == {"DEMO DATA"}
    for number, lines in enumerate(sheets, start=1):
        assert "DEMO DATA" in lines[-1] and snapshot[0] in lines[-1], lines[-1]
        assert lines[-1].endswith(f"{number} of {len(sheets)}")


def test_hostile_text_is_inert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, browser: Browser) -> None:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "auditkit.toml").touch()
    write_hostile(tmp_path / "notebooks" / "01_hostile.ipynb")
    monkeypatch.chdir(tmp_path)
    front = ReportHeader(Facts(HOSTILE[0], [], list(HOSTILE), "none", is_demo=False), {HOSTILE[1]: HOSTILE[4]})
    report = publish(Settings.load(demo=True), "01_hostile", front=front, parameters={})
    with watched(browser, lambda url: url == report.as_uri(), offline=True) as (page, seen):
        page.goto(report.as_uri())
        page.wait_for_selector(DRAWN, state="attached")
        provoke(page)
        screenshot(page, "report-hostile")
        assert page.evaluate("window.__hit") is None
        assert (seen, refused(page)) == (Seen(), [])
        assert page.inner_text("td >> nth=0") == HOSTILE[0] and all(marks(page, ".chart"))


@pytest.mark.parametrize("text", HOSTILE)
def test_the_same_text_is_active_without_protection(text: str, tmp_path: Path, browser: Browser) -> None:
    """So the test above would detect it."""
    file = tmp_path / "page.html"
    file.write_text(
        f'<!doctype html><script>{text if text.startswith("</script") else ""}</script><p title="{text}">{text}</p>'
    )
    with watched(browser, lambda url: url == file.as_uri(), offline=True) as (page, seen):
        page.goto(file.as_uri())
        provoke(page)
        assert page.evaluate("window.__hit") is not None or seen.dialogs
