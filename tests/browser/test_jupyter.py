"""The notebooks as a person uses them: JupyterLab in Chromium opens each, runs all cells and shows their outputs."""

import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.papers import HOSTILE, NOTEBOOKS, PAPERS, NotebookFile, provoke, write_hostile
from tests.browser.watching import Seen, environment, marks, screenshot, watched

ROOT = NOTEBOOKS.parent
CHARTS = ".jp-NotebookPanel .js-plotly-plot"
TABLES = ":is(.jp-RenderedHTML, .auditkit-review) table:visible"
MENUS = 200  # pixels that JupyterLab takes around a notebook
HEIGHT = "panel.content.outerNode.scrollHeight"
TO_TOP = """async () => {
    panel.content.outerNode.scrollTop = 0;
    for (const _ of [1, 2]) await new Promise(requestAnimationFrame);
}"""
CORRECTIONS = next(paper for paper in PAPERS if paper.path.stem == "05_corrections")
# Windowing would render only the cells on the screen.
LAB_SETTINGS = {"@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"}}
OPEN = """async (path) => {
    window.panel = await jupyterapp.commands.execute("docmanager:open", { path });
    await panel.context.ready;
    await panel.sessionContext.ready;
}"""
RUN = """([cells, from]) => {
    panel.content.activeCellIndex = from;
    window.hasEnded = false;
    jupyterapp.commands.execute(`notebook:run-${cells}`).finally(() => { window.hasEnded = true; });
}"""
CELLS = "() => panel.content.widgets.map((cell) => cell.model.toJSON())"
CLOSE = """async () => {
    await panel.sessionContext.shutdown();
    panel.dispose();
}"""


@dataclass(frozen=True)
class Lab:
    """Its folder, its page, and what the page did."""

    folder: Path
    page: Page
    seen: Seen


@contextlib.contextmanager
def jupyterlab(folder: Path, *command: str | Path, checkout: Path = ROOT, **more: str) -> Iterator[str]:
    """The address, with its token, that a command serves; its kernels use `folder/home`."""
    overrides = folder / "config" / "labconfig" / "default_setting_overrides.json"
    overrides.parent.mkdir(parents=True)
    overrides.write_text(json.dumps(LAB_SETTINGS))
    token = secrets.token_hex()
    places = {"CONFIG_DIR": "config", "RUNTIME_DIR": "runtime", "DATA_DIR": "data"}
    variables = {
        **environment(folder, folder / "home"),
        **{f"JUPYTER_{name}": str(folder / place) for name, place in places.items()},
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_TOKEN": token,
        **more,
    }
    del variables["AUDITKIT_QUIET"]  # interactive
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            command, env=variables, cwd=checkout, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield f"{_address(folder, server)}?token={token}"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=60)


def _address(folder: Path, server: subprocess.Popen[bytes]) -> str:
    """The address the server writes when it listens: it takes another port if 8888 is in use."""
    ends = time.monotonic() + 120
    while not (written := list((folder / "runtime").glob("jpserver-*.json"))):
        assert server.poll() is None and time.monotonic() < ends, (folder / "log").read_text()
        time.sleep(0.1)
    return str(json.loads(written[0].read_text())["url"]).replace("//localhost:", "//127.0.0.1:")


@pytest.fixture(scope="module")
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab on a copy of the notebooks, opened once for all of them."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(NOTEBOOKS, folder / "notebooks")
    write_hostile(folder / "notebooks" / "hostile.ipynb")
    command = [Path(sys.executable).with_name("jupyter"), "lab", "--no-browser", "--LabApp.extension_manager=readonly"]
    command += ["--LabApp.expose_app_in_browser=True", f"--ServerApp.root_dir={folder / 'notebooks'}"]
    command += ["--allow-root"] * (os.geteuid() == 0)
    settings = str(ROOT / "notebooks" / ".jupyter")
    with (
        jupyterlab(folder, *command, JUPYTER_CONFIG_PATH=settings) as address,
        watched(browser, _is_loopback) as (page, seen),
    ):
        page.goto(address)
        page.wait_for_function("window.jupyterapp?.commands.hasCommand('notebook:run-all-cells')")
        yield Lab(folder, page, seen)


@pytest.fixture(scope="module")
def home(lab: Lab, demo: Path) -> None:
    """The home that the kernels find when they start."""
    shutil.copytree(demo, lab.folder / "home")


