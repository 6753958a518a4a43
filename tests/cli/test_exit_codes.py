"""Exit codes from outside: 1 says that exceptions were found, and nothing else ever does."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from auditkit.sandbox.dataset import build
from tests.cli.test_init import Terminal
from tests.commands import PROGRAM, Account, account_of, bytes_of, interruptible

FAILING = ("findings", "--fail-on", "low")  # ends in 1 where it can look
UNKNOWN_USER = ["unshare", "--user", "--map-user=54321", "--map-group=54321"]
CRASHED = re.compile(r"auditkit: unexpected error, (.+); please report it with the traceback in (.+)\n")


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    world = build(seed=6, nrbs=40, faults={"nrb-unexported": 2})
    with account_of(world, tmp_path_factory.mktemp("account")) as synced:
        yield synced


@pytest.fixture
def home(account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return account.home(monkeypatch, tmp_path)


def run(*command: object, **settings: str) -> subprocess.CompletedProcess[str]:
    words, environment = list(map(str, command)), {**os.environ, **settings}
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)


def shell(line: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """A line of shell, in which $A is the program."""
    return run("sh", "-c", line, A=str(PROGRAM), **settings)


@pytest.mark.parametrize("closing", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_standard_streams(closing: str, home: Path) -> None:
    ran = shell(f'"$A" {" ".join(FAILING)} {closing}')
    assert (ran.returncode, ran.stderr) == (1, "")
    assert shell(f'"$A" explain x {closing}').returncode == 2


def test_no_file_takes_the_place_of_a_closed_stream(home: Path) -> None:
    """What a library prints would be written into it."""
    before = bytes_of(home)
    assert shell('"$A" audit <&- >&- 2>&-').returncode == 0
    assert bytes_of(home).keys() == before.keys() and run(PROGRAM, "findings").returncode == 0


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_is_not_utf8(encoding: str, home: Path) -> None:
    """A table replaces what the terminal cannot show; CSV is UTF-8 all the same, so that no letter is lost."""
    words = [PROGRAM, *FAILING]
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    ran = subprocess.run(words, env=environment, capture_output=True, encoding=encoding, errors="replace", check=False)
    assert (ran.returncode, ran.stderr) == (1, "") and "nrb-unexported" in ran.stdout
    words = [PROGRAM, "report", "--notebook", "Łódź"]
    ran = subprocess.run(words, env=environment, capture_output=True, encoding=encoding, errors="replace", check=False)
    assert ran.returncode == 2 and "no such notebook" in ran.stderr
    words = [PROGRAM, "sql", "--csv", "select 'Łódź – €' as a"]
    csv = subprocess.run(words, env=environment, capture_output=True, check=True)
    assert csv.stdout.decode("utf-8") == "a\nŁódź – €\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("command", [" ".join(FAILING), "findings --json", "sql --csv 'select 1'", "--help"])
def test_output_that_cannot_be_written(command: str, home: Path) -> None:
    ran = shell(f'"$A" {command} > /dev/full')
    assert (ran.returncode, ran.stderr.count("\n")) == (2, 1), ran.stderr
    assert "No space left on device" in ran.stderr


@pytest.mark.parametrize("command", [" ".join(FAILING), "sql 'select * from range(100000)'", "--help"])
def test_a_reader_that_leaves(command: str, home: Path) -> None:
    """As in `auditkit findings | head -0`: no message, and not the code of findings."""
    reading, writing = os.pipe()
    os.close(reading)
    with subprocess.Popen(
        ["sh", "-c", f'"$A" {command}'],
        env={**os.environ, "A": str(PROGRAM)},
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        os.close(writing)
        assert program.stderr and program.stderr.read() == ""
    assert program.returncode == 2


def broken_module(folder: Path, name: str, code: str) -> str:
    """A folder for PYTHONPATH whose module is found before the installed one."""
    (folder / "broken").mkdir()
    (folder / "broken" / f"{name}.py").write_text(code)
    return str(folder / "broken")


@pytest.mark.parametrize("name", ["plotly", "typer", "duckdb"])
def test_a_broken_installation(name: str, home: Path, tmp_path: Path) -> None:
    path = broken_module(tmp_path, name, "raise RuntimeError('half\\ninstalled \\x1b[31m')")
    ran = run(PROGRAM, "report" if name == "plotly" else "findings", PYTHONPATH=path)
    found = CRASHED.fullmatch(ran.stderr)
    assert ran.returncode == 2 and found and found[1] == "RuntimeError: half installed �[31m", ran.stderr
    assert "Traceback" not in ran.stdout
    trace = Path(found[2])
    assert "Traceback" in trace.read_text() and "half\ninstalled" in trace.read_text()
    assert trace.stat().st_mode & 0o777 == 0o600


def test_a_traceback_that_cannot_be_written(home: Path, tmp_path: Path) -> None:
    path = broken_module(tmp_path, "typer", "import os, sys\nos.environ['TMPDIR'] = ''\nsys.exit('no typer')")
    assert run(PROGRAM, "findings", PYTHONPATH=path).returncode == 2, "an exit that is no number is none of ours"


def test_ctrl_c_while_it_starts(home: Path, tmp_path: Path) -> None:
    path = broken_module(tmp_path, "typer", "import os, signal\nos.kill(os.getpid(), signal.SIGINT)")
    with interruptible():
        ran = run(PROGRAM, "findings", PYTHONPATH=path)
    assert (ran.returncode, ran.stderr) == (2, "auditkit: stopped\n")


def test_ctrl_d_at_a_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """typer ends in 1 there."""
    monkeypatch.chdir(tmp_path)
    with Terminal() as terminal:
        terminal.at("]: ")
        terminal.type("\x04")
        assert terminal.ended() == 2


@pytest.mark.skipif(not shutil.which("unshare"), reason="a user cannot be made up here")
def test_a_user_without_a_passwd_entry(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if run(*UNKNOWN_USER, "true").returncode:
        pytest.skip("this user cannot make up another one here")
    bare = ["env", "-u", "HOME", "-u", "USER", "-u", "LOGNAME", *UNKNOWN_USER, PROGRAM]
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
    ran = run(*bare, *FAILING)
    assert (ran.returncode, ran.stderr) == (1, "")
    for command in ("doctor", "audit", "report"):
        ran = run(*bare, command)
        assert ran.returncode == 0 and "raceback" not in ran.stderr, ran.stderr
    ran = run(*bare, "findings", AUDITKIT_HOME="~/audit")
    assert ran.returncode == 2 and ran.stderr.count("\n") == 1, ran.stderr
    assert ran.stderr.startswith("auditkit: AUDITKIT_HOME ~/audit: this user has no home"), ran.stderr


@pytest.mark.parametrize("code", ["os._exit(1)", "os.kill(os.getpid(), 9)", "os.close(1); os.kill(os.getpid(), 11)"])
def test_a_kernel_that_dies(code: str, home: Path, tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(f"import os\n{code}")])
    nbformat.write(notebook, tmp_path / "notebooks" / "dying.ipynb")
    (tmp_path / "pyproject.toml").touch()
    ran = run(PROGRAM, "report", "--notebook", "dying")
    assert ran.returncode == 2 and ran.stderr.count("\n") == 1, ran.stderr
    assert ran.stderr.startswith("auditkit: dying.ipynb: the kernel stopped")


def test_no_kernel_at_all(home: Path, tmp_path: Path) -> None:
    path = broken_module(tmp_path, "ipykernel_launcher", "raise SystemExit(1)")
    ran = run(PROGRAM, "report", PYTHONPATH=path)
    assert ran.returncode == 2 and ran.stderr.startswith("auditkit: 01_month_end.ipynb: the kernel stopped"), ran.stderr
