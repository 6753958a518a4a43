"""The stored outputs of the notebooks are current, to the cent: nbval compares every one of them."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import PROGRAM

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def nbval(notebook: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Run one notebook against its stored outputs, in strict mode, in its own home."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-c", os.devnull]
    command += [f"--rootdir={ROOT}", "--nbval", "--nbval-current-env", "--nbval-cell-timeout=120"]
    command += [f"--nbval-sanitize-with={Path(__file__).with_name('sanitize.cfg')}", str(notebook)]
    environment = {**os.environ, "AUDITKIT_HOME": str(home), "AUDITKIT_QUIET": "1"}
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's home after one sync, which a notebook does itself if nothing was read yet."""
    home = tmp_path_factory.mktemp("prepared") / "home"
    environment = {**os.environ, "AUDITKIT_HOME": str(home), "AUDITKIT_QUIET": "1"}
    subprocess.run([PROGRAM, "sync"], env=environment, capture_output=True, check=True)
    return home


@pytest.fixture
def home(prepared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(prepared, tmp_path / "home"))


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_outputs_are_current(notebook: Path, home: Path) -> None:
    run = nbval(notebook, home)
    assert run.returncode == 0, run.stdout[-4000:]


@pytest.mark.slow
def test_one_cent_fails(prepared: Path, tmp_path: Path) -> None:
    """In a home where nothing was read yet, so that the notebook reads the vendors itself."""
    state = tmp_path / "home" / "sandbox.sqlite"
    state.parent.mkdir()
    shutil.copy(prepared / "sandbox.sqlite", state)
    with sqlite3.connect(state) as database:
        guid, body = database.execute("select guid, body from nrb where parent_guid is null limit 1").fetchone()
        total = re.search(r'"nrbTotalAfterMarkup":"(\d+)\.(\d\d)"', body)
        assert total
        cent = "01" if total[2] == "00" else f"{int(total[2]) - 1:02}"
        changed = body.replace(total[0], f'"nrbTotalAfterMarkup":"{total[1]}.{cent}"')
        database.execute("update nrb set body = ? where guid = ?", (changed, guid))
    database.close()
    run = nbval(ROOT / "notebooks" / "01_month_end.ipynb", tmp_path / "home")
    assert run.returncode == 1, run.stdout[-4000:]
    assert "Cell" in run.stdout and "mismatch" in run.stdout


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_hygiene(notebook: Path) -> None:
    """What nbval does not check: a cleared or partly run notebook passes its strict mode without any comparison."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    sources = ["".join(cell["source"]) for cell in code]
    outputs = json.dumps([cell["outputs"] for cell in code])
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1)), "remake them: make notebooks"
    assert notebook.stat().st_size < 200_000
    assert len(code) <= 16 and all(len(source.splitlines()) <= 10 for source in sources)
    assert not re.search(r"^\s*(def|class|lambda) ", "\n".join(sources), re.M), "a notebook calls, shows and asserts"
    assert sources[1].startswith("%load_ext auditkit\nimport auditkit as ak\n"), "all begin in the same way"
    assert "assert" in sources[-1]
    assert not re.search(r"ipykernel_\d+|/tmp/|/home/|/root/|password|bearer", outputs), "a machine path or a secret"
    assert "<script" not in outputs and "text/html+plotly" not in outputs
    assert sum("NBVAL_" in source for source in sources) <= len(code) * 0.1
    is_practice = json.loads(notebook.read_text("utf-8"))["metadata"].get("auditkit", {}).get("practice", False)
    assert is_practice == any("practice=True" in source for source in sources), "a report on an account refuses it"
    assert "parameters" in code[0]["metadata"]["tags"]
    figures = [output["data"] for cell in code for output in cell["outputs"] if "data" in output]
    charts = [data for data in figures if "application/vnd.plotly.v1+json" in data]
    assert all(data["application/vnd.plotly.v1+json"]["layout"]["title"]["text"] for data in charts)
    assert not any(output["output_type"] == "error" for cell in code for output in cell["outputs"])
    assert "DEMO DATA" in json.dumps(code[1]["outputs"]), "every page says so"
