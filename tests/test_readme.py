"""The README shows what its commands print, and names only commands and settings that exist."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer import Context
from typer.main import get_group

from auditkit.cli.app import app
from auditkit.corrections.remedies import REMEDIES
from auditkit.settings import Settings

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
MAKEFILE = (Path(__file__).parents[1] / "Makefile").read_text("utf-8")


@pytest.mark.slow
def test_the_statement_is_current(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("auditkit")), "demo"]
    environment = {**os.environ, "AUDITKIT_HOME": str(tmp_path / "home"), "AUDITKIT_QUIET": "1"}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    printed = {line.rstrip() for line in run.stdout.splitlines()}
    shown = re.search(r"<!-- printed by auditkit demo -->\n```\n(.*?)\n```", README, re.S)
    assert shown and len(shown[1].splitlines()) == 24
    assert [line for line in shown[1].splitlines() if line not in printed] == []


def test_every_command_exists() -> None:
    commands = set(get_group(app).list_commands(Context(get_group(app))))
    named = set(re.findall(r"(?:^|`|&& )auditkit ([a-z]+)", README, re.M))
    assert len(named) >= 8 and named <= commands
    targets = set(re.findall(r"^([a-z]+):", MAKEFILE, re.M))
    assert set(re.findall(r"\bmake ([a-z]+)", README)) <= targets


def test_the_condition_of_each_remedy_is_documented() -> None:
    text = (Path(__file__).parents[1] / "docs" / "corrections.md").read_text("utf-8")
    assert all(remedy.condition in text and rule in text for rule, remedy in REMEDIES.items())


def test_every_setting_is_listed() -> None:
    rows = re.findall(r"^\| (`[A-Z_` ]+`) \|", README, re.M)
    named = {name for row in rows for name in re.findall(r"[A-Z_]+", row)}
    assert named - {"QUIET"} <= {name.upper() for name in Settings.model_fields}
    assert {name.upper() for name in Settings.model_fields} - named == {
        "DRAFT_STATUS_NAMES",
        "VOID_STATUS_NAMES",
        "RULES",
    }
    assert "draft_status_names" in README and "void_status_names" in README and "[rules." in README
