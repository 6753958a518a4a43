"""Progress: a bar in a terminal, a line now and then elsewhere, nothing when quiet."""

import os
import pty
import subprocess
import sys
import termios

import pytest

from auditkit import progress as module
from auditkit.progress import notice, progress


def work(total: int | None = 3) -> None:
    with progress("Aimsio", total, "NRB") as advance:
        for _ in range(total or 3):
            advance(1)


def test_a_notice_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    notice("about 0:01:40")
    assert capsys.readouterr() == ("", "about 0:01:40\n")


@pytest.mark.parametrize("value", ["1", "yes"])
def test_nothing_when_quiet(value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("AUDITKIT_QUIET", value)
    monkeypatch.setattr(module, "_LINE_EVERY_SECONDS", 0)
    notice("about 0:01:40")
    work()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("total", "lines"),
    [
        (3, ["Aimsio: 1 of 3 NRB", "Aimsio: 2 of 3 NRB", "Aimsio: 3 of 3 NRB"]),
        (None, ["Aimsio: 1 NRB", "Aimsio: 2 NRB", "Aimsio: 3 NRB"]),
        (0, []),
    ],
)
def test_plain_lines_without_a_terminal(
    total: int | None, lines: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "_LINE_EVERY_SECONDS", 0)
    monkeypatch.setenv("AUDITKIT_QUIET", "0")
    work(total)
    captured = capsys.readouterr()
    assert (captured.out, captured.err.splitlines()) == ("", lines)


def test_a_short_task_prints_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    work()
    assert capsys.readouterr() == ("", "")


@pytest.mark.slow
def test_a_bar_in_a_terminal() -> None:
    script = "from tests.test_progress import work; work()"
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=theirs) as program:
        os.close(theirs)
        shown = b""
        try:
            while chunk := os.read(ours, 4096):
                shown += chunk
        except OSError:  # on Linux: the other side has closed the terminal
            pass
        assert program.stdout
        assert program.stdout.read() == b""
    os.close(ours)
    assert program.returncode == 0
    assert b"Aimsio: 100%" in shown and b"3/3" in shown and b"NRB/s" in shown


def test_an_error_inside_passes_through() -> None:
    with pytest.raises(ZeroDivisionError), progress("Aimsio", 3, "NRB"):
        raise ZeroDivisionError
