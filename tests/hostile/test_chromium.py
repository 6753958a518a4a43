"""The same text in a real browser, provoked by a mouse: tables and charts without any policy, and the report."""

import json
from pathlib import Path

from playwright.sync_api import Browser, Page
from plotly.offline import get_plotlyjs

import auditkit as ak
from auditkit.papers.html import html_table
from tests.browser.papers import provoke
from tests.browser.watching import Seen, refused, watched
from tests.hostile.conftest import Account, charts

DRAW = """async (figures) => {
    for (const { data, layout } of figures)
        await Plotly.newPlot(document.body.appendChild(document.createElement("div")), data, layout);
}"""


def assert_idle(page: Page, seen: Seen) -> None:
    provoke(page)
    assert page.evaluate("window.__hit") is None
    assert seen == Seen()


def test_tables(account: Account, browser: Browser, tmp_path: Path) -> None:
    """As JupyterLab shows them: in its own page, where nothing else blocks a script."""
    parts = [
        html_table(frame.iloc[start : start + 50])
        for frame in account.frames.values()
        for start in range(0, max(len(frame), 1), 50)
    ]
    file = tmp_path / "tables.html"
    shown = "".join(parts).replace("<details>", "<details open>")
    file.write_text(f"<!doctype html><meta charset=utf-8>{shown}", "utf-8")
    with watched(browser, lambda url: url == file.as_uri(), offline=True) as (page, seen):
        page.goto(file.as_uri())
        assert page.locator("table").count() == len(parts)
        assert_idle(page, seen)


def test_charts(audit: ak.Audit, browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "charts.html"
    file.write_text("<!doctype html><meta charset=utf-8><body>", "utf-8")
    figures = [json.loads(figure.to_json()) for figure in charts(audit)]
    with watched(browser, lambda url: url == file.as_uri(), offline=True) as (page, seen):
        page.goto(file.as_uri())
        page.add_script_tag(content=get_plotlyjs())
        page.evaluate(DRAW, figures)
        assert page.locator(".js-plotly-plot").count() == len(figures)
        assert_idle(page, seen)


def test_the_report(audit: ak.Audit, browser: Browser) -> None:
    report = audit.report("02_unbilled_unexported")
    with watched(browser, lambda url: url == report.as_uri(), offline=True) as (page, seen):
        page.goto(report.as_uri())
        page.wait_for_selector("html[data-drawn]", state="attached")
        assert_idle(page, seen)
        assert refused(page) == []
