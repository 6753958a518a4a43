"""Whatever auditkit writes below a home is its owner's alone, whichever command wrote it."""

import json
import os
import stat

import pytest

import auditkit as ak
from auditkit.sandbox.dataset import build
from tests.commands import auditkit
from tests.people import acting_as, carried_out, listed
from tests.served import point, serving


def opened_to_others(*folders):
    """Path → mode of every file that is not 0600, and of every folder that is not 0700."""
    paths = [path for folder in folders for path in (folder, *folder.rglob("*"))]
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in paths}
    return {str(path): oct(mode) for path, mode in modes.items() if mode != (0o700 if path.is_dir() else 0o600)}


@pytest.fixture
def usual_umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("usual_umask")
def test_every_file_and_folder_of_an_account(tmp_path, monkeypatch):
    home = tmp_path / "home"
    (tmp_path / "notebooks").mkdir()
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}}
    page = {"cells": [], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    with serving(build(seed=1, nrbs=30, faults={"nrb-unexported": 2}), tmp_path) as address:
        point(monkeypatch, address, home)
        listed(home)
        acting_as(monkeypatch, "ann")
        with ak.open() as audit:
            audit.sync()
            audit.sync()
            audit.run()
            carried_out(monkeypatch, audit.corrections.propose("nrb-unexported"))
            (tmp_path / "notebooks" / "page.ipynb").write_text(json.dumps(page))
            audit.report("page")
            audit.workpaper()
            assert opened_to_others(home) == {}
    names = {part.name for part in home.iterdir()}
    assert names >= {"audit.duckdb", "cache", "journal.jsonl", "plans", "reports", "snapshots", "writer.lock"}


@pytest.mark.usefixtures("usual_umask")
def test_settings_and_secrets_that_init_keeps(tmp_path, monkeypatch):
    """They stand beside the home, and a person without a keyring has both."""
    (tmp_path / "account").mkdir(mode=0o700)
    with serving(build(seed=1, nrbs=3, faults={}), tmp_path) as address:
        point(monkeypatch, address, tmp_path / "account" / "home", IDENTITY="ann")
        assert auditkit("init", "--yes").code == 0
    assert opened_to_others(tmp_path / "account") == {}
    assert {part.name for part in (tmp_path / "account").iterdir()} == {"auditkit.toml", "home", "secrets.toml"}


@pytest.mark.usefixtures("usual_umask")
def test_every_file_and_folder_of_the_demo(tmp_path, monkeypatch):
    home = tmp_path / "data" / "demo"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUDITKIT_HOME", str(home))
    monkeypatch.setenv("AUDITKIT_QUIET", "1")
    with ak.open() as audit, audit.sources():
        assert (home / "sandbox.sqlite").exists()
        assert opened_to_others(home.parent) == {}
    assert opened_to_others(home.parent) == {}
