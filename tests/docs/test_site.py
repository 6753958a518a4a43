"""The site builds without a warning, opens from the disk, and loads nothing from elsewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.reading import DOCS

PROGRAM = Path(sys.executable).with_name("sphinx-build")
pytestmark = pytest.mark.slow


def build(source: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """As `make site` does."""
    command = [PROGRAM, "-q", "-W", "--keep-going", "-d", folder / "doctrees", source, folder / "site"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_site(tmp_path: Path) -> None:
    built = build(DOCS, tmp_path)
    assert built.returncode == 0, built.stderr
    site = tmp_path / "site"
    assert {page.with_suffix(".html").name for page in DOCS.glob("*.md")} <= {page.name for page in site.iterdir()}
    for page in site.rglob("*.html"):
        fetched = re.findall(r'<(?:script|link|img|iframe)\b[^>]*?(?:src|href)="([^"]+)"', page.read_text("utf-8"))
        assert [url for url in fetched if re.match(r"(?:\w+:)?//", url)] == [], page.name
    for style in site.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//", style.read_text("utf-8")), style.name
    assert "unexported" in (site / "searchindex.js").read_text("utf-8"), "a script, so that search works from the disk"


def test_a_link_that_leads_nowhere_fails_the_build(tmp_path: Path) -> None:
    source = tmp_path / "docs"
    source.mkdir()
    settings = 'extensions = ["myst_parser"]\nmyst_heading_anchors = 3\n'
    assert settings in (DOCS / "conf.py").read_text("utf-8")
    (source / "conf.py").write_text(settings, "utf-8")
    (source / "index.md").write_text("# A page\n\n[page](nowhere.md) [heading](#no-such-heading)\n", "utf-8")
    built = build(source, tmp_path)
    assert built.returncode == 1 and "nowhere.md" in built.stderr and "no-such-heading" in built.stderr
