"""How well and how fast NRBs are linked to invoice lines on untidy books, beside what else one might reach for.

    python -m benchmarks.linking [--seeds 6 7 8] [--jobs 300] [--hard] [--large 10000]

The same worlds (`untidy.py`, the whole truth known) go to auditkit, to a plain join on references within the job, and
to splink trained on the world itself. Precision and recall are over pairs of NRB and line; the last two columns are
shares of money: billed on issued invoices but called unbilled, and billed nowhere but charged by what was linked. A
peer calls unbilled what it does not link and no mark names. Then auditkit alone links one large world. Splink is
installed by the extra `benchmarks`; if it is missing, that is said.
"""

import argparse
import importlib.util
import re
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd

from auditkit.checks.engine import Engine
from auditkit.checks.linking import link
from auditkit.warehouse.schema import rebuild_schema
from auditkit.warehouse.snapshots import Draft
from benchmarks.untidy import Pair, World, untidy

NRB_COLUMNS = (
    "guid", "origin_reference", "job_number", "vendor_code", "vendor_invoice_number", "vendor_invoice_date",
    "total_after_markup", "billed_in_guid", "billed_in_name",
)  # fmt: skip
INVOICE_COLUMNS = ("jnid", "guid", "number", "status_name", "is_active", "invoice_date")
ITEM_COLUMNS = ("jnid", "position", "line_key", "name", "description", "item_type", "amount")
RELATED_COLUMNS = ("jnid", "position", "related_id", "type", "number", "name")
DRAFT, VOID = ("draft",), ("void", "voided", "canceled", "cancelled", "deleted")

WIDTHS = (10, 10, 16, 18, 9)
# What a way of linking found: pairs with what is charged for the NRB, the NRBs that it calls unbilled, its seconds.
Found = tuple[dict[Pair, Decimal], set[str], float]


