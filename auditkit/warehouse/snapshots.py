"""Snapshots: built in private, published by rename, opened read-only.

A writer copies the newest snapshot to a private name, changes the copy, checkpoints and syncs it, and renames it to
`audit.duckdb`. Readers are never locked out, never see a half-finished run, and keep the file they opened. A crash at
any point leaves the old snapshot whole; the next writer removes the leftovers.

To DuckDB a database is two files: a program that writes to it puts its changes into `audit.duckdb.wal` first. A
published snapshot has no such file. If one is there, another program wrote to the snapshot: it is refused, so that
nothing written that way is in a figure, and the next writer starts from the snapshot as it was published.

Not here: the contents of a snapshot (`schema.py`, `schema.sql`) and the questions asked of it (`checks`, `analysis`).
"""

import contextlib
import fcntl
import glob
import os
import re
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import duckdb
import pandas as pd

from auditkit.errors import AuditkitError, Busy, NoSnapshot, QueryFailed, StoreError
from auditkit.file_system import NOT_SUPPORTED, sync_where_possible
from auditkit.warehouse.tables import DISK_ERRORS, Table, run_script, statement_error

__all__ = ["KEEP_SYNCS", "STORAGE_VERSION", "Draft", "Snapshot", "Store"]

KEEP_SYNCS = 12
# DuckDB clients from 1.2 on can open a snapshot. Older formats take a fifth more space; newer ones save none.
STORAGE_VERSION = "v1.2.0"
# Files and folders that auditkit itself may have made before the first snapshot exists.
_HOME_NAMES = frozenset(
    {
        ".spill",
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
# DESCRIBE, SUMMARIZE, SHOW and VALUES are SELECT to DuckDB, and PIVOT is MULTI: it first collects the new columns.
_READING = (duckdb.StatementType.SELECT, duckdb.StatementType.MULTI)
_LOCK_HOLDER = re.compile(r"Conflicting lock is held in (.*? \(PID \d+\))")
_READS = "write SELECT, VALUES, DESCRIBE, SUMMARIZE, SHOW, PIVOT or EXPLAIN of one of these"
_COMMENT = r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*"
_EXPLAIN = re.compile(
    rf"^{_COMMENT}explain\b{_COMMENT}(?:analyze\b|\((?:analyze|format)\b[^)]*\))?", re.IGNORECASE | re.DOTALL
)
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
        """Run one statement that only reads, and fetch every row; money stays Decimal.

        Raises `QueryFailed` with the SQL, also for several statements and for one that does not only read. It can read
        the `frames`, too, by their names. Nothing that it does outlives it: it has a connection of its own, whose
        transaction is always rolled back.
        """
        with statement_error(sql), contextlib.closing(self.connection.cursor()) as cursor:
            statement = _only_reading(cursor, sql)
            cursor.execute("use audit")
            for name, frame in (frames or {}).items():
                cursor.register(name, frame)
            cursor.begin()
            return Table.fetched(cursor.execute(statement, parameters or None), sql)

    @property
    def short_id(self) -> str:
        """The first twelve digits of the snapshot id."""
        return str(self.query("select snapshot_id from audit_run").scalar())[:12]

    def close(self) -> None:
        """Release the file."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


@dataclass(frozen=True)
class Draft:
    """A private copy of the newest snapshot, open for one writer. `draft()` publishes it; `trial()` does not."""

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
        """Whether a public table exists: false in the first draft of a home."""
        return bool(
            self.query("select count(*) from duckdb_tables() where table_name = $name", {"name": name}).scalar()
        )

    def insert(self, table: str, columns: dict[str, list[Any]]) -> None:
        """Append rows, given by column. The names of `table` and `columns` never come from data."""
        places = ", ".join(f"unnest(${name}) as {name}" for name in columns)
        self.query(f"insert into {table} by name select {places}", dict(columns))


class Store:
    """The DuckDB files of one home."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "audit.duckdb"

    def open(self) -> Snapshot:
        """Open the newest snapshot, read-only. Raises `NoSnapshot` before the first sync."""
        return self._attached({"audit": self._newest()})

    def open_pair(self, before: int | None = None, now: int | None = None) -> Snapshot:
        """Open two snapshots at once, read-only: the later one as in `open`, the earlier one as the catalog `before`.

        `before` and `now` are sync ids; by default, the newest snapshot and the one kept before it. An account that
        was read again without its history counts its syncs from 1 again, so of two files with the same sync id the
        newer one is used. Raises `NoSnapshot`, listing the ids that exist, if one is missing or there are fewer than
        two.
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
        raise NoSnapshot(f"{self.folder}: {what}; the snapshots here are of sync {', '.join(map(str, sorted(files)))}")

    def _newest(self) -> Path:
        self.require_snapshot()
        return self.path

    def _sync_id(self, path: Path) -> int:
        with self._attached({"audit": path}) as snapshot:
            return int(snapshot.query("select sync_id from audit_run").scalar())

    def _kept(self) -> list[Path]:
        """The earlier snapshots, newest first. The numbers in their names count kept files; they are not sync ids."""
        return sorted((self.folder / "snapshots").glob("sync-*.duckdb"), reverse=True)

    def _attached(self, files: dict[str, Path]) -> Snapshot:
        """Open snapshots under their catalog names; queries go to the first."""
        # Attached to a private in-memory instance: DuckDB would otherwise reuse an instance of this path that is still
        # open in this process, although the file behind the path has been replaced.
        connection = duckdb.connect(":memory:", config={**_SAFE, "temp_directory": str(self._spill_folder())})
        try:
            for catalog, path in files.items():
                _attach(connection, path, catalog)
        except StoreError:
            connection.close()
            raise
        connection.execute("use audit")
        connection.execute(_LOCKED_DOWN)
        return Snapshot(files["audit"], connection)

    @contextlib.contextmanager
    def writer(self) -> Iterator[None]:
        """Take the write lock of this home. Raises `Busy` at once, naming the process that holds it."""
        self.make_folders()
        with self._failures_named(), open(self.folder / "writer.lock", "a+", opener=_private) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                raise Busy(
                    f"{self.folder}: {lock.read().strip() or 'another process'} is writing; try again later"
                ) from None
            except OSError as error:
                if error.errno not in NOT_SUPPORTED:
                    raise
                raise StoreError(
                    f"{self.folder}: this file system has no file locks, so two writers could not be kept apart;"
                    " choose an AUDITKIT_HOME on another disk"
                ) from None
            lock.truncate(0)
            lock.write(f"auditkit {' '.join(sys.argv[1:2])} (pid {os.getpid()})")
            lock.flush()
            self._sweep(".building-*")
            self._sweep_trials()
            self._sweep_spills()
            yield

    @contextlib.contextmanager
    def draft(self, *, keep_previous: bool, is_new: bool = False) -> Iterator[Draft]:
        """A private copy of the newest snapshot, published if the block succeeds; call it inside `writer()`.

        `keep_previous` keeps the replaced snapshot in `snapshots/`: true for a sync, false for an audit of the same
        sync. With `is_new` the draft starts empty, without the history of the previous snapshot.
        """
        building = self.folder / f".building-{os.getpid()}.duckdb"
        with self._failures_named():
            try:
                if self.path.exists():
                    _refuse_open_writer(self.path)
                    if not is_new:
                        _copied(self.path, building)
                with self._opened(building) as draft:
                    draft.connection.begin()  # one transaction, so a single statement need not reach the disk
                    yield draft
                    draft.connection.commit()
                    draft.connection.execute("checkpoint")
                sys.audit("auditkit.point", "built")
                self._publish(building, keep_previous=keep_previous)
            finally:
                self._sweep(f"{building.name}*")

    @contextlib.contextmanager
    def trial(self) -> Iterator[Draft]:
        """A private copy of the newest snapshot for experiments: never published, removed when the block ends.

        It takes no lock and does not delay a writer. Each statement commits on its own, so a failing one undoes
        nothing else. Raises `NoSnapshot` before the first sync.
        """
        self.require_snapshot()
        _refuse_open_writer(self.path)
        with (
            self._failures_named(),
            tempfile.TemporaryDirectory(prefix=".trial-", dir=self.folder) as name,
            _held(Path(name)),
            self._opened(_copied(self.path, Path(name) / self.path.name)) as draft,
        ):
            draft.path.with_name(f"{draft.path.name}.wal").touch(0o600)  # DuckDB would create it readable by everyone
            yield draft

    def require_snapshot(self) -> None:
        """Raise `NoSnapshot` before the first sync."""
        if not self.path.exists():
            raise NoSnapshot(f"{self.path}: nothing has been synced yet; run `auditkit sync`")

    def _sweep_trials(self) -> None:
        """Remove the trials of killed processes; a running one holds a lock on its folder."""
        for folder in self.folder.glob(".trial-*"):
            with contextlib.suppress(BlockingIOError), _held(folder):
                shutil.rmtree(folder)

    def _spill_folder(self) -> Path:
        """Where DuckDB may put what a large query does not hold in memory: it makes and removes this folder itself.

        DuckDB would create it readable by everyone, so it is inside a private one. In a home that cannot be written
        there is none, and such a query fails.
        """
        folder = self.folder / ".spill"
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, exist_ok=True)
        return folder / f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"

    def _sweep_spills(self) -> None:
        """Remove what killed processes of this machine spilled."""
        for spilled in self.folder.glob(f".spill/{glob.escape(socket.gethostname())}-*-*"):
            if not _is_running(int(spilled.name.split("-")[-2])):
                shutil.rmtree(spilled)

    def _sweep(self, pattern: str) -> None:
        """Remove a draft's leftovers: its file and the folder that DuckDB spilled into."""
        for leftover in self.folder.glob(pattern):
            if leftover.is_dir():
                shutil.rmtree(leftover)
            else:
                leftover.unlink()

    @contextlib.contextmanager
    def _opened(self, building: Path) -> Iterator[Draft]:
        spill = building.with_name(f"{building.name}.tmp")
        spill.mkdir(mode=0o700, exist_ok=True)  # DuckDB would create it readable by everyone
        config = {**_SAFE, "temp_directory": str(spill), "storage_compatibility_version": STORAGE_VERSION}
        connection = duckdb.connect(str(building), config=config)
        try:
            _close_to_others(building, 0o600)  # at once, because a killed process leaves the file behind
            connection.execute("set TimeZone = 'UTC'; set enable_external_access = false")
            yield Draft(building, connection)
        finally:
            connection.close()

    def _publish(self, building: Path, *, keep_previous: bool) -> None:
        _fsync(building)
        if keep_previous and self.path.exists():
            kept = self._kept()
            number = int(kept[0].stem.removeprefix("sync-")) + 1 if kept else 1
            self._keep(self.folder / "snapshots" / f"sync-{number:06d}.duckdb")
        sys.audit("auditkit.point", "synced-to-disk")
        for snapshot in (self.path, *self._kept()):
            _wal(snapshot).unlink(missing_ok=True)
        building.replace(self.path)
        sys.audit("auditkit.point", "published")
        sync_where_possible(self.folder)
        self._prune()

    def _keep(self, kept: Path) -> None:
        """Keep the newest snapshot under another name: the same file, or a copy where there are no hard links."""
        try:
            os.link(self.path, kept)
        except OSError as error:
            if error.errno not in NOT_SUPPORTED:
                raise
            copy = _copied(self.path, self.folder / f".building-{os.getpid()}.duckdb.kept")
            _fsync(copy)
            copy.replace(kept)

    def _prune(self) -> None:
        """Keep the newest earlier snapshots: at most 12, at most a tenth of the free disk, but always one."""
        allowance = shutil.disk_usage(self.folder).free // 10
        for position, path in enumerate(self._kept()):
            allowance -= path.stat().st_size
            if position >= KEEP_SYNCS or (position > 0 and allowance < 0):
                path.unlink()

    def make_folders(self) -> None:
        """Create the home and its folders, readable by the owner only.

        An existing folder is closed to others if it holds a snapshot or nothing but files of auditkit; any other
        folder keeps its mode, because others may rely on it.
        """
        with self._failures_named():
            missing = [folder for folder in (self.folder, *self.folder.parents) if not folder.exists()]
            for folder in (*reversed(missing), self.folder / "snapshots"):
                folder.mkdir(mode=0o700, exist_ok=True)
            if self.path.exists() or {path.name for path in self.folder.iterdir()} <= _HOME_NAMES:
                _close_to_others(self.folder, 0o700)

    @contextlib.contextmanager
    def _failures_named(self) -> Iterator[None]:
        """Turn errors of the disk into one line; the published snapshot is untouched."""
        try:
            yield
        except OSError as error:
            if isinstance(error, AuditkitError):  # some of ours are OSErrors, too
                raise
            raise StoreError(f"{self.folder}: {error.strerror or error}; the previous snapshot is unchanged") from None
        except DISK_ERRORS as error:
            raise StoreError(f"{self.folder}: {_first_line(error)}; the previous snapshot is unchanged") from None


def _only_reading(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    """The statement of a text that holds one, and one that reads. Raises `QueryFailed`."""
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        found = f"expected one statement, found {len(statements)}; ask them one by one"
        raise QueryFailed(f"the SQL failed: {found if statements else 'there is no statement in it'}", sql)
    (statement,) = statements
    if statement.type == duckdb.StatementType.EXPLAIN:  # with ANALYZE it runs the statement that it explains
        statements = connection.extract_statements(_EXPLAIN.sub("", sql))
    if others := [each.type.name for each in statements if each.type not in _READING]:
        raise QueryFailed(f"the SQL failed: a snapshot is read-only: {_READS}, not {others[0]}", sql)
    return statement


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, catalog: str) -> None:
    """Attach a snapshot read-only. Raises `StoreError` if it is none, or if another program writes or wrote to it."""
    written = (
        f"{_wal(path)}: another program wrote to this snapshot; run `auditkit audit` to rebuild it as it was published"
    )
    try:
        connection.execute(f"attach {_quoted(path)} as {catalog} (read_only)")
    except duckdb.Error as error:
        if holder := _LOCK_HOLDER.search(str(error)):
            raise StoreError(
                f"{path}: is open for writing in {holder[1]}; close it there, and open it read-only"
            ) from None
        if _wal(path).exists():
            raise StoreError(written) from None
        raise StoreError(f"{path}: cannot be opened as a snapshot ({_first_line(error)})") from None
    if _wal(path).exists():
        raise StoreError(written)


def _refuse_open_writer(path: Path) -> None:
    """Raise `StoreError` if another program has a snapshot open for writing: it could change while it is copied."""
    with duckdb.connect(":memory:", config=_SAFE) as connection:
        try:
            _attach(connection, path, "audit")
        except StoreError as error:
            if "is open for writing" in str(error):
                raise


def _wal(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _private(path: str, flags: int) -> int:
    descriptor = os.open(path, flags, 0o600)
    _close_to_others(path, 0o600)  # an existing file may be open to others
    return descriptor


def _close_to_others(path: Path | str, mode: int) -> None:
    """As far as the file system has permissions: `file_system.probe` tells whether it has."""
    with contextlib.suppress(PermissionError):
        Path(path).chmod(mode)


def _copied(snapshot: Path, copy: Path) -> Path:
    """A copy of a snapshot as it was published, without what another program wrote to its WAL."""
    copy.touch(0o600)
    return Path(shutil.copyfile(snapshot, copy))


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Lock a folder for the block. Raises `BlockingIOError` if another process holds it."""
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
