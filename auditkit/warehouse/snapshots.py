"""Snapshots: build privately, publish by rename, open read-only.

A snapshot is one DuckDB file. A writer copies the newest one to a private name, changes the copy, checkpoints, fsyncs
and renames it to `audit.duckdb`; readers are never locked out, never see half a run, and keep the file they opened.
A crash anywhere leaves the old snapshot whole; what it left behind is swept by the next writer.

Not here: what is in a snapshot (`schema.sql`, `schema.py`), and any question asked of it (`checks`).
"""

import contextlib
import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import duckdb
import pandas as pd

from auditkit.errors import AuditkitError, Busy, NoSnapshot, StoreError
from auditkit.warehouse.tables import DISK_ERRORS, Table, run_script, statement_error

__all__ = ["KEEP_SYNCS", "Draft", "Snapshot", "Store"]

KEEP_SYNCS = 12
# What belongs in a home before its first snapshot, and what the first sync has made by the time it asks.
_HOME_NAMES = frozenset(
    {
        "README.md",
        "approvers.toml",
        "cache",
        "demo",
        "identities",
        "job_map.csv",
        "journal.anchor",
        "journal.jsonl",
        "journal.lock",
        "plans",
        "reports",
        "rules",
        "sandbox.sqlite",
        "sandbox.sqlite.lock",
        "snapshots",
        "sql_history",
        "suspects.jsonl",
        "writer.lock",
    }
)
_SAFE: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
_LOCKED_DOWN = "set TimeZone = 'UTC'; set enable_external_access = false; set lock_configuration = true"


@dataclass(frozen=True)
class Snapshot:
    """One published snapshot, opened read-only. Use as a context manager, or close it."""

    path: Path
    connection: duckdb.DuckDBPyConnection

    def query(
        self,
        sql: str,
        parameters: list[Any] | dict[str, Any] | None = None,
        frames: Mapping[str, pd.DataFrame] | None = None,
    ) -> Table:
        """Run one statement and fetch it whole; money stays Decimal. Raises `QueryFailed` with the SQL.

        It may ask the `frames` too, by their names: they are there for this statement alone.
        """
        with statement_error(sql):
            cursor = self.connection.cursor()
            cursor.execute("use audit")
            for name, frame in (frames or {}).items():
                cursor.register(name, frame)
            try:
                return Table.fetched(cursor.execute(sql, parameters or None), sql)
            finally:
                for name in frames or ():
                    cursor.unregister(name)

    @property
    def short_id(self) -> str:
        """The first twelve digits of the snapshot's id."""
        return str(self.query("select snapshot_id from audit_run").scalar())[:12]

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


@dataclass(frozen=True)
class Draft:
    """A private copy of the newest snapshot, open for one writer; `draft()` publishes it, `trial()` does not."""

    path: Path
    connection: duckdb.DuckDBPyConnection

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> Table:
        """As `Snapshot.query`, on the draft; a full or broken disk is DuckDB's own error."""
        with statement_error(sql, DISK_ERRORS):
            return Table.fetched(self.connection.execute(sql, parameters or None), sql)

    def run(self, script: str, parameters: dict[str, Any] | None = None) -> None:
        """Run a script of statements, each with those of the named parameters that it uses."""
        run_script(self.connection, script, parameters or {})

    def has_table(self, name: str) -> bool:
        """Whether a public table is there: false in the first draft of a home."""
        return bool(
            self.query("select count(*) from duckdb_tables() where table_name = $name", {"name": name}).scalar()
        )

    def insert(self, table: str, columns: dict[str, list[Any]]) -> None:
        """Append rows to a table of ours, given by column. `table` and the names never come from data."""
        places = ", ".join(f"unnest(${name}) as {name}" for name in columns)
        self.query(f"insert into {table} by name select {places}", dict(columns))


