"""One Chromium for a file of tests, and one demo home for all of them."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.watching import environment
from tests.commands import PROGRAM


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Debian's Chromium. Playwright would download its own from a host that few networks allow."""
    found = shutil.which("chromium")
    if not found:
        pytest.skip("chromium is missing; install it with `apt-get install chromium`, or as root with `make browser`")
    return found


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Resolves no name: a fetch from elsewhere fails even if no test checks it."""
    is_root = os.geteuid() == 0  # Chromium's own sandbox refuses root
    alone = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, chromium_sandbox=not is_root, args=[alone])
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def demo(chromium: str, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A home with one sync of the demo; made once for all workers of pytest, and only copied."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "demo"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "home").exists():
            command = [PROGRAM, "sync"]
            subprocess.run(
                command, env=environment(folder, folder / "making"), cwd=folder, check=True, capture_output=True
            )
            (folder / "making").rename(folder / "home")
    return folder / "home"
