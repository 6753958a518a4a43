"""Snapshots: published by rename, read without locks, one writer at a time, within a process and across processes."""

import errno
import os
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
from collections import namedtuple
from pathlib import Path

import duckdb
import pytest

import auditkit as ak
from auditkit.errors import Busy, NoSnapshot, QueryFailed, StoreError
from auditkit.warehouse.schema import rebuild_schema
from auditkit.warehouse.snapshots import KEEP_SYNCS, Store
from tests.world import audited, invoice, nrb

ROOT = Path(__file__).parents[2]


def write(store, value, *, keep_previous=True):
    """Publish a snapshot whose table `fact` holds one value."""
    with store.writer(), store.draft(keep_previous=keep_previous) as draft:
        draft.query(f"create or replace table fact as select {value} as value")


def fact(snapshot):
    return snapshot.query("select value from fact").scalar()


def read(store):
    with store.open() as snapshot:
        return fact(snapshot)


def files(store):
    return sorted(path.name for path in store.folder.rglob("*") if path.is_file())


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "home")


@pytest.fixture
def filled(store):
    write(store, 1)
    return store


def python(code, *arguments):
    """Start another process on a home; the test talks to it through its pipes."""
    prelude = "import sys; from pathlib import Path; from auditkit.warehouse.snapshots import Store"
    prelude += "\nstore = Store(Path(sys.argv[1]))\n"
    return subprocess.Popen(
        [sys.executable, "-c", prelude + textwrap.dedent(code), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


# Publishing


def test_open_fails_before_the_first_sync(store):
    with pytest.raises(NoSnapshot, match="nothing has been synced yet; run `auditkit sync`"):
        store.open()
    assert not store.folder.exists()


def test_open_reads_the_newest_snapshot(filled):
    assert read(filled) == 1
    write(filled, 2)
    assert read(filled) == 2


def test_a_draft_starts_from_the_newest_snapshot(filled):
    with filled.writer(), filled.draft(keep_previous=False) as draft:
        assert draft.has_table("fact")
        assert not draft.has_table("other")
        draft.query("update fact set value = value + 1")
    assert read(filled) == 2


def test_a_draft_is_invisible_until_published(filled):
    with filled.writer(), filled.draft(keep_previous=True) as draft:
        draft.query("update fact set value = 2")
        assert read(filled) == 1
    assert read(filled) == 2


def test_a_reader_keeps_the_snapshot_it_opened(filled):
    with filled.open() as before:
        write(filled, 2)
        with filled.open() as after:
            assert (fact(before), fact(after)) == (1, 2)
            assert fact(before) == 1


def test_a_reader_in_another_process_keeps_the_snapshot_it_opened(filled):
    reader = python(
        """
        snapshot = store.open()
        for line in sys.stdin:
            print(snapshot.query("select value from fact").scalar(), flush=True)
        """,
        filled.folder,
    )
    try:
        reader.stdin.write("\n")
        reader.stdin.flush()
        assert reader.stdout.readline() == "1\n"
        write(filled, 2)
        reader.stdin.write("\n")
        reader.stdin.flush()
        assert reader.stdout.readline() == "1\n"
    finally:
        reader.communicate(timeout=20)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_files_and_folders_are_private(tmp_path):
    store = Store(tmp_path / "new" / "home")
    store.make_folders()
    (store.folder / "writer.lock").touch(0o644)
    write(store, 1)
    write(store, 2)
    with store.writer(), store.draft(keep_previous=True) as draft:
        assert draft.path.name.startswith(".building-")
        assert {mode(path) for path in store.folder.rglob("*")} == {0o600, 0o700}
    for path in (store.folder.parent, store.folder, *store.folder.rglob("*")):
        assert mode(path) == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.parametrize(
    ("there", "closed"),
    [
        ([], True),
        (["README.md", "job_map.csv", "rules"], True),
        (["cache", "sandbox.sqlite"], True),
        (["somebody's.txt"], False),
        (["somebody's.txt", "audit.duckdb"], True),
    ],
    ids=str,
)
def test_an_existing_home_is_closed_to_others_only_if_it_is_ours(tmp_path, there, closed):
    tmp_path.chmod(0o755)
    for name in there:
        (tmp_path / name).touch()
    Store(tmp_path).make_folders()
    assert mode(tmp_path) == (0o700 if closed else 0o755)
    assert mode(tmp_path / "snapshots") == 0o700


# Crashes


def test_an_error_in_the_block_leaves_the_old_snapshot(filled):
    before = filled.path.read_bytes()
    with pytest.raises(RuntimeError, match="by itself"), filled.writer(), filled.draft(keep_previous=True) as draft:
        draft.query("update fact set value = 2")
        raise RuntimeError("by itself")
    assert filled.path.read_bytes() == before
    assert files(filled) == ["audit.duckdb", "writer.lock"]


def test_an_error_in_the_first_draft_leaves_no_snapshot(store):
    with pytest.raises(QueryFailed), store.writer(), store.draft(keep_previous=True) as draft:
        draft.query("select nonsense")
    assert files(store) == ["writer.lock"]


def test_a_killed_writer_leaves_the_old_snapshot_and_the_next_writer_cleans_up(filled):
    writer = python(
        """
        with store.writer(), store.draft(keep_previous=True) as draft:
            draft.query("update fact set value = 2")
            print("changed", flush=True)
            sys.stdin.read()
        """,
        filled.folder,
    )
    assert writer.stdout.readline() == "changed\n"
    writer.send_signal(signal.SIGKILL)
    writer.communicate(timeout=20)
    assert any(name.startswith(".building-") for name in files(filled))
    assert read(filled) == 1
    write(filled, 3)
    assert not any(name.startswith(".building-") for name in files(filled))
    assert read(filled) == 3


def test_a_file_that_is_not_a_snapshot_is_named(filled):
    filled.path.write_bytes(b"not a database")
    with pytest.raises(StoreError, match=r"audit\.duckdb: cannot be opened as a snapshot"):
        filled.open()


def test_a_home_that_cannot_be_written_gives_a_one_line_error(tmp_path):
    (tmp_path / "home").write_text("a file")
    with (
        pytest.raises(StoreError, match="the previous snapshot is unchanged") as caught,
        Store(tmp_path / "home").writer(),
    ):
        pass
    assert "\n" not in str(caught.value)


# Another program's changes: DuckDB keeps them in a second file


def another_program(path, code):
    """A program that opens a snapshot for writing, as it was not told to."""
    program = subprocess.Popen(
        [sys.executable, "-c", f"import duckdb, sys\nc = duckdb.connect({str(path)!r})\n{code}\nsys.stdin.read()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout.readline() == "ready\n"
    return program


def left_behind(path, sql="insert into fact values (666)"):
    """What a killed program wrote to a snapshot: it is in the WAL, and the snapshot is as it was."""
    program = another_program(path, f"c.execute({sql!r}); print('ready', flush=True)")
    program.send_signal(signal.SIGKILL)
    program.communicate(timeout=20)
    return path.with_name(f"{path.name}.wal")


def test_changes_of_another_program_are_in_no_figure(filled):
    before = filled.path.read_bytes()
    wal = left_behind(filled.path)
    assert (wal.exists(), filled.path.read_bytes() == before) == (True, True)
    with pytest.raises(
        StoreError, match=r"audit\.duckdb\.wal: another program wrote to this snapshot; run `auditkit audit`"
    ):
        filled.open()
    with filled.writer(), filled.draft(keep_previous=False) as draft:
        assert draft.query("select value from fact").rows == [(1,)]
    assert not wal.exists()
    assert read(filled) == 1


def test_auditkit_audit_rebuilds_a_snapshot_that_another_program_wrote_to(tmp_path, monkeypatch):
    monkeypatch.setenv("AUDITKIT_HOME", str(tmp_path))
    monkeypatch.setenv("AUDITKIT_QUIET", "1")
    with ak.open() as audit:
        audit.sync()
        figures = audit.statement()
    left_behind(tmp_path / "audit.duckdb", "update nrb set total_after_markup = 0")
    with ak.open() as audit:
        with pytest.raises(StoreError, match="another program wrote to this snapshot; run `auditkit audit`"):
            audit.statement()
        audit.run()
        assert audit.statement().equals(figures)


def test_the_changes_of_another_program_do_not_outlive_the_next_snapshot(filled):
    """DuckDB refuses a WAL that is not of this database, so without care no sync would heal the home."""
    wal = left_behind(filled.path)
    write(filled, 2)
    assert (read(filled), wal.exists()) == (2, False)
    with filled.trial() as draft:
        assert fact(draft) == 2


def test_a_wal_that_belongs_to_another_snapshot_is_named_and_healed(filled):
    wal = left_behind(filled.path)
    stale = wal.read_bytes()
    write(filled, 2)
    wal.write_bytes(stale)
    with pytest.raises(StoreError, match="another program wrote to this snapshot"):
        filled.open()
    write(filled, 3)
    assert read(filled) == 3


def test_changes_to_a_kept_snapshot_are_refused_and_healed(paired):
    kept_one = paired.folder / "snapshots" / "sync-000001.duckdb"
    wal = left_behind(kept_one)
    with pytest.raises(StoreError, match=r"sync-000001\.duckdb\.wal: another program wrote"):
        paired.open_pair()
    with paired.writer(), paired.draft(keep_previous=False):
        pass
    assert not wal.exists()
    with paired.open_pair() as pair:
        assert pair.query("select value from before.fact").rows == [(7,)]


@pytest.mark.parametrize("code", ["", "c.execute('insert into fact values (666)');"], ids=["idle", "writing"])
def test_a_program_that_has_the_snapshot_open_for_writing_is_named(filled, code):
    program = another_program(filled.path, f"{code}c.execute('from fact'); print('ready', flush=True)")
    try:
        said = rf"audit\.duckdb: is open for writing in .*python.* \(PID {program.pid}\); close it there"
        with pytest.raises(StoreError, match=said):
            filled.open()
        with pytest.raises(StoreError, match=said), filled.trial():
            pytest.fail("a copy of a file that another program may change")
        with pytest.raises(StoreError, match=said), filled.writer(), filled.draft(keep_previous=True):
            pytest.fail("a draft of a file that another program may change")
    finally:
        program.kill()
        program.communicate(timeout=20)
    write(filled, 2)
    assert read(filled) == 2


# What a large query spills


def test_a_large_query_spills_into_a_private_folder_of_the_home(filled, tmp_path, monkeypatch):
    """DuckDB's own place is ./.tmp, readable by everyone."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    with filled.open() as snapshot:
        snapshot.connection.execute("select 1")
        spilled = Path(snapshot.query("select current_setting('temp_directory')").scalar())
        assert (spilled.parent, mode(spilled.parent)) == (filled.folder / ".spill", 0o700)
        assert not spilled.exists()
    assert list(elsewhere.iterdir()) == []


def test_spill_files_are_removed_and_those_of_a_killed_reader_swept(filled):
    reader = python(
        """
        snapshot = store.open()
        folder = snapshot.query("select current_setting('temp_directory')").scalar()
        Path(folder).mkdir()
        print(folder, flush=True)
        sys.stdin.read()
        """,
        filled.folder,
    )
    spilled = Path(reader.stdout.readline().strip())
    write(filled, 2)
    assert spilled.exists()
    reader.send_signal(signal.SIGKILL)
    reader.communicate(timeout=20)
    write(filled, 3)
    assert not spilled.exists()


def test_a_home_that_cannot_be_written_can_be_read(filled, monkeypatch):
    monkeypatch.setattr(Path, "mkdir", refusing(errno.EROFS))
    assert read(filled) == 1


# File systems without hard links, locks or permissions


def refusing(number):
    def refuse(*arguments, **options):
        raise OSError(number, os.strerror(number))

    return refuse


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS])
def test_without_hard_links_the_previous_snapshot_is_copied(filled, monkeypatch, number):
    monkeypatch.setattr(os, "link", refusing(number))
    for value in (2, 3):
        write(filled, value)
    assert kept(filled) == ["sync-000001.duckdb", "sync-000002.duckdb"]
    assert {mode(path) for path in (filled.folder / "snapshots").iterdir()} == {0o600}
    monkeypatch.undo()
    shutil.copyfile(filled.folder / "snapshots" / "sync-000002.duckdb", filled.path)
    assert read(filled) == 2
    assert not [name for name in files(filled) if name.startswith(".building")]


def test_another_error_of_a_hard_link_is_reported(filled, monkeypatch):
    monkeypatch.setattr(os, "link", refusing(errno.ENOSPC))
    with pytest.raises(StoreError, match="No space left on device; the previous snapshot is unchanged"):
        write(filled, 2)
    assert read(filled) == 1


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_without_locks_nothing_is_written(filled, monkeypatch, number):
    monkeypatch.setattr("fcntl.flock", refusing(number))
    with pytest.raises(StoreError, match="has no file locks, so two writers could not be kept apart; choose"):
        write(filled, 2)
    assert read(filled) == 1


def test_without_permissions_a_home_can_be_written(filled, monkeypatch):
    monkeypatch.setattr(Path, "chmod", refusing(errno.EPERM))
    write(filled, 2)
    assert read(filled) == 2


def test_where_folders_cannot_be_synced_a_snapshot_is_published(filled, monkeypatch):
    real = os.fsync

    def fsync(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    write(filled, 2)
    assert read(filled) == 2


# One writer


def test_a_second_writer_is_refused_at_once_with_the_name_of_the_first(filled):
    writer = python(
        """
        with store.writer():
            print("writing", flush=True)
            sys.stdin.read()
        """,
        filled.folder,
    )
    try:
        assert writer.stdout.readline() == "writing\n"
        with pytest.raises(Busy, match=rf"\(pid {writer.pid}\) is writing; try again later"), filled.writer():
            pytest.fail("two writers")
        assert read(filled) == 1
    finally:
        writer.communicate(timeout=20)
    write(filled, 2)
    assert read(filled) == 2


def test_a_second_writer_in_the_same_process_is_refused(filled):
    with filled.writer(), pytest.raises(Busy, match=rf"pid {os.getpid()}"), Store(filled.folder).writer():
        pytest.fail("two writers")


# Kept syncs


def kept(store):
    return [path.name for path in sorted((store.folder / "snapshots").iterdir())]


def test_a_sync_keeps_the_previous_snapshot_and_an_audit_does_not(filled):
    write(filled, 2, keep_previous=True)
    write(filled, 3, keep_previous=False)
    assert kept(filled) == ["sync-000001.duckdb"]
    shutil.copyfile(filled.folder / "snapshots" / "sync-000001.duckdb", filled.path)
    assert read(filled) == 1


def test_the_newest_twelve_snapshots_are_kept(filled):
    for value in range(2, KEEP_SYNCS + 4):
        write(filled, value)
    assert kept(filled) == [f"sync-{number:06d}.duckdb" for number in range(3, KEEP_SYNCS + 3)]
    assert KEEP_SYNCS == 12


def test_kept_snapshots_take_at_most_a_tenth_of_the_free_disk_but_one_stays(filled, monkeypatch):
    for value in (2, 3, 4):
        write(filled, value)
    size = filled.path.stat().st_size
    Usage = namedtuple("Usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(0, 0, 20 * size + 9))
    write(filled, 5)
    assert kept(filled) == ["sync-000003.duckdb", "sync-000004.duckdb"]
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(0, 0, 0))
    write(filled, 6)
    assert kept(filled) == ["sync-000005.duckdb"]


# Reading only


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reader")
    (folder / "secret.csv").write_text("a,b\n1,2\n")
    with audited(folder, [nrb()], [invoice()]) as snapshot:
        yield snapshot


@pytest.mark.parametrize(
    "sql",
    [
        "insert into nrb (guid) values ('x')",
        "delete from finding",
        "update nrb set rate = 1",
        "drop table nrb",
        "create table mine as select 1 as one",
        "comment on table nrb is 'mine'",
        "alter table nrb add column mine integer",
        "with mine as (insert into nrb (guid) values ('x') returning guid) select * from mine",
    ],
)
def test_a_snapshot_cannot_be_written(snapshot, sql):
    with pytest.raises(QueryFailed, match="read-only") as caught:
        snapshot.query(sql)
    assert caught.value.sql == sql
    assert snapshot.query("select count(*) from nrb").scalar() == 1


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_csv('{folder}/secret.csv')",
        "select * from '{folder}/secret.csv'",
        "select content from read_text('{folder}/secret.csv')",
        "select * from glob('{folder}/*')",
        "copy (select 1) to '{folder}/out.csv'",
        "attach '{folder}/other.duckdb' as other",
        "export database '{folder}/out'",
        "install httpfs",
        "load '{folder}/evil.duckdb_extension'",
        "set enable_external_access = true",
        "set TimeZone = 'America/Edmonton'",
        "set lock_configuration = false",
        "reset TimeZone",
    ],
)
def test_sql_cannot_reach_files_or_settings(snapshot, sql):
    folder = snapshot.path.parent.parent
    before = sorted(folder.iterdir())
    with pytest.raises(QueryFailed):
        snapshot.query(sql.format(folder=folder))
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("sql", "first"),
    [
        ("select guid from nrb", "n1"),
        ("from nrb select guid", "n1"),
        ("table nrb", "n1"),
        ("values (1)", 1),
        ("with one as (select 1 as a) select a from one", 1),
        ("describe nrb", "guid"),
        ("summarize nrb", "guid"),
        ("show tables", "acceptance"),
        ("pivot nrb on vendor_code using count(*) group by guid", "n1"),
        ("unpivot (select 1 as a) on a", "a"),
        ("explain select 1", "physical_plan"),
        ("explain analyze select 1", "analyzed_plan"),
        ("explain (select 1)", "physical_plan"),
        ("-- why?\nexplain /* how */ (format json) select 1", "physical_plan"),
        ("explain pivot nrb on vendor_code using count(*)", "physical_plan"),
    ],
)
def test_a_statement_that_reads_is_run(snapshot, sql, first):
    assert snapshot.query(sql).rows[0][0] == first


LEFT_BEHIND = """
select 'schema' as what, schema_name from duckdb_schemas() where database_name in ('memory', 'temp') and not internal
union all select 'table', table_name from duckdb_tables() where database_name <> 'audit'
union all select 'view', view_name from duckdb_views() where database_name <> 'audit' and not internal
union all select 'macro', function_name from duckdb_functions() where database_name not in ('audit', 'system')
union all select 'type', type_name from duckdb_types() where database_name <> 'system'
union all select 'variable', name from duckdb_variables()
union all select 'statement', name from duckdb_prepared_statements()
union all select 'catalog', database_name from duckdb_databases() where not internal
"""


@pytest.mark.parametrize(
    "sql",
    [
        "create schema memory.audit",
        "create view memory.nrb as select 'forged' as guid",
        "create temp table nrb as select 'forged' as guid",
        "create temp macro folded(txt) as 'forged'",
        "create type memory.color as enum ('red')",
        "set variable total = 1",
        "prepare forged as select 1",
        "attach ':memory:' as forged",
        "detach before",
        "begin",
        "commit",
        "use memory",
        "call pragma_version()",
        "pragma enable_verification",
        "explain analyze create schema memory.audit",
        "explain analyze /* select */ create temp view nrb as select 1",
        "explain -- select\n analyze create schema memory.audit",
        "explain (analyze) set variable total = 1",
        "explain analyze begin",
        "explain analyze commit",
    ],
)
def test_a_statement_that_leaves_something_behind_is_refused(snapshot, sql):
    before = snapshot.connection.execute(LEFT_BEHIND).fetchall()
    with pytest.raises(
        QueryFailed, match=r"^the SQL failed: a snapshot is read-only: write SELECT, VALUES, "
    ) as caught:
        snapshot.query(sql)
    assert caught.value.sql == sql
    assert snapshot.connection.execute(LEFT_BEHIND).fetchall() == before
    assert snapshot.query("select guid from nrb").rows == [("n1",)]


@pytest.mark.parametrize("sql", ["pivot nrb on vendor_code using count(*)", "explain analyze select setseed(0.5)"])
def test_nothing_outlives_a_question(snapshot, sql):
    """PIVOT makes a temporary type for its columns."""
    before = snapshot.connection.execute(LEFT_BEHIND).fetchall()
    snapshot.query(sql)
    assert snapshot.connection.execute(LEFT_BEHIND).fetchall() == before


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("", "there is no statement in it"),
        ("-- nothing", "there is no statement in it"),
        ("select 1; select 2", "expected one statement, found 2; ask them one by one"),
        ("select 1; create schema memory.audit", "expected one statement, found 2; ask them one by one"),
    ],
)
def test_a_question_is_one_statement(snapshot, sql, message):
    with pytest.raises(QueryFailed, match=f"^the SQL failed: {message}$"):
        snapshot.query(sql)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("attach '{folder}/other.duckdb' as other", "disabled"),
        ("copy (select 1) to '{folder}/out.csv'", "disabled"),
        ("set enable_external_access = true", "locked"),
        ("set TimeZone = 'America/Edmonton'", "locked"),
    ],
)
def test_a_connection_to_a_snapshot_is_locked_down(snapshot, sql, words):
    """Beneath the check of statements: no file and no setting can be reached."""
    with pytest.raises(duckdb.Error, match=words):
        snapshot.connection.execute(sql.format(folder=snapshot.path.parent))


def test_a_query_takes_parameters_by_position_or_name(snapshot):
    assert snapshot.query("select guid from nrb where guid = ?", ["n1"]).rows == [("n1",)]
    assert snapshot.query("select guid from nrb where guid = $guid", {"guid": "n1"}).rows == [("n1",)]
    assert snapshot.query("select guid from nrb where guid = $guid", {"guid": "' or true --"}).rows == []


def test_instants_are_in_utc(snapshot):
    assert snapshot.query("select created_at::varchar from nrb").scalar() == "2026-09-10 12:00:00+00"


def test_sql_in_a_draft_cannot_reach_files(store, tmp_path):
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with store.writer(), store.draft(keep_previous=False) as draft, pytest.raises(QueryFailed):
        draft.query(f"select * from read_csv('{tmp_path}/secret.csv')")


# Two snapshots at once


@pytest.fixture
def paired(filled):
    """The kept file sync-000001 holds sync 7; the newest snapshot holds sync 8."""
    for sync_id in (7, 8):
        with filled.writer(), filled.draft(keep_previous=sync_id == 8) as draft:
            draft.query(f"create or replace table audit_run as select {sync_id} as sync_id")
            draft.query(f"create or replace table fact as select {sync_id} as value")
    return filled


def test_two_snapshots_can_be_read_at_once(paired):
    assert kept(paired) == ["sync-000001.duckdb"]
    with paired.open_pair(7, 8) as pair:
        write(paired, 9)
        assert (fact(pair), pair.query("select value from before.fact").scalar()) == (8, 7)
        assert pair.path == paired.path


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("insert into fact values (1)", "read-only"),
        ("insert into before.fact values (1)", "read-only"),
        ("select * from read_csv('{folder}/secret.csv')", "disabled"),
        ("attach '{folder}/writer.lock' as other", "read-only"),
        ("set enable_external_access = true", "read-only"),
    ],
)
def test_a_pair_is_locked_down_like_a_single_snapshot(paired, sql, words):
    (paired.folder / "secret.csv").write_text("a\n1\n")
    with paired.open_pair() as pair, pytest.raises(QueryFailed, match=words):
        pair.query(sql.format(folder=paired.folder))


def test_a_kept_file_that_is_not_a_snapshot_is_named_when_it_is_needed(paired):
    (paired.folder / "snapshots" / "sync-000000.duckdb").write_bytes(b"not a database")
    with paired.open_pair() as pair:
        assert fact(pair) == 8
    with pytest.raises(StoreError, match=r"sync-000000\.duckdb: cannot be opened as a snapshot"):
        paired.open_pair(1)


def test_open_pair_fails_before_the_first_sync(store):
    with pytest.raises(NoSnapshot, match="nothing has been synced yet"):
        store.open_pair()


# The contract for ad-hoc SQL


def test_every_public_table_and_column_has_a_comment(snapshot):
    silent = """
        select table_name as name from duckdb_tables() where database_name = 'audit' and comment is null
        union all
        select table_name || '.' || column_name from duckdb_columns()
        where database_name = 'audit' and not internal and comment is null
    """
    assert snapshot.query(silent).rows == []


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        (
            "nrb",
            "guid external_id origin_reference job_number wbs_identifier po_number vendor_code vendor_invoice_number"
            " vendor_invoice_date name type_name document_type account_type is_billable is_internal is_exported"
            " should_reconcile_with_po rate quantity vendor_tax upcharge_percent markup_applies_on total_after_markup"
            " billed_in_guid billed_in_name parent_guid is_leaf notes created_at created_by updated_at",
        ),
        (
            "invoice",
            "jnid guid external_id number status status_name is_active is_archived invoice_date invoice_at due_date"
            " subtotal tax total cost margin total_paid due customer created_by sales_rep_name created_at updated_at"
            " status_changed_at paid_in_full_at",
        ),
        (
            "invoice_item",
            "jnid position item_jnid name description uom item_type quantity price amount amount_derived cost tax_rate"
            " labor_price labor_amount",
        ),
        ("invoice_related", "jnid position related_id type number name"),
        ("payment", "jnid position"),
        ("job_map", "aimsio_job_number jobnimbus_job_number"),
        ("link", "nrb_guid jnid position method component invoiced_amount"),
        ("undecided", "nrb_guid jnid position reason"),
        ("evidence", "nrb_guid jnid position kind points terms"),
        ("job_reconciliation", "job_number variance verdict"),
        ("statement", "scope key position code label amount gross items is_subtotal"),
        (
            "statement_item",
            "position label subject_type subject_id nrb_guid jnid line_position job_number month vendor_code type_name"
            " amount",
        ),
        (
            "statement_offset",
            "scope key amount minus_label minus_type minus_id minus_nrb_guid"
            " plus_label plus_type plus_id plus_nrb_guid",
        ),
        ("audit_run", "snapshot_id sync_id as_of parameters verdict counts"),
        (
            "finding",
            "rule_id severity subject_type subject_id job_number amount_at_risk reason evidence fingerprint state",
        ),
        ("rule", "rule_id"),
        ("sync_run", "sync_id status"),
        ("sync_source", "sync_id source listed vanished control_total"),
        ("quarantine", "subject_type subject_id field reason"),
        ("journal", "seq kind body"),
    ],
)
def test_column_names_that_ad_hoc_sql_relies_on(snapshot, table, columns):
    found = {row[0] for row in snapshot.query(f"describe {table}").rows}
    assert set(columns.split()) <= found


SENT = "tax cost total_paid due vendor_tax total_after_markup labor_amount"
SUMMED = "invoiced_amount line_total variance billable_total linked_line_total gross amount_at_risk"


def test_column_types_that_ad_hoc_sql_relies_on(snapshot):
    sql = "select table_name, column_name, data_type from duckdb_columns() where schema_name = 'main'"
    rows = snapshot.query(sql).rows
    assert [row[:2] for row in rows if row[2] in ("DOUBLE", "FLOAT")] == [("evidence", "expected")]  # not money
    assert {kind for _, name, kind in rows if name in SENT.split()} == {"DECIMAL(18,2)"}
    assert {kind for _, name, kind in rows if name in SUMMED.split()} == {"DECIMAL(38,2)"}
    assert {kind for _, name, kind in rows if name in ("rate", "quantity", "price")} == {"DECIMAL(24,6)"}
    assert {kind for _, name, kind in rows if name.endswith("_at")} == {"TIMESTAMP WITH TIME ZONE"}
    assert {kind for _, name, kind in rows if name in ("invoice_date", "due_date", "created_on", "month")} == {"DATE"}
    assert {kind for _, name, kind in rows if name in ("guid", "jnid", "number", "job_number")} == {"VARCHAR"}


def test_raw_tables_and_history_survive_a_rebuilt_schema(store):
    with store.writer(), store.draft(keep_previous=False) as draft:
        rebuild_schema(draft)
        draft.insert("raw.held", {"subject_type": ["nrb"], "subject_id": ["a"], "version": [1]})
        draft.query("insert into finding_history (fingerprint) values ('f')")
        draft.query("insert into nrb (guid) values ('a')")
    with store.writer(), store.draft(keep_previous=False) as draft:
        rebuild_schema(draft)
    with store.open() as snapshot:
        kept_rows = [
            snapshot.query(f"select count(*) from {t}").scalar() for t in ("raw.held", "finding_history", "nrb")
        ]
    assert kept_rows == [1, 1, 0]


def test_spill_files_of_a_killed_writer_are_removed(tmp_path):
    spilled = tmp_path / ".building-1.duckdb.tmp"
    spilled.mkdir()
    (spilled / "part").touch()
    with Store(tmp_path).writer():
        assert not spilled.exists()


# Trials: copies that are never published


def test_a_trial_is_private_and_leaves_no_files(filled):
    before = {path: path.read_bytes() for path in filled.folder.rglob("*") if path.is_file()}
    with filled.trial() as draft:
        draft.query("update fact set value = 2")
        assert {mode(path) for path in draft.path.parent.rglob("*")} <= {0o600, 0o700}
        assert fact(draft) == 2 and read(filled) == 1
    assert {path: path.read_bytes() for path in filled.folder.rglob("*") if path.is_file()} == before
    assert not list(filled.folder.glob(".trial-*"))


def test_a_failing_statement_in_a_trial_undoes_nothing_else(filled):
    with filled.trial() as draft:
        draft.query("update fact set value = 2")
        with pytest.raises(QueryFailed):
            draft.query("select cast('x' as int) from fact")
        assert fact(draft) == 2


def test_a_trial_fails_before_the_first_sync(store):
    with pytest.raises(NoSnapshot, match="auditkit sync"), store.trial():
        pass


def test_a_writer_leaves_a_running_trial_and_removes_a_killed_one(filled):
    killed = python(
        """
        with store.trial() as draft:
            print("copied", flush=True)
            sys.stdin.read()
        """,
        filled.folder,
    )
    assert killed.stdout.readline() == "copied\n"
    write(filled, 2)
    assert len(list(filled.folder.glob(".trial-*"))) == 1
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=20)
    with filled.trial() as draft:
        write(filled, 3)
        assert [draft.path.parent] == list(filled.folder.glob(".trial-*"))
        assert fact(draft) == 2
    assert read(filled) == 3