def main() -> None:
    """Print the table of peers for each seed, and the time of the large world."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[6, 7, 8], help="worlds to compare on")
    parser.add_argument("--jobs", type=int, default=300, help="jobs of 10 NRBs in each of them")
    parser.add_argument("--hard", action="store_true", help="with lines that only look like costs nobody billed")
    parser.add_argument("--large", type=int, default=10_000, help="jobs of 10 NRBs for auditkit alone; 0 = none")
    chosen = parser.parse_args()
    heads = ("precision", "recall", "billed, called", "unbilled, charged", "seconds")
    print(f"{'':<28}" + "".join(f"{head:>{width}}" for head, width in zip(heads, WIDTHS, strict=True)))
    print(f"{'unbilled':>64}{'all the same':>18}")
    for seed in chosen.seeds:
        world = untidy(seed, chosen.jobs, hard=chosen.hard)
        print(f"seed {seed}: {len(world.nrbs):,} NRBs, {world.lines:,} lines, {len(world.truth):,} pairs")
        for name, peer in (("auditkit", linked), ("join on references", joined), ("splink", scored)):
            if name == "splink" and importlib.util.find_spec("splink") is None:
                print(f"  {name:<26}  not installed: pip install 'auditkit[benchmarks]'")
            else:
                _print(name, world, *peer(world))
    if chosen.large:
        world = untidy(1, chosen.large, hard=chosen.hard)
        print(f"{len(world.nrbs):,} NRBs, {world.lines:,} lines, loaded before the clock starts")
        _print("auditkit", world, *linked(world))


@dataclass(frozen=True)
class Figures:
    """Shares between 0 and 1: of pairs, then of money."""

    precision: float
    recall: float
    billed_called_unbilled: float
    unbilled_charged: float


def figures(world: World, pairs: dict[Pair, Decimal], unbilled: set[str]) -> Figures:
    """How right a way of linking is on a world."""
    issued = {invoice.jnid for invoice in world.invoices if invoice.is_issued}
    right = len(pairs.keys() & world.truth)
    billed = {guid for guid, jnid, _ in world.truth if jnid in issued}
    free = {nrb.guid for nrb in world.nrbs if nrb.kind == "unbilled"}
    total = {nrb.guid: nrb.total for nrb in world.nrbs}
    charged: dict[str, Decimal] = defaultdict(Decimal)
    for (guid, jnid, _), amount in pairs.items():
        charged[guid] += amount if jnid in issued else 0
    missed = sum(total[guid] for guid in billed & unbilled) / sum(total[guid] for guid in billed)
    invented = sum(min(charged[guid], total[guid]) for guid in free) / sum(total[guid] for guid in free)
    return Figures(right / max(len(pairs), 1), right / len(world.truth), float(missed), float(invented))


def _print(name: str, world: World, pairs: dict[Pair, Decimal], unbilled: set[str], seconds: float) -> None:
    found = figures(world, pairs, unbilled)
    print(f"  {name:<26}{found.precision:>10.4f}{found.recall:>10.4f}", end="")
    print(f"{found.billed_called_unbilled:>16.2%}{found.unbilled_charged:>18.2%}{seconds:>9.1f}")


def linked(world: World) -> Found:
    """Ours, on typed tables."""
    with duckdb.connect(":memory:") as connection:
        connection.execute("set TimeZone = 'UTC'; set threads = 2")
        draft = Draft(Path("memory"), connection)
        rebuild_schema(draft)
        _load(draft, world)
        engine = Engine(draft)
        engine.source("draft_status", ("name",), [(name,) for name in DRAFT])
        engine.source("void_status", ("name",), [(name,) for name in VOID])
        engine.source("decision_link", ("nrb_guid", "line_key"), [])
        engine.source("decision_forbid", ("nrb_guid", "jnid", "line_key"), [])
        engine.source("job_map_file", ("aimsio_job_number", "jobnimbus_job_number"), [])
        start = time.perf_counter()
        link(engine, {"tolerance": Decimal("0.00"), "vendor_tax": "ask"})
        seconds = time.perf_counter() - start
        rows = draft.query("select nrb_guid, jnid, position, invoiced_amount from link").rows
        pairs = {(nrb, jnid, position): amount for nrb, jnid, position, amount in rows}
        sql = "select guid from nrb_state where state = 'unbilled' and not look_first"
        return pairs, {guid for (guid,) in draft.query(sql).rows}, seconds


def _load(draft: Draft, world: World) -> None:
    def fill(table: str, columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
        values = zip(*rows, strict=True)
        draft.insert(table, dict(zip(columns, map(list, values), strict=True)))

    fill(
        "nrb", NRB_COLUMNS,
        [
            (n.guid, n.reference, n.job, n.vendor, n.vendor_number, n.day, str(n.total), n.mark_guid, n.mark_name)
            for n in world.nrbs
        ],
    )  # fmt: skip
    draft.query(
        "update nrb set is_leaf = true, is_billable = true, is_internal = false, is_exported = true,"
        " created_on = vendor_invoice_date"
    )
    fill(
        "invoice", INVOICE_COLUMNS,
        [(i.jnid, i.guid, i.number, i.status, i.is_active, i.day) for i in world.invoices],
    )  # fmt: skip
    fill(
        "invoice_item", ITEM_COLUMNS,
        [
            (i.jnid, place, f"{i.jnid}#{place}", "Item", text, kind, str(amount))
            for i in world.invoices
            for place, (text, amount, kind) in enumerate(i.lines)
        ],
    )  # fmt: skip
    fill(
        "invoice_related", RELATED_COLUMNS,
        [(i.jnid, 0, f"x{i.job}", "job", i.job, i.job_name) for i in world.invoices],
    )  # fmt: skip


def joined(world: World) -> Found:
    """What an analyst's join finds: a line of the job whose text holds one of the NRB's two references, letters and
    digits compared."""
    nrbs, lines = _frames(world)
    start = time.perf_counter()
    tokens = lines.explode("tokens").rename(columns={"tokens": "reference"})[["line_id", "job", "reference"]]
    names = nrbs.melt(["nrb_id", "job"], ["reference", "vendor_number"], value_name="text").dropna()
    both = names.merge(tokens, left_on=["job", "text"], right_on=["job", "reference"])
    pairs = {_pair(nrb, line) for nrb, line in zip(both["nrb_id"], both["line_id"], strict=True)}
    seconds = time.perf_counter() - start
    return _charged(world, pairs), _called_unbilled(world, pairs), seconds


def scored(world: World) -> Found:
    """What splink finds more likely than not: the job as the block; amount, reference and vendor's number compared with
    the first reference in the line's text."""
    import splink.comparison_library as compare  # noqa: PLC0415  an extra that may be missing
    from splink import Linker, SettingsCreator, block_on  # noqa: PLC0415
    from splink.backends.duckdb import DuckDBAPI  # noqa: PLC0415

    nrbs, lines = _frames(world)
    lines["reference"] = lines["vendor_number"] = lines["tokens"].map(lambda tokens: tokens[0] if tokens else None)
    nrbs = nrbs.rename(columns={"nrb_id": "unique_id"})
    lines = lines.rename(columns={"line_id": "unique_id"}).drop(columns="tokens")
    start = time.perf_counter()
    comparisons = [compare.ExactMatch(name) for name in ("cents", "reference", "vendor_number")]
    settings = SettingsCreator("link_only", comparisons, [block_on("job")], 1 / 25, retain_matching_columns=False)
    api = DuckDBAPI()
    tables = [api.register(frame, dataset_display_name=name) for frame, name in ((nrbs, "a_nrbs"), (lines, "b_lines"))]
    linker = Linker(tables, settings, log_level="ERROR")
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("job"))
    rows = linker.inference.predict(threshold_match_probability=0.5).as_pandas_dataframe()
    pairs = {_pair(nrb, line) for nrb, line in zip(rows["unique_id_l"], rows["unique_id_r"], strict=True)}
    seconds = time.perf_counter() - start
    return _charged(world, pairs), _called_unbilled(world, pairs), seconds


