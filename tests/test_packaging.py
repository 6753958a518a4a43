"""What a new machine installs: one set of names and bounds, pinned by name and version alone."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def named(requirement: str) -> str:
    return re.split(r"[<>=!~; \[]", requirement)[0].lower()


def test_constraints_are_names_and_versions_only() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9.-]+==[0-9][A-Za-z0-9.+]*( ; [^:@]+)?", line)] == []
    pinned = {named(line) for line in lines}
    wanted = [*PROJECT["dependencies"], *(r for extra in PROJECT["optional-dependencies"].values() for r in extra)]
    assert {named(requirement) for requirement in wanted} <= pinned


def test_conda_environment_is_what_pyproject_says() -> None:
    command = [
        str(Path(sys.executable).with_name("pyproject2conda")),
        "yaml",
        "--extra",
        "notebooks",
        "--extra",
        "test",
        "--extra",
        "docs",
    ]
    command += ["--python-include", "infer", "--name", "auditkit", "--channel", "conda-forge", "--no-header"]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert made.strip() == (ROOT / "environment.yml").read_text("utf-8").strip()


def test_what_the_user_asked_for_is_there() -> None:
    everything = {named(r) for r in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["notebooks"]}
    assert {"jupyterlab", "pandas", "requests-cache", "duckdb", "plotly"} <= everything
    assert "nbval" in {named(r) for r in PROJECT["optional-dependencies"]["test"]}
    assert all((ROOT / name).exists() for name in ("notebooks", "auditkit", "data", "tests", "environment.yml"))
