"""What the file system of a folder can do, found by trying it: a home may be on a memory stick or a network drive.

Not here: writing files (`files.py`) and the fallbacks where something is missing (`warehouse/snapshots.py`).
"""

import errno
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from auditkit.files import sync_folder

__all__ = ["NOT_SUPPORTED", "FileSystem", "probe", "sync_where_possible"]

# How file systems say that they do not have an operation, e.g. hard links on FAT, SMB and FUSE.
NOT_SUPPORTED = frozenset(
    {errno.EPERM, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOLCK, errno.EMLINK}
)


@dataclass(frozen=True)
class FileSystem:
    """What was found in a folder. Each is true only if it was tried and worked."""

    folder: Path
    replaces: bool
    links: bool
    locks: bool
    is_private: bool
    syncs_folders: bool

    @property
    def problems(self) -> tuple[str, ...]:
        """What auditkit cannot do here, and what follows from it, one line each; empty where all is well."""
        found = (
            (self.replaces, "a file cannot replace another one: auditkit cannot write here"),
            (
                self.locks,
                "there are no file locks, so two writers could not be kept apart: auditkit does not write here",
            ),
            (self.is_private, "permissions have no effect: everyone who can open this disk can read the data"),
            (self.links, "there are no hard links: kept snapshots are copied instead"),
            (self.syncs_folders, "folders cannot be synced: after a power failure the newest file may be an older one"),
        )
        return tuple(problem for works, problem in found if not works)

    @property
    def can_hold_a_home(self) -> bool:
        """Whether auditkit can write here safely."""
        return self.replaces and self.locks


def probe(folder: Path) -> FileSystem:
    """Try rename, hard link, lock, permissions and fsync in a folder; nothing is left behind.

    For a folder that does not exist yet, the nearest one above it is tried. Raises `OSError` if nothing can be written.
    """
    existing = next(each for each in (folder, *folder.parents) if each.is_dir())
    trial = Path(tempfile.mkdtemp(prefix=".probe-", dir=existing))
    try:
        return FileSystem(
            folder=existing,
            replaces=_works(lambda: _replace(trial)),
            links=_works(lambda: _link(trial)),
            locks=_works(lambda: _lock(trial)),
            is_private=_works(lambda: _close_to_others(trial)),
            syncs_folders=_works(lambda: _sync(trial)),
        )
    finally:
        shutil.rmtree(trial, ignore_errors=True)


def sync_where_possible(folder: Path) -> None:
    """As `files.sync_folder`, if the file system can do that. Raises `OSError`."""
    try:
        sync_folder(folder)
    except OSError as error:
        if error.errno not in NOT_SUPPORTED:
            raise


def _works(attempt: Callable[[], bool]) -> bool:
    try:
        return attempt()
    except OSError:
        return False


def _replace(folder: Path) -> bool:
    old, new = _file(folder, "old"), _file(folder, "new")
    new.replace(old)
    return old.read_text() == "new" and not new.exists()


def _link(folder: Path) -> bool:
    one, other = _file(folder, "one"), folder / "other"
    os.link(one, other)
    return one.samefile(other)


def _lock(folder: Path) -> bool:
    """Two descriptors of one file: the second must not get the lock."""
    path = _file(folder, "lock")
    with path.open("rb") as one, path.open("rb") as other:
        fcntl.flock(one, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _close_to_others(folder: Path) -> bool:
    """Also from a file that was open to others: some file systems show one fixed mode for all."""
    path = _file(folder, "private")
    path.chmod(0o644)
    path.chmod(0o600)
    return stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


def _sync(folder: Path) -> bool:
    sync_folder(folder)
    return True


def _file(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_text(name)
    return path
