"""Private files: read only if nobody else may read them, written whole or not at all.

Everything that auditkit writes besides DuckDB files, caches and the lines of the journal goes through here.

Not here: what is in the files.
"""

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from auditkit.errors import SettingsError

__all__ = ["StagedFile", "make_private_folder", "read_private", "staged", "sync_folder", "write_new", "write_whole"]

_NO_HARD_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


def read_private(path: Path, most: int, *, restore: str, exposed: str) -> bytes:
    """The first `most` bytes of a file that its owner alone may read.

    Raises `FileNotFoundError`, and `SettingsError` for anything else at that path, which says how to `restore` it; or,
    if others may read it, what is `exposed` and what to do.
    """
    try:
        # A link could point at another's file, and a pipe would wait for its other end.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}); {restore}") from None
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise SettingsError(f"{path}: is not a file; {restore}")
        if mode & 0o077:
            raise SettingsError(f"{path}: is open to others, so {exposed}, or chmod 600 it")
        return os.read(descriptor, most)
    finally:
        os.close(descriptor)


@dataclass
class StagedFile:
    """A file that is whole and on disk beside its place, and not there yet."""

    path: Path
    _private: Path

    def publish(self) -> None:
        """Move it to its place, over a file that is there. Raises `OSError`."""
        self._private.replace(self.path)
        sync_folder(self.path.parent)

    def publish_new(self) -> None:
        """Move it to its place. Raises `FileExistsError` where something is there, and `OSError`."""
        try:
            os.link(self._private, self.path)  # unlike a rename, never over a file that is there
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            self._private.replace(self.path)
        sync_folder(self.path.parent)


@contextlib.contextmanager
def staged(path: Path, data: bytes, mode: int = 0o600) -> Iterator[StagedFile]:
    """A file with this content, on disk beside its place; removed when the block ends, unless it was published.

    Raises `OSError` before the block begins where it cannot be written, so that a block may rely on the space.
    """
    private = path.with_name(f".{secrets.token_hex(4)}.{path.name}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(private, flags, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        yield StagedFile(path, private)
    finally:
        with contextlib.suppress(OSError):  # what is left behind harms nothing
            private.unlink()


def write_whole(path: Path, data: str | bytes, mode: int = 0o600) -> None:
    """Write a file so that at any time the old or the new one is there, whole. Raises `OSError`."""
    with staged(path, data.encode() if isinstance(data, str) else data, mode) as file:
        file.publish()


def write_new(path: Path, data: bytes) -> None:
    """Write a file whole, for its owner alone. Raises `FileExistsError` where something is there, and `OSError`."""
    with staged(path, data) as file:
        file.publish_new()


def make_private_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, for their owner alone. Raises `OSError`."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)


def sync_folder(folder: Path) -> None:
    """Have the folder's entries on disk before this returns. Raises `OSError`."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