def _is_loopback(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:"))


@contextlib.contextmanager
def opened(page: Page, notebook: str) -> Iterator[None]:
    """A notebook on the screen; its kernel is shut down afterwards."""
    page.evaluate(OPEN, notebook)
    try:
        yield
    finally:
        page.evaluate(CLOSE)


def run(page: Page, cells: str = "all-cells", start: int = 0) -> list[dict[str, Any]]:
    """Run all cells, or `all-above` or `all-below` the one at `start`; the notebook's code cells."""
    page.evaluate(RUN, [cells, start])
    page.wait_for_function("window.hasEnded", timeout=300_000)
    return [cell for cell in page.evaluate(CELLS) if cell["cell_type"] == "code"]


def keep(page: Page, name: str) -> None:
    """A picture of the whole notebook, which scrolls within JupyterLab."""
    screen = page.viewport_size
    page.set_viewport_size({"width": 1280, "height": page.evaluate(HEIGHT) + MENUS})
    page.evaluate(TO_TOP)
    screenshot(page, f"lab-{name}")
    page.set_viewport_size(screen)


def assert_every_output_is_shown(page: Page, paper: NotebookFile, cells: list[dict[str, Any]]) -> None:
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert [output["evalue"] for output in outputs if output["output_type"] == "error"] == []
    red = [text for output in outputs if output.get("name") == "stderr" and (text := output["text"].strip())]
    assert red == [], "JupyterLab paints it so"
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    page.wait_for_function(f"document.querySelectorAll('{CHARTS}').length === {paper.charts}")
    drawn = marks(page, CHARTS)
    keep(page, paper.path.stem)
    assert len(drawn) == paper.charts and all(drawn)
    assert page.locator(TABLES).count() == paper.tables
    assert page.locator(".jp-OutputArea-output:visible").last.inner_text().strip() == paper.last_line


READ_ONLY = [paper for paper in PAPERS if paper is not CORRECTIONS]


@pytest.mark.parametrize("paper", READ_ONLY, ids=lambda paper: paper.path.stem)
def test_a_notebook_runs_and_shows_every_output(paper: NotebookFile, lab: Lab, home: None) -> None:
    with opened(lab.page, paper.path.name):
        assert_every_output_is_shown(lab.page, paper, run(lab.page))
    assert lab.seen == Seen()


def test_checked_rows_are_corrected(lab: Lab, home: None) -> None:
    """By the labels of the check boxes, as a screen reader reads them; the journal shows the result."""
    page, paper = lab.page, CORRECTIONS
    below = 1 + next(place for place, cell in enumerate(paper.cells) if cell["source"][-1] == "review")
    with opened(page, paper.path.name):
        run(page, "all-above", below)
        boxes = page.get_by_role("checkbox", name="nrb-unbilled · ")
        everything, summary = page.get_by_label("all exceptions"), page.get_by_role("status").filter(has_text="checked")
        expect(summary).to_have_text(re.compile("^1 of 13 exceptions checked, 1,383.01 at risk · snapshot "))
        page.get_by_label("nrb-unbilled · JOB26-0134 · ").check()
        expect(summary).to_have_text(re.compile("^2 of 13 "))
        everything.check()
        expect(summary).to_have_text(re.compile("^13 of 13 "))
        everything.uncheck()
        expect(summary).to_have_text(re.compile("^0 of 13 exceptions checked, 0.00 at risk"))
        assert boxes.count() == 13 and boxes.and_(page.locator(":checked")).count() == 0
        page.get_by_label("nrb-unbilled · JOB26-0134 · ").check()
        page.get_by_label("nrb-unbilled · JOB26-0130 · ").check()
        expect(summary).to_have_text(re.compile("^2 of 13 "))
        reason = page.locator(".auditkit-review tr").filter(has_text="JOB26-0135").locator("td").last
        reason.click()
        expect(summary).to_have_text(re.compile("^3 of 13 "))
        reason.click()
        expect(summary).to_have_text(re.compile("^2 of 13 "))
        reason.select_text()
        reason.click(modifiers=["Shift"])  # extends the selection, so it is not a click on a box
        page.wait_for_timeout(500)
        expect(summary).to_have_text(re.compile("^2 of 13 "))
        screenshot(page, "lab-review")
        page.locator(".auditkit-review summary").click()
        expect(page.locator(".auditkit-review pre")).to_contain_text("rule_id = $rule")
        cells = run(page, "all-below", below)
        assert_every_output_is_shown(page, paper, cells)
        (steps,) = (cell["outputs"][-1]["data"]["text/html"] for cell in cells if "journal" in cell["source"])
        assert [steps.count(step) for step in ("INTENT", "SENDING", "VERIFIED")] == [2, 2, 2]
    assert lab.seen == Seen()


def test_make_lab_opens_the_month_end(browser: Browser, tmp_path: Path) -> None:
    """In a folder with a space, and without the server asking other hosts for news and updates, as JupyterLab does."""
    checkout = tmp_path / "a check out"
    shutil.copytree(NOTEBOOKS, checkout / "notebooks")
    shutil.copy(ROOT / "Makefile", checkout)
    (checkout / ".venv").symlink_to(ROOT / ".venv")
    command = ["make", "--assume-old=.venv/users", "lab"]
    with (
        jupyterlab(tmp_path, *command, checkout=checkout, BROWSER="true") as address,
        watched(browser, _is_loopback) as (page, seen),
    ):
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        expect(page.locator(".jp-NotebookPanel .jp-RenderedMarkdown h1").first).to_have_text(re.compile("^Month end"))
        assert page.url.endswith("/lab/tree/01_month_end.ipynb")
        page.wait_for_load_state("networkidle")
        assert page.locator(".jp-Dialog, .Toastify__toast").count() == 0
    assert seen == Seen() and asked
    assert [url for url in asked if "/lab/api/news" in url or "/lab/api/update" in url] == []


def test_hostile_text_is_inert(lab: Lab, home: None) -> None:
    """Code in JupyterLab is trusted, and no policy of ours protects the tables."""
    with opened(lab.page, "hostile.ipynb"):
        run(lab.page)
        lab.page.wait_for_selector(f"{CHARTS} .bartext")
        provoke(lab.page, ".jp-OutputArea")
        keep(lab.page, "hostile")
        assert lab.page.evaluate("window.__hit") is None
        assert lab.page.inner_text(".jp-RenderedHTML td >> nth=0") == HOSTILE[0]
    assert lab.seen == Seen()
