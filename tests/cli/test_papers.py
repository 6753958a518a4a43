"""`report` for an account that is set up anywhere on the disk, and `notebooks`."""

import html
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from auditkit.sandbox import server
from auditkit.sandbox.dataset import build
from tests.commands import PROGRAM, Account, account_of, assert_refused, auditkit

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    world = build(seed=9, nrbs=60, faults={"nrb-unbilled": 2})
    with account_of(world, tmp_path_factory.mktemp("account")) as synced:
        yield synced


def settle(folder: Path, address: server.Address, **others: str) -> None:
    """An account as `auditkit init` leaves it where there is no keyring: two files, and nothing in the environment."""
    plain = {
        "aimsio_url": address.aimsio_url,
        "aimsio_username": address.credentials.username,
        "jobnimbus_url": address.jobnimbus_url,
        "timezone": "America/Edmonton",
        "as_of": "2026-09-30",
        **others,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in plain.items()]
    (folder / "auditkit.toml").write_text("\n".join([*lines, "[rules.invoice-overdue]", "days = 12345", ""]))
    secrets = [
        (address.aimsio_url, address.credentials.username, address.credentials.password),
        (address.jobnimbus_url, "token", address.credentials.token),
    ]
    (folder / "secrets.toml").touch(0o600)
    (folder / "secrets.toml").write_text("".join(f'["{url}"]\n"{user}" = "{word}"\n' for url, user, word in secrets))


@pytest.fixture
def folder(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder far from the checkout, whose account was read once."""
    settle(tmp_path, account.address)
    monkeypatch.chdir(tmp_path)
    shutil.copytree(account.synced, tmp_path / "data")
    assert auditkit("audit").code == 0
    return tmp_path


def run(*words: object, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "AUDITKIT_QUIET": "1", **settings}
    return subprocess.run(list(map(str, words)), env=environment, capture_output=True, text=True, check=False)


def kernel_of_another_python(folder: Path) -> str:
    """A kernel `python3` that Jupyter finds before all others, and that cannot run."""
    spec = folder / "jupyter" / "kernels" / "python3"
    spec.mkdir(parents=True)
    command = ["/bin/false", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": command, "display_name": "other", "language": "python"}))
    return str(folder / "jupyter")


def test_an_account_outside_of_any_project(folder: Path) -> None:
    """The kernel has this account, its settings and this interpreter, whatever Jupyter knows on this machine."""
    ran = run(PROGRAM, "report", JUPYTER_PATH=kernel_of_another_python(folder))
    path = folder / "data" / "reports" / "01_month_end.html"
    # DuckDB's binding may list what it did not free when Python ends; nothing of ours is said.
    said = re.sub(r"(?m)^(?:nanobind: | - |See http).*\n?", "", ran.stderr)
    assert (ran.returncode, said, ran.stdout) == (0, "", f"\nReport: {path}\n")
    page = path.read_text("utf-8")
    assert re.search(r"account-[0-9a-f]{12} at http://127\.0\.0\.1:", page) and "DEMO DATA" not in page


def test_the_settings_are_those_of_the_command(folder: Path) -> None:
    """Also those that no file holds: here the day, from an option, and thresholds, from auditkit.toml."""
    (folder / "notebooks").mkdir()
    code = "import sys, auditkit as ak\nwith ak.open() as audit:\n    audit.prepare()\n    settings = audit.settings\n"
    code += "print(f'{settings.as_of} {settings.rules} {settings.zone.key} {audit.about[\"as_of\"]} {sys.executable}')"
    nbformat.write(
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)]), folder / "notebooks" / "mine.ipynb"
    )
    ran = run(PROGRAM, "report", "--notebook", "mine", "--as-of", "2026-10-15")
    assert (ran.returncode, ran.stderr) == (0, "")
    page = html.unescape((folder / "data" / "reports" / "mine.html").read_text("utf-8"))
    assert "2026-10-15 {'invoice-overdue': {'days': 12345}} America/Edmonton 2026-10-15" in page
    assert sys.executable in page


def test_no_secret_is_handed_to_the_kernel(folder: Path, account: Account) -> None:
    (folder / "notebooks").mkdir()
    code = "import os\nprint(sorted(name for name in os.environ if name.startswith('AUDITKIT_')))"
    nbformat.write(
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)]), folder / "notebooks" / "mine.ipynb"
    )
    assert run(PROGRAM, "report", "--notebook", "mine").returncode == 0
    page = (folder / "data" / "reports" / "mine.html").read_text("utf-8")
    assert "AUDITKIT_AIMSIO_URL" in page and "AUDITKIT_HOME" in page
    assert not re.search("PASSWORD|TOKEN|PASSPHRASE", page)


def test_a_start_up_file_of_a_person_changes_no_report(folder: Path) -> None:
    start = folder / "ipython" / "profile_default" / "startup"
    start.mkdir(parents=True)
    (start / "00.py").write_text("raise SystemExit('from a start-up file')")
    assert run(PROGRAM, "report", IPYTHONDIR=str(folder / "ipython")).returncode == 0


# ── notebooks ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_six_are_copied_and_yours_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran = auditkit("notebooks")
    copies = sorted((tmp_path / "notebooks").iterdir())
    assert ran.code == 0 and [path.read_bytes() for path in copies] == [path.read_bytes() for path in SHIPPED]
    assert len(copies) == 6 and all(f"Written: notebooks/{path.name}\n" in ran.out for path in copies)
    copies[0].write_text("mine")
    copies[1].unlink()
    again = auditkit("notebooks", "notebooks")
    assert copies[0].read_text() == "mine" and copies[1].read_bytes() == SHIPPED[1].read_bytes()
    assert again.out.count("Kept   : ") == 5 and f"Written: notebooks/{copies[1].name}\n" in again.out
    assert auditkit("notebooks", "deep/er").code == 0 and len(list((tmp_path / "deep" / "er").iterdir())) == 6


def test_a_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    assert_refused(auditkit("notebooks", "file/below"), "file")
    assert_refused(auditkit("notebooks", "file"), "file")
