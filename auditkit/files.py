"""Private files: read only if nobody else may read them, written whole or not at all.

Not here: their content, and the journal, which has its own rules.
"""

import os
import stat
import tempfile
from pathlib import Path

from auditkit.errors import SettingsError

__all__ = ["read_private", "write_whole"]


def read_private(path: Path, most: int, *, restore: str, exposed: str) -> bytes:
    """The first `most` bytes of a file that its owner alone may read.

    Raises `FileNotFoundError`, and `SettingsError` for anything else at that path, which says how to `restore` it; or,
    if others may read it, what is `exposed` and what to do.
    """
    try:
        # No link, which could point at another's file; no waiting for the other end of a pipe.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}); {restore}") from None
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise SettingsError(f"{path}: is no file; {restore}")
        if mode & 0o077:
            raise SettingsError(f"{path}: is open to others, so {exposed}, or chmod 600 it")
        return os.read(descriptor, most)
    finally:
        os.close(descriptor)


def write_whole(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file so that its path always holds the old or the new one, whole. Raises `OSError`."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=f".{path.name}")
    private = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        private.chmod(mode)
        private.replace(path)
    finally:
        private.unlink(missing_ok=True)
