"""What a new machine installs: one set of names and bounds, pins of names and versions, a wheel that works alone."""

import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import nbformat
import pytest

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


def test_conda_environment_equals_pyproject() -> None:
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


def test_required_libraries_and_folders() -> None:
    everything = {named(r) for r in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["notebooks"]}
    assert {"jupyterlab", "pandas", "requests-cache", "duckdb", "plotly"} <= everything
    assert "nbval" in {named(r) for r in PROJECT["optional-dependencies"]["test"]}
    assert all((ROOT / name).exists() for name in ("notebooks", "auditkit", "data", "tests", "environment.yml"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    (path,) = folder.glob("*.whl")
    return path


def run(*words: object, cwd: Path, **settings: str) -> str:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL"))}
    ran = subprocess.run(
        list(map(str, words)), cwd=cwd, env={**own, **settings}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.slow
def test_the_wheel_holds_every_notebook_and_no_test(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    packaged = {Path(name).name for name in names if name.startswith("auditkit/notebooks/")}
    assert packaged == {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert {name.split("/")[0] for name in names} == {"auditkit", "auditkit-0.1.0.dist-info"}
    shipped = {path.suffix for path in (ROOT / "auditkit").rglob("*") if path.is_file()} - {".pyc"}
    assert shipped <= {Path(name).suffix for name in names}


@pytest.mark.slow
def test_the_wheel_works_in_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    """Installed on top of the libraries of this environment, which the editable checkout is not part of."""
    home = tmp_path / "somewhere else"  # with a space, as people have them
    home.mkdir()
    environment, libraries = tmp_path / "environment", sysconfig.get_path("purelib")
    run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=tmp_path)
    (site,) = environment.glob("lib/python*/site-packages")
    (site / "libraries.pth").write_text(f"{libraries}\n")
    (environment / "share").symlink_to(Path(sys.prefix) / "share")  # where nbconvert keeps its templates
    install = ["install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check", wheel]
    run(sys.executable, "-m", "pip", "--python", environment / "bin" / "python", *install, cwd=tmp_path)
    python, auditkit = environment / "bin" / "python", environment / "bin" / "auditkit"
    where = run(python, "-c", "import auditkit; print(auditkit.__file__)", cwd=home)
    assert Path(where.strip()).is_relative_to(environment), "not the checkout"
    quiet = {"AUDITKIT_QUIET": "1", "HOME": str(home)}
    reports = home / "data" / "demo" / "reports"
    assert run(auditkit, "demo", cwd=home, **quiet).endswith(f"Report: {reports / '01_month_end.html'}\n")
    run(auditkit, "report", "--notebook", "06_explore", cwd=home, **quiet)
    assert {path.name for path in reports.iterdir()} == {"01_month_end.html", "06_explore.html"}
    run(auditkit, "notebooks", "mine", cwd=home, **quiet)
    assert len(list((home / "mine").glob("*.ipynb"))) == 6


@pytest.mark.slow
def test_make_notebooks_in_a_folder_with_a_space(tmp_path: Path) -> None:
    """On one small notebook: each is run twice, in a home of its own, and its outputs are stored."""
    checkout = tmp_path / "a check out"
    (checkout / "notebooks").mkdir(parents=True)
    (checkout / "Makefile").write_text((ROOT / "Makefile").read_text("utf-8"))
    (checkout / ".venv").symlink_to(ROOT / ".venv")
    code = "import auditkit as ak\nprint(ak.Settings.load().folder.relative_to(ak.Settings.load().folder.parents[3]))"
    cell = nbformat.v4.new_code_cell(code, id="cell")
    path = checkout / "notebooks" / "00 one.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    made = "--assume-old=.venv/developers"
    ran = subprocess.run(["make", made, "notebooks"], cwd=checkout, capture_output=True, text=True, check=False)
    assert ran.returncode == 2 and "first/home" in ran.stdout, "each round has a home of its own"
    cell.source = "import auditkit as ak\nprint('ran', ak.Settings.load().folder.name)"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    ran = subprocess.run(["make", made, "notebooks"], cwd=checkout, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "ran home" in path.read_text()
