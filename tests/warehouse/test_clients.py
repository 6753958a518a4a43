"""Older DuckDB clients open a snapshot and read the same values; `make clients` installs them below build/clients."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from auditkit.warehouse.snapshots import STORAGE_VERSION
from tests.world import audited, invoice, line, nrb, unbilled

CLIENTS = Path(__file__).parents[2] / "build" / "clients"
VERSIONS = ("1.2", "1.3", "1.4", "1.5")
READ = """
import json, sys
import duckdb

found = {}
with duckdb.connect(sys.argv[1], read_only=True) as connection:
    connection.execute("set TimeZone = 'UTC'")
    columns = {}
    for schema, table, column in connection.execute(
        "select schema_name, table_name, column_name from duckdb_columns() where not internal order by all"
    ).fetchall():
        columns.setdefault(f'"{schema}"."{table}"', []).append(column)
    for table, names in columns.items():
        text = " || '|' || ".join(f'coalesce(cast("{name}" as varchar), chr(1))' for name in names)
        found[table] = connection.execute(
            f"with line as (select {text} as text from {table})"
            " select count(*), md5(coalesce(string_agg(text, chr(2) order by text), '')) from line"
        ).fetchone()
    found["comments"] = connection.execute("select count(comment) from duckdb_columns() where not internal").fetchone()
    found["macros"] = connection.execute(
        "select folded('  Ab '), cast(tokens('AB-12 c') as varchar), lookalike_key('АB'), one_edit_apart('ab', 'ba'),"
        " cast(money_div(cast(10 as decimal(18, 2)), 3) as varchar), usable_reference('AP-7123')"
    ).fetchone()
print(json.dumps(found, sort_keys=True))
"""


def read(path: Path, client: Path | None = None) -> dict[str, object]:
    """Count and digest of every table, as one client reads it."""
    environment = {**os.environ, "PYTHONPATH": str(client)} if client else None
    command = [sys.executable, "-c", READ, str(path)]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert ran.returncode == 0, ran.stderr
    return dict(json.loads(ran.stdout))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    nrbs = [nrb(), unbilled("n2", nrbVendorTax="37.125", nrbNotes=["x"]), nrb("n3", nrbParentGuid="n1")]
    invoices = [invoice([line(), line("Labor", None, quantity="1e2", price="0.333333333333")], payments=[{"a": 1.10}])]
    with audited(tmp_path_factory.mktemp("clients"), nrbs, invoices) as snapshot:
        yield snapshot.path


def test_a_snapshot_is_in_the_format_that_is_promised(path):
    """DuckDB numbers the formats of its files; the number is at a fixed place."""
    assert (STORAGE_VERSION, int.from_bytes(path.read_bytes()[12:20], "little")) == ("v1.2.0", 65)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_older_client_reads_the_same(path, version):
    client = CLIENTS / version
    if not client.is_dir():
        pytest.skip(f"DuckDB {version} is not installed; run `make clients`")
    expected = read(path)
    assert expected['"main"."nrb"'][0] == 3
    assert read(path, client) == expected