class Store:
    """The DuckDB files of one home."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "audit.duckdb"

    def open(self) -> Snapshot:
        """The newest snapshot, read-only. Raises `NoSnapshot` before the first sync."""
        return self._attached({"audit": self._newest()})

    def open_pair(self, before: int | None = None, now: int | None = None) -> Snapshot:
        """Two snapshots at once, read-only: the later one as `open` does, the earlier one as the catalog `before`.

        `before` and `now` are ids of syncs; without them, the newest snapshot and the one kept before it. An account
        that was read anew, without its history, counts its syncs from 1 again: of two with one id the newest is meant.
        Raises `NoSnapshot`, with the ids that are there, where one is not, or where there are not two.
        """
        files: dict[int, Path] = {}
        for path in (self._newest(), *self._kept()):
            sync_id = self._sync_id(path)
            if now is None:
                now = sync_id
            elif before is None and now in files and sync_id != now:
                before = sync_id
            files.setdefault(sync_id, path)
            if before != now and before in files and now in files:
                return self._attached({"audit": files[now], "before": files[before]})
        missing = [f"sync {wanted}" for wanted in (before, now) if wanted is not None and wanted not in files]
        what = f"there is no snapshot of {' or '.join(missing)}" if missing else "two snapshots are needed"
        raise NoSnapshot(f"{self.folder}: {what}; there are those of sync {', '.join(map(str, sorted(files)))}")

    def _newest(self) -> Path:
        self._refuse_empty_home()
        return self.path

    def _sync_id(self, path: Path) -> int:
        with self._attached({"audit": path}) as snapshot:
            return int(snapshot.query("select sync_id from audit_run").scalar())

    def _kept(self) -> list[Path]:
        """The snapshots before, the newest first. Their numbers count what was kept, and are no ids of syncs."""
        return sorted((self.folder / "snapshots").glob("sync-*.duckdb"), reverse=True)

    def _attached(self, files: dict[str, Path]) -> Snapshot:
        """Snapshots under the names of their catalogs; the first is the one that is asked."""
        # Attached to a private in-memory instance: DuckDB would otherwise hand out an instance of this path that is
        # still open in this process, although the file behind the path has been replaced.
        connection = duckdb.connect(":memory:", config=_SAFE)
        for catalog, path in files.items():
            try:
                connection.execute(f"attach {_quoted(path)} as {catalog} (read_only)")
            except duckdb.Error as error:
                connection.close()
                raise StoreError(f"{path}: cannot be opened as a snapshot ({_first_line(error)})") from None
        connection.execute("use audit")
        connection.execute(_LOCKED_DOWN)
        return Snapshot(files["audit"], connection)

    @contextlib.contextmanager
    def writer(self) -> Iterator[None]:
        """Be the one writer of this home. Raises `Busy` at once, naming who is."""
        self.make_folders()
        with self._failures_named(), open(self.folder / "writer.lock", "a+", opener=_private) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                raise Busy(
                    f"{self.folder}: {lock.read().strip() or 'another process'} is writing; try again later"
                ) from None
            lock.truncate(0)
            lock.write(f"auditkit {' '.join(sys.argv[1:2])} (pid {os.getpid()})")
            lock.flush()
            self._sweep(".building-*")
            self._sweep_trials()
            yield

    @contextlib.contextmanager
    def draft(self, *, keep_previous: bool, is_new: bool = False) -> Iterator[Draft]:
        """A private copy of the newest snapshot, published if the block ends well; call it inside `writer()`.

        `keep_previous` keeps the one it replaces in `snapshots/`: true for a sync, false for an audit of the same sync.
        One that `is_new` begins empty, without the history of the one before.
        """
        building = self.folder / f".building-{os.getpid()}.duckdb"
        with self._failures_named():
            try:
                if self.path.exists() and not is_new:
                    _copied(self.path, building)
                with self._opened(building) as draft:
                    draft.connection.begin()  # published whole or not at all; each statement need not reach the disk
                    yield draft
                    draft.connection.commit()
                    draft.connection.execute("checkpoint")
                sys.audit("auditkit.point", "built")
                self._publish(building, keep_previous=keep_previous)
            finally:
                self._sweep(f"{building.name}*")

    @contextlib.contextmanager
    def trial(self) -> Iterator[Draft]:
        """A private copy of the newest snapshot to try something on: never published, and gone when the block ends.

        It needs no lock, and whoever writes meanwhile is not held up. Each statement stands for itself: one that fails
        takes nothing with it. Raises `NoSnapshot` before the first sync.
        """
        self._refuse_empty_home()
        with (
            self._failures_named(),
            tempfile.TemporaryDirectory(prefix=".trial-", dir=self.folder) as name,
            _held(Path(name)),
            self._opened(_copied(self.path, Path(name) / self.path.name)) as draft,
        ):
            draft.path.with_name(f"{draft.path.name}.wal").touch(0o600)  # DuckDB would make it for everybody to read
            yield draft

    def _refuse_empty_home(self) -> None:
        if not self.path.exists():
            raise NoSnapshot(f"{self.path}: nothing has been synced yet; run `auditkit sync`")

    def _sweep_trials(self) -> None:
        """Remove the trials of processes that were killed; one that is at work holds its folder."""
        for folder in self.folder.glob(".trial-*"):
            with contextlib.suppress(BlockingIOError), _held(folder):
                shutil.rmtree(folder)

    def _sweep(self, pattern: str) -> None:
        """Remove what a draft left behind: its file, and the folder that DuckDB spilled into."""
        for leftover in self.folder.glob(pattern):
            if leftover.is_dir():
                shutil.rmtree(leftover)
            else:
                leftover.unlink()

    @contextlib.contextmanager
    def _opened(self, building: Path) -> Iterator[Draft]:
        spill = building.with_name(f"{building.name}.tmp")
        spill.mkdir(mode=0o700, exist_ok=True)  # DuckDB would make it for everybody to read
        connection = duckdb.connect(str(building), config={**_SAFE, "temp_directory": str(spill)})
        try:
            building.chmod(0o600)  # at once: a process that is killed leaves it behind
            connection.execute("set TimeZone = 'UTC'; set enable_external_access = false")
            yield Draft(building, connection)
        finally:
            connection.close()

    def _publish(self, building: Path, *, keep_previous: bool) -> None:
        _fsync(building)
        if keep_previous and self.path.exists():
            kept = self._kept()
            number = int(kept[0].stem.removeprefix("sync-")) + 1 if kept else 1
            os.link(self.path, self.folder / "snapshots" / f"sync-{number:06d}.duckdb")
        sys.audit("auditkit.point", "synced-to-disk")
        building.replace(self.path)
        sys.audit("auditkit.point", "published")
        _fsync(self.folder)
        self._prune()

    def _prune(self) -> None:
        """Keep the newest kept syncs: at most 12, at most a tenth of the free disk, never none."""
        allowance = shutil.disk_usage(self.folder).free // 10
        for position, path in enumerate(self._kept()):
            allowance -= path.stat().st_size
            if position >= KEEP_SYNCS or (position > 0 and allowance < 0):
                path.unlink()

    def make_folders(self) -> None:
        """Make the home and what is below it, for its owner alone.

        A home that was there before is closed to others if it holds nothing but what belongs in one, or a snapshot;
        any other folder keeps its mode, because somebody else may rely on it.
        """
        with self._failures_named():
            missing = [folder for folder in (self.folder, *self.folder.parents) if not folder.exists()]
            for folder in (*reversed(missing), self.folder / "snapshots"):
                folder.mkdir(mode=0o700, exist_ok=True)
            if self.path.exists() or {path.name for path in self.folder.iterdir()} <= _HOME_NAMES:
                self.folder.chmod(0o700)

    @contextlib.contextmanager
    def _failures_named(self) -> Iterator[None]:
        """Turn what the disk refuses into one line; the published snapshot is untouched."""
        try:
            yield
        except OSError as error:
            if isinstance(error, AuditkitError):  # some of ours are also errors of the operating system
                raise
            raise StoreError(f"{self.folder}: {error.strerror or error}; the snapshot before is unchanged") from None
        except DISK_ERRORS as error:
            raise StoreError(f"{self.folder}: {_first_line(error)}; the snapshot before is unchanged") from None


def _private(path: str, flags: int) -> int:
    descriptor = os.open(path, flags, 0o600)
    os.fchmod(descriptor, 0o600)  # one that was there before may be open to others
    return descriptor


def _copied(snapshot: Path, copy: Path) -> Path:
    copy.touch(0o600)
    return Path(shutil.copyfile(snapshot, copy))


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold a folder while the block lasts. Raises `BlockingIOError` if somebody else does."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
