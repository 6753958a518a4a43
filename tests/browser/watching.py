"""A page in Chromium, and what it should not do: ask another host, report errors, open dialogs, hit its own policy.

Not here: what a page should show.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Route, expect

SCREENSHOTS = Path(__file__).parents[2] / "build" / "browser"
_PATIENCE = 120_000  # milliseconds: a busy machine is not a failure
expect.set_options(timeout=_PATIENCE)

# Runs before any script of a page, and outside of its policy.
_REFUSALS = """
window.__refused = [];
document.addEventListener("securitypolicyviolation", (event) =>
    window.__refused.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""
# A mark represents data: a bar, a point, a line, the image of a heat map; not an axis or a grid.
_MARKS = """(charts) => charts.map((chart) =>
    [...chart.querySelectorAll("svg.main-svg .overplot .mlayer :is(path, image)")].filter((mark) => {
        const box = mark.getBoundingClientRect();
        return box.width > 0 || box.height > 0;
    }).length)"""


@dataclass
class Seen:
    """What a page did that it should not have done: each list stays empty."""

    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)


def environment(folder: Path, home: Path) -> dict[str, str]:
    """For a process of ours: no settings of the person who runs the tests, and files below `folder`."""
    inherited = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG") if name in os.environ}
    return {
        **inherited,
        "HOME": str(folder),
        "AUDITKIT_HOME": str(home),
        "AUDITKIT_QUIET": "1",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    }


@contextlib.contextmanager
def watched(browser: Browser, may_load: Callable[[str], bool], *, offline: bool = False) -> Iterator[tuple[Page, Seen]]:
    """A blank page. A request that is not allowed is refused and recorded."""
    seen = Seen()
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, offline=offline, service_workers="block")

    def decide(route: Route) -> None:
        if may_load(route.request.url):
            route.continue_()
        else:
            seen.requests.append(route.request.url)
            route.abort()

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error":
            seen.errors.append(f"{message.text} ({message.location.get('url')})")

    def answer(dialog: Dialog) -> None:
        seen.dialogs.append(dialog.message)
        dialog.dismiss()

    context.route("**/*", decide)
    context.add_init_script(_REFUSALS)
    context.set_default_timeout(_PATIENCE)
    page = context.new_page()
    page.on("console", hear)
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("dialog", answer)
    page.on("websocket", lambda socket: None if may_load(socket.url) else seen.requests.append(socket.url))
    try:
        yield page, seen
    finally:
        context.close()


def refused(page: Page) -> list[str]:
    """What the page's own policy blocked."""
    return list(page.evaluate("window.__refused"))


def marks(page: Page, charts: str) -> list[int]:
    """The number of marks in each chart that the selector finds."""
    return list(page.eval_on_selector_all(charts, _MARKS))


def screenshot(page: Page, name: str) -> None:
    """Save what the page shows, for a person to look at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
