"""Files for their owner alone: whole or not at all, and never through a link that somebody put in their place."""

import errno
import os
import stat
from pathlib import Path

import pytest

from auditkit.files import make_private_folder, staged, write_new, write_whole


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def open_umask():
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_only_the_owner_can_read_files_and_folders(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    make_private_folder(folder)
    write_whole(folder / "whole", "text")
    write_new(folder / "new", b"data")
    write_whole(folder / "shared", "text", 0o644)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert modes == {"a": 0o700, "b": 0o700, "whole": 0o600, "new": 0o600, "shared": 0o644}


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_whole(path, "old")
    write_whole(path, "new")
    assert path.read_text() == "new"

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, "newer")
    assert (path.read_text(), names(tmp_path)) == ("new", ["file"])


def test_a_staged_file_that_is_not_published_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with staged(path, b"data"):
        (name,) = names(tmp_path)
        assert name.endswith(".file") and not path.exists()
    assert names(tmp_path) == []


def test_a_link_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    other = tmp_path / "precious"
    other.write_text("precious")
    for name in ("file", "file.new", ".file"):
        (tmp_path / name).symlink_to(other)
    write_whole(tmp_path / "file", "text")
    assert (other.read_text(), (tmp_path / "file").read_text()) == ("precious", "text")


@pytest.mark.parametrize("has_hard_links", [True, False])
def test_a_new_file_is_never_written_over_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_hard_links: bool
) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    if not has_hard_links:
        monkeypatch.setattr(os, "link", unsupported)
    write_new(tmp_path / "new", b"first")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    for name in ("new", "dangling"):
        with pytest.raises(FileExistsError):
            write_new(tmp_path / name, b"second")
    assert (tmp_path / "new").read_bytes() == b"first"
    assert names(tmp_path) == ["dangling", "new"]


def test_an_error_that_is_not_about_hard_links_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "link", broken)
    with pytest.raises(OSError, match="Input/output error"):
        write_new(tmp_path / "new", b"data")
    assert names(tmp_path) == []