def _charged(world: World, pairs: set[Pair]) -> dict[Pair, Decimal]:
    """A peer shares no line out: each link charges the whole line."""
    amount_of = {(i.jnid, place): amount for i in world.invoices for place, (_, amount, _) in enumerate(i.lines)}
    return {(nrb, jnid, position): amount_of[jnid, position] for nrb, jnid, position in pairs}


def _called_unbilled(world: World, pairs: set[Pair]) -> set[str]:
    """What a peer leaves: no link, and no mark."""
    found = {guid for guid, _, _ in pairs}
    return {nrb.guid for nrb in world.nrbs if nrb.guid not in found and not (nrb.mark_guid or nrb.mark_name)}


def _frames(world: World) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both sides with job and cents; references in capitals without separators, as the peers do not read text."""
    nrbs = pd.DataFrame(
        [
            (nrb.guid, nrb.job, int(nrb.total * 100), _plain(nrb.reference), _plain(nrb.vendor_number))
            for nrb in world.nrbs
        ],
        columns=["nrb_id", "job", "cents", "reference", "vendor_number"],
    )
    lines = pd.DataFrame(
        [
            (f"{invoice.jnid}/{place}", invoice.job, int(amount * 100), _references(text))
            for invoice in world.invoices
            for place, (text, amount, _) in enumerate(invoice.lines)
        ],
        columns=["line_id", "job", "cents", "tokens"],
    )
    return nrbs, lines


def _plain(text: str | None) -> str | None:
    return re.sub(r"[^A-Z0-9]", "", text.upper()) if text else None


def _references(text: str) -> list[str]:
    """Runs of a few letters, perhaps a separator, and at least three digits."""
    return [str(_plain(run)) for run in re.findall(r"\b(?:[A-Za-z]{1,3}[-\u2013 ]?)?\d{3,}\b", text)]


def _pair(nrb: str, line: str) -> Pair:
    jnid, position = line.rsplit("/", 1)
    return nrb, jnid, int(position)


if __name__ == "__main__":
    main()
