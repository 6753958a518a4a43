"""Progress and notices: a bar in a terminal or a notebook, elsewhere a plain line every 10 seconds.

`AUDITKIT_QUIET=1` switches all of it off, so that stored notebooks and logs are the same in every run.
"""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from tqdm.auto import tqdm
from tqdm.std import tqdm as plain_tqdm

from auditkit.settings import quiet
from auditkit.values import printable

__all__ = ["notice", "progress"]

_LINE_EVERY_SECONDS = 10


def notice(line: str) -> None:
    """Print one line on standard error (in a notebook, on standard output); nothing when quiet."""
    if not quiet():
        # A notebook shows standard error in red, like an error.
        plain_tqdm.write(printable(line), file=sys.stdout if _in_notebook() else sys.stderr)


@contextlib.contextmanager
def progress(label: str, total: int | None, unit: str) -> Iterator[Callable[[int], None]]:
    """Show the progress of a long task: call the yielded function with the number of units done since the last call."""
    if quiet() or total == 0:
        yield lambda _: None
    elif sys.stderr.isatty() or _in_notebook():
        with tqdm(total=total, desc=label, unit=unit, leave=True, dynamic_ncols=True) as bar:
            yield lambda count: (bar.update(count), None)[1]
    else:
        yield _lines(label, total, unit)


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def _lines(label: str, total: int | None, unit: str) -> Callable[[int], None]:
    done, last = 0, time.monotonic()

    def advance(count: int) -> None:
        nonlocal done, last
        done += count
        if time.monotonic() - last >= _LINE_EVERY_SECONDS:
            last = time.monotonic()
            notice(f"{label}: {done:,}{f' of {total:,}' if total else ''} {unit}")

    return advance
