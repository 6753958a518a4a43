"""The standalone verifier: what it reports for each damage (test_journal_damage.py tests that it finds all)."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from auditkit import journal_verify
from auditkit.journal import Journal
from auditkit.journal_verify import verify
from tests.commands import assert_refused, auditkit

RECORDS = 20
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    journal = Journal(tmp_path / "journal.jsonl")
    for number in range(RECORDS):
        journal.append("note", {"number": number, "text": "é ü 漢 \u202e", "money": "862.50", "none": None})
    return journal.path


def test_a_whole_journal(path: Path) -> None:
    found, head = verify(path), Journal(path).verify()
    assert (found.count, found.head, found.problems, found.notes) == (head.count, head.hash, (), ())
    assert verify(path.with_name("none.jsonl")).is_whole


@pytest.mark.parametrize(
    ("anchor", "found"),
    [
        (None, "is missing"),
        (b"", "is not an anchor"),
        (b'{"count":21,"head":"x"}', "its end was cut off"),
        (b'{"count":5,"head":"x"}', "is an older one"),
        (b'{"count":20,"head":"x"}', "names another record"),
        (b'{"count":"many","head":"x"}', "is not an anchor"),
        (b'{"count":-1,"head":"x"}', "is not an anchor"),
        (b'{"count":1e999,"head":"x"}', "is not an anchor"),
        (b"[" * 100_000, "is not an anchor"),
    ],
)
def test_a_wrong_anchor_is_reported(path: Path, anchor: bytes | None, found: str) -> None:
    beside = path.with_suffix(".anchor")
    beside.unlink()
    if anchor is not None:
        beside.write_bytes(anchor)
    (problem,) = verify(path).problems
    assert found in problem


def test_an_unfinished_record_is_noted_and_is_not_damage(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b'{"at":"2026')
    found = verify(path)
    assert found.is_whole and "unfinished record of 11 bytes" in found.notes[0]


@pytest.mark.parametrize(
    "line", [b"[]", b'{"seq":1}', b"\xff", b"[" * 100_000, b'{"at":0,"body":0,"h":0,"kind":0,"seq":NaN}']
)
def test_a_line_that_is_not_a_record_is_reported(path: Path, line: bytes) -> None:
    path.write_bytes(line + b"\n" + path.read_bytes())
    assert verify(path).problems[0].startswith("line 1: ")


def test_it_runs_alone(path: Path, tmp_path: Path) -> None:
    copied = tmp_path / "elsewhere" / "journal_verify.py"
    copied.parent.mkdir()
    text = Path(journal_verify.__file__).read_text("utf-8")
    copied.write_text(text, encoding="utf-8")
    assert len(text.splitlines()) <= 150
    command = [sys.executable, "-I", "-S", str(copied), str(path)]  # without any installed package
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, f"{RECORDS} records, head {Journal(path).head.hash}\n")


@pytest.mark.parametrize(
    ("cut", "code", "said"), [(0, 0, "20 records, head "), (1, 2, "its end was cut off\n19 records")]
)
def test_the_script(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, cut: int, code: int, said: str
) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[: RECORDS - cut]))
    monkeypatch.setattr(sys, "argv", ["journal_verify.py", str(path)])
    with pytest.raises(SystemExit) as ending:
        runpy.run_path(journal_verify.__file__, run_name="__main__")
    assert ending.value.code == code and said in capsys.readouterr().out


def test_the_command(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDITKIT_HOME", str(path.parent))
    ran = auditkit("journal", "verify")
    assert ran.code == 0 and f"{RECORDS} records, whole" in ran.out
    assert_refused(auditkit("journal", "verify", str(tmp_path / "none")), "no such file")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:3] + lines[4:]))
    ran = auditkit("journal", "verify", str(path))
    assert ran.code == 2 and "line 4" in ran.err and "restore it from a copy" in ran.err
    path.unlink()
    ran = auditkit("journal", "verify")
    assert ran.code == 2 and f"{path}: is missing, though its anchor is there" in ran.err and ": 1 problem;" in ran.err
    path.with_suffix(".anchor").unlink()
    ran = auditkit("journal", "verify")
    assert ran.code == 0 and ran.out.startswith(f"{path}: is missing, and so is its anchor: nothing was decided")
    assert "with its .anchor beside it, under the same name" in " ".join(
        auditkit("journal", "verify", "--help").out.split()
    )
