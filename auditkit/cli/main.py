"""The program `auditkit`: runs a command and turns every ending into an exit code.

    0  looked, and nothing that was asked to fail
    1  exceptions at or above `--fail-on`, or a rule that failed its self-test: only a `Finished` says so
    2  could not look: incomplete, unreachable, bad input, stopped, and everything unforeseen
    3  a write's outcome is unknown

An error is one line on standard error. Only the standard library is imported before a command runs, so that even an
installation that is broken ends in 2. Not here: the commands (`app.py` lists them).
"""

import os
import sys
import tempfile
import traceback
from io import TextIOWrapper
from pathlib import Path

from auditkit.cli.ending import Finished

__all__ = ["main"]

_COULD_NOT_LOOK = 2
_MOST_CHARACTERS = 200


def main() -> None:
    """Run the command of `sys.argv` and exit."""
    _open_streams()
    code = _run()
    try:
        sys.stdout.flush()
    except OSError as error:
        if not isinstance(error, BrokenPipeError):  # `auditkit findings | head` is nothing to complain about
            _print_error(f"the output could not be written: {error.strerror}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python tries again at exit, and says so
        code = max(code, _COULD_NOT_LOOK)
    sys.exit(code)


def _run() -> int:
    try:
        from auditkit.cli.app import run  # noqa: PLC0415  an import that fails is an ending like others

        run()
    except Finished as ending:
        return int(ending.code or 0)
    except SystemExit as ending:  # typer ends in 1 or 130 when it is interrupted or its reader is gone
        return ending.code if ending.code in (0, 2, 3) else _COULD_NOT_LOOK
    except KeyboardInterrupt:
        _print_error("stopped")
    except BaseException as error:  # noqa: BLE001  a crash must never look like a finding
        _print_error(_crash(error))
    return _COULD_NOT_LOOK


def _crash(error: BaseException) -> str:
    """Write the traceback to a private file; one line about the error and the file."""
    text = " ".join(str(error).split())[:_MOST_CHARACTERS]
    what = f"unexpected error, {type(error).__name__}{f': {text}' if text else ''}"
    try:
        descriptor, name = tempfile.mkstemp(prefix="auditkit-crash-", suffix=".txt")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(traceback.format_exception(error))
    except OSError as failure:
        return f"{what}; its traceback could not be written ({failure.strerror})"
    return f"{what}; please report it with the traceback in {Path(name)}"


def _print_error(line: str) -> None:
    shown = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in line)
    sys.stderr.write(f"auditkit: {shown}\n")


def _open_streams() -> None:
    """Make the three standard streams usable: a closed one is /dev/null, and no character of ours is an error.

    A closed descriptor would otherwise be taken by the next file that is opened, and written to by mistake.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest that is free: this one
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115, PTH123  open for as long as we run
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123  as above
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123  as above
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
