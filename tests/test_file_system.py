"""What a folder can do, by trying it, and the message where it cannot."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from auditkit.file_system import FileSystem, probe, sync_where_possible

ALL = ("replaces", "links", "locks", "is_private", "syncs_folders")


def refusing(number):
    def refuse(*arguments, **options):
        raise OSError(number, os.strerror(number))

    return refuse


def test_an_ordinary_folder_can_do_everything(tmp_path):
    found = probe(tmp_path)
    assert found == FileSystem(tmp_path, **dict.fromkeys(ALL, True))
    assert (found.problems, found.can_hold_a_home) == ((), True)
    assert list(tmp_path.iterdir()) == []


def test_the_nearest_folder_that_exists_is_tried(tmp_path):
    assert probe(tmp_path / "not" / "yet").folder == tmp_path
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("target", "replacement", "missing", "problem", "can_hold"),
    [
        ("os.link", refusing(errno.EPERM), "links", "no hard links: kept snapshots are copied instead", True),
        (
            "fcntl.flock",
            refusing(errno.ENOLCK),
            "locks",
            "no file locks, so two writers could not be kept apart",
            False,
        ),
        ("fcntl.flock", lambda *_: None, "locks", "no file locks", False),  # accepted, without any effect
        ("pathlib.Path.chmod", lambda *_: None, "is_private", "permissions have no effect", True),
        ("pathlib.Path.chmod", refusing(errno.EPERM), "is_private", "permissions have no effect", True),
        ("os.fsync", refusing(errno.EINVAL), "syncs_folders", "folders cannot be synced", True),
        ("pathlib.Path.replace", refusing(errno.EACCES), "replaces", "a file cannot replace another one", False),
    ],
)
def test_what_is_missing_is_named(tmp_path, monkeypatch, target, replacement, missing, problem, can_hold):
    monkeypatch.setattr(target, replacement)
    found = probe(tmp_path)
    monkeypatch.undo()
    assert {name: getattr(found, name) for name in ALL} == {**dict.fromkeys(ALL, True), missing: False}
    (line,) = found.problems
    assert problem in line
    assert found.can_hold_a_home is can_hold
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.mkdtemp", refusing(errno.EROFS))
    with pytest.raises(OSError, match="Read-only file system"):
        probe(tmp_path)


def test_only_a_missing_fsync_of_folders_is_passed_over(tmp_path, monkeypatch):
    sync_where_possible(tmp_path)
    monkeypatch.setattr("os.fsync", refusing(errno.EINVAL))
    sync_where_possible(tmp_path)
    monkeypatch.setattr("os.fsync", refusing(errno.EIO))
    with pytest.raises(OSError, match="Input/output error"):
        sync_where_possible(tmp_path)


def test_a_lock_is_tried_with_two_descriptors(tmp_path, monkeypatch):
    """One that the same process gets twice would keep nobody out."""
    calls = []
    real = fcntl.flock
    monkeypatch.setattr("fcntl.flock", lambda file, how: calls.append(how) or real(file, how))
    assert probe(Path(tmp_path)).locks
    assert calls == [fcntl.LOCK_EX | fcntl.LOCK_NB] * 2
