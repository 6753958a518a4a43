"""How well and how fast NRBs are linked to invoice lines, beside what else one might reach for.

    python benchmarks/linking.py [--jobs 200] [--large 10000]

The same planted world (`planted.py`) goes to the ladder, to the nearest amount within the job, to datacompy joined on
job and amount, and to splink trained on the world itself; precision and recall are over pairs of NRB and line. Then the
ladder alone links a large world. The two peers are installed by the extra `benchmarks`; one that is missing is said.
"""

import argparse
import importlib.util
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
from planted import Pair, World, plant

from auditkit.checks.engine import Engine
from auditkit.checks.linking import link
from auditkit.warehouse.schema import rebuild_schema
from auditkit.warehouse.snapshots import Draft

_NRB = """
insert into nrb by name
select guid, job as job_number, reference as origin_reference, vendor_number as vendor_invoice_number,
    cast(cents * 0.01 as decimal(18, 2)) as total_after_markup, mark as billed_in_name, true as is_leaf,
    true as is_billable, false as is_internal
from loaded
"""
_LINE = """
insert into invoice_item by name
select jnid, position, md5(jnid || '/' || position) as line_key, text as description,
    cast(cents * 0.01 as decimal(18, 2)) as amount
from loaded
"""
_TOKEN = """
insert into line_token
select distinct jnid, position, token
from (select jnid, position, unnest(tokens(description)) as token from invoice_item)
where token = usable_reference(token)
"""
_INVOICE = """
insert into invoice by name
select jnid, 'INV-' || jnid as number, true as is_active, 'Sent' as status_name from loaded
"""
_RELATED = """
insert into invoice_related by name
select jnid, 0 as position, 'J' || job as related_id, 'job' as type, job as number from loaded
"""


def main() -> None:
    """Print the table of peers and the time of the large world."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=200, help="jobs of 20 NRBs for the comparison")
    parser.add_argument("--large", type=int, default=10_000, help="jobs of 20 NRBs for the ladder alone; 0 = none")
    chosen = parser.parse_args()
    world = plant(chosen.jobs)
    print(f"{len(world.nrbs):,} NRBs, {len(world.lines):,} lines, {len(world.truth):,} planted links")
    print(f"{'':<16}{'precision':>10}{'recall':>10}{'seconds':>10}")
    for name, peer in (("auditkit", ladder), ("nearest amount", nearest), ("datacompy", compared), ("splink", scored)):
        if name in ("datacompy", "splink") and importlib.util.find_spec(name) is None:
            print(f"{name:<16}  not installed: pip install 'auditkit[benchmarks]'")
        else:
            _measure(name, peer, world)
    if chosen.large:
        print(f"\n{chosen.large:,} jobs of 20 NRBs, loaded before the clock starts")
        _measure("auditkit", ladder, plant(chosen.large))


def _measure(name: str, peer: Callable[[World], tuple[set[Pair], float]], world: World) -> None:
    found, seconds = peer(world)
    right = len(found & world.truth)
    precision, recall = right / max(len(found), 1), right / len(world.truth)
    print(f"{name:<16}{precision:>10.4f}{recall:>10.4f}{seconds:>10.1f}")


def ladder(world: World) -> tuple[set[Pair], float]:
    """Ours, on typed tables."""
    with duckdb.connect(":memory:") as connection:
        connection.execute("set TimeZone = 'UTC'")
        draft = Draft(Path("memory"), connection)
        rebuild_schema(draft)
        _load(draft, world)
        engine = Engine(draft)
        engine.source("draft_status", ("name",), [("draft",)])
        engine.source("decision_link", ("nrb_guid", "line_key"), [])
        engine.source("decision_forbid", ("nrb_guid", "jnid", "line_key"), [])
        engine.source("job_map_file", ("aimsio_job_number", "jobnimbus_job_number"), [])
        start = time.perf_counter()
        link(engine, {"as_of": date(2026, 9, 30), "tolerance": Decimal("0.00")})
        seconds = time.perf_counter() - start
        rows = draft.query("select nrb_guid, jnid, position from link where position is not null").rows
    return {(nrb, jnid, position) for nrb, jnid, position in rows}, seconds


def _load(draft: Draft, world: World) -> None:
    def fill(names: Sequence[str], rows: Iterable[tuple[object, ...]], *statements: str) -> None:
        columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
        places = ", ".join(f"unnest(${name}) as {name}" for name in names)
        draft.query(f"create or replace temp table loaded as select {places}", columns)
        for statement in statements:
            draft.query(statement)

    fill(("guid", "job", "reference", "vendor_number", "cents", "mark"), world.nrbs, _NRB)
    fill(("jnid", "position", "text", "cents"), world.lines, _LINE, _TOKEN)
    fill(("jnid", "job"), world.invoices, _INVOICE, _RELATED)


def nearest(world: World) -> tuple[set[Pair], float]:
    """Each NRB on the line of its job whose amount is nearest."""
    start = time.perf_counter()
    job_of = dict(world.invoices)
    lines: dict[str, list[tuple[int, str, int]]] = defaultdict(list)
    for jnid, position, _, cents in world.lines:
        lines[job_of[jnid]].append((cents, jnid, position))
    found = set()
    for guid, job, _, _, cents, _ in world.nrbs:
        _, jnid, position = min(lines[job], key=lambda line, cents=cents: (abs(line[0] - cents), line))
        found.add((guid, jnid, position))
    return found, time.perf_counter() - start


def compared(world: World) -> tuple[set[Pair], float]:
    """What datacompy takes for the same row: the same job and amount."""
    import datacompy  # noqa: PLC0415  an extra that may be missing

    nrbs, lines = _frames(world)
    start = time.perf_counter()
    both = datacompy.Compare(
        nrbs, lines, join_columns=["job", "cents"], df1_name="nrbs", df2_name="lines"
    ).intersect_rows
    pairs = zip(both["nrb_id"], both["line_id"], strict=True)
    return {_pair(nrb, line) for nrb, line in pairs}, time.perf_counter() - start


def scored(world: World) -> tuple[set[Pair], float]:
    """What splink finds more likely than not: job as the block; amount, reference and vendor's number compared."""
    import splink.comparison_library as compare  # noqa: PLC0415  an extra that may be missing
    from splink import Linker, SettingsCreator, block_on  # noqa: PLC0415
    from splink.backends.duckdb import DuckDBAPI  # noqa: PLC0415

    nrbs, lines = (frame.rename(columns={key: "unique_id"}) for frame, key in zip(_frames(world), _KEYS, strict=True))
    start = time.perf_counter()
    comparisons = [compare.ExactMatch(name) for name in ("cents", "reference", "vendor_number")]
    settings = SettingsCreator("link_only", comparisons, [block_on("job")], 1 / 25, retain_matching_columns=False)
    api = DuckDBAPI()
    tables = [api.register(frame, dataset_display_name=name) for frame, name in ((nrbs, "a_nrbs"), (lines, "b_lines"))]
    linker = Linker(tables, settings, log_level="ERROR")
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("job"))
    rows = linker.inference.predict(threshold_match_probability=0.5).as_pandas_dataframe()
    found = {_pair(nrb, line) for nrb, line in zip(rows["unique_id_l"], rows["unique_id_r"], strict=True)}
    return found, time.perf_counter() - start


_KEYS = ("nrb_id", "line_id")


def _frames(world: World) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both sides with job, cents, and the references in columns of their own: the peers do not read text."""
    job_of = dict(world.invoices)
    nrbs = pd.DataFrame(
        [(guid, job, cents, own, vendor) for guid, job, own, vendor, cents, _ in world.nrbs],
        columns=["nrb_id", "job", "cents", "reference", "vendor_number"],
    )
    lines = pd.DataFrame(
        [
            (f"{jnid}/{position}", job_of[jnid], cents, _first(r"REF-\S+", text), _first(r"AP-\S+", text))
            for jnid, position, text, cents in world.lines
        ],
        columns=["line_id", "job", "cents", "reference", "vendor_number"],
    )
    return nrbs, lines


def _first(pattern: str, text: str) -> str | None:
    found = re.search(pattern, text)
    return found[0] if found else None


def _pair(nrb: str, line: str) -> Pair:
    jnid, position = line.rsplit("/", 1)
    return nrb, jnid, int(position)


if __name__ == "__main__":
    main()
