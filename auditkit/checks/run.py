"""One audit: the typed tables of a draft snapshot in, links, reconciliation, statement and findings out.

Offline and repeatable: the same typed tables, parameters, rules and decisions give the same result and the same
snapshot id, whenever and wherever it runs.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from auditkit.checks.engine import Engine
from auditkit.checks.findings import find
from auditkit.checks.lifecycle import live, warnings
from auditkit.checks.linking import link
from auditkit.checks.map_files import JOB_MAP_COLUMNS, MARKUP_COLUMNS
from auditkit.checks.reconcile import reconcile
from auditkit.checks.rules import Rule, Value, load_rules, load_steps
from auditkit.errors import SettingsError
from auditkit.progress import notice, progress
from auditkit.settings import VOID_STATUS_NAMES
from auditkit.sql import filled, read
from auditkit.warehouse.snapshots import Draft

__all__ = ["Decisions", "Parameters", "prepare", "run", "usable_rules"]

_STEPS_BEFORE_RULES = 20  # linking and reconciling take about as long as this many rules


@dataclass(frozen=True)
class Parameters:
    """What an audit is run with, beside the data: it is written into the snapshot."""

    as_of: date
    time_zone: str
    environment: str
    account: str
    tolerance: Decimal = Decimal("0.00")
    draft_status_names: tuple[str, ...] = ("draft",)
    void_status_names: tuple[str, ...] = VOID_STATUS_NAMES
    vendor_tax: str = "ask"
    labor_in_amount: str = "auto"
    surge: int = 50
    thresholds: Mapping[str, Mapping[str, Any]] | None = None
    own_rules: Path = Path("rules")

    @property
    def common(self) -> dict[str, Value]:
        """The parameters that every rule is given."""
        return {
            "as_of": self.as_of,
            "labor_in_amount": self.labor_in_amount,
            "tolerance": self.tolerance,
            "vendor_tax": self.vendor_tax,
        }

    def shown(self) -> dict[str, Any]:
        """The parameters as JSON values, money as text."""
        return {
            "as_of": self.as_of.isoformat(),
            "draft_status_names": list(self.draft_status_names),
            "void_status_names": list(self.void_status_names),
            "vendor_tax": self.vendor_tax,
            "labor_in_amount": self.labor_in_amount,
            "surge": self.surge,
            "rules": {rule: {k: str(v) for k, v in values.items()} for rule, values in (self.thresholds or {}).items()},
            "time_zone": self.time_zone,
            "tolerance": format(self.tolerance, "f"),
        }


@dataclass(frozen=True)
class Decisions:
    """What people decided: rows of the journal and of job_map.csv, as text.

    `links`: (nrb_guid, line_key); `forbidden`: (nrb_guid, jnid, line_key or None); `jobs`: (Aimsio, JobNimbus number);
    `markups`: (vendor code, type, percent) of markup.csv;
    `acceptances`: findings that were accepted and not taken back (`lifecycle.ACCEPTANCE_COLUMNS`);
    `journal`: every record as (seq, instant, kind, body as JSON, hash), shown in the table of that name.
    """

    links: Sequence[tuple[str, ...]] = ()
    forbidden: Sequence[tuple[str | None, ...]] = ()
    jobs: Sequence[tuple[str, ...]] = ()
    markups: Sequence[tuple[str | None, ...]] = ()
    acceptances: Sequence[tuple[str | None, ...]] = ()
    journal: Sequence[tuple[int, datetime, str, str, str]] = ()


def usable_rules(parameters: Parameters) -> list[Rule]:
    """Every rule that an audit would run, with thresholds that fit. Raises `RuleError` or `SettingsError`."""
    rules = load_rules(parameters.own_rules)
    thresholds = parameters.thresholds or {}
    unknown = set(thresholds) - {rule.name for rule in rules}
    if unknown:
        raise SettingsError(f"auditkit.toml: no rule is called {', '.join(sorted(unknown))}")
    for rule in rules:
        rule.values(parameters.common, thresholds.get(rule.name, {}))
    return rules


def run(draft: Draft, parameters: Parameters, decisions: Decisions) -> None:
    """Audit the newest sync of a draft whose typed tables are filled and whose derived tables are empty.

    Raises `RuleError` for a malformed rule file, before anything is changed, and for a rule that fails on this data.
    Lines of job_map.csv whose jobs are not in the snapshot are named in one line to whoever waits, and counted.
    """
    rules = usable_rules(parameters)
    with progress("Auditing", _STEPS_BEFORE_RULES + len(rules), "step") as advance:
        engine = prepare(draft, parameters, decisions)
        advance(_STEPS_BEFORE_RULES)
        find(engine, rules, parameters.common, parameters.thresholds or {}, advance)
    if unknown := [" = ".join(pair) for pair in engine.query(read("queries/unknown_jobs")).rows]:
        notice(f"job_map.csv: {len(unknown)} lines name a job that this snapshot does not hold: {', '.join(unknown)}")
    sync_id = int(engine.query("select max(sync_id) from sync_run").scalar())
    live(engine, decisions.acceptances, parameters.as_of, sync_id)
    _expose(engine, rules, parameters)
    warned = warnings(engine, parameters.surge)
    _record(draft, parameters, warned, _snapshot_id(draft, parameters, rules, decisions, sync_id))


def _expose(engine: Engine, rules: Sequence[Rule], parameters: Parameters) -> None:
    """Fill `exposure`: each cost and invoice once per side, with what the findings say of it."""
    (unbilled,) = [rule for rule in rules if rule.name == "nrb-unbilled"]
    grace = unbilled.values(parameters.common, (parameters.thresholds or {}).get(unbilled.name, {}))["days"]
    for step in load_steps("exposure"):
        engine.run(step, {**parameters.common, "grace_days": grace})


def prepare(draft: Draft, parameters: Parameters, decisions: Decisions) -> Engine:
    """Everything that a rule may ask: links and reconciliation, from typed tables that are filled."""
    engine = Engine(draft)
    for table, names in (
        ("draft_status", parameters.draft_status_names),
        ("void_status", parameters.void_status_names),
    ):
        folded = {name.strip().lower() for name in names}
        engine.source(table, ("name",), [(name,) for name in sorted(folded) if name])
    engine.source("decision_link", ("nrb_guid", "line_key"), decisions.links)
    engine.source("decision_forbid", ("nrb_guid", "jnid", "line_key"), decisions.forbidden)
    engine.source("job_map_file", JOB_MAP_COLUMNS, decisions.jobs)
    engine.source("markup_file", MARKUP_COLUMNS, decisions.markups)
    if decisions.journal:
        columns = zip(*decisions.journal, strict=True)
        names = ("seq", "written_at", "kind", "body", "hash")
        draft.insert("journal", {name: list(column) for name, column in zip(names, columns, strict=True)})
    link(engine, parameters.common)
    reconcile(engine, parameters.common)
    return engine


def _record(draft: Draft, parameters: Parameters, warned: list[str], snapshot_id: str) -> None:
    sync_id = int(draft.query("select max(sync_id) from sync_run").scalar())
    counts = _counts(draft, sync_id)
    status = draft.query("select status from sync_run where sync_id = $sync_id", {"sync_id": sync_id}).scalar()
    draft.query(
        "insert into audit_run values ($snapshot_id, $sync_id, $as_of, $parameters, $verdict, $counts, $environment,"
        " $account, $time_zone, $warnings)",
        {
            "snapshot_id": snapshot_id,
            "sync_id": sync_id,
            "as_of": parameters.as_of,
            "parameters": json.dumps(parameters.shown(), sort_keys=True),
            "verdict": _verdict(counts, complete=status == "COMPLETE"),
            "counts": json.dumps(counts, sort_keys=True),
            "environment": parameters.environment,
            "account": parameters.account,
            "time_zone": parameters.time_zone,
            "warnings": json.dumps(warned),
        },
    )


def _counts(draft: Draft, sync_id: int) -> dict[str, int]:
    counts = filled("queries/counts", unknown_jobs=read("queries/unknown_jobs"))
    return {name: int(value) for name, value in draft.query(counts, {"sync_id": sync_id}).records()[0].items()}


def _verdict(counts: Mapping[str, int], *, complete: bool) -> str:
    """Strictest first: a run that could not see or count everything is never called clean."""
    unseen = (
        "unread_unaccepted",
        "nrb_without_total",
        "lines_without_amount",
        "invoices_without_total",
        "residuals",
        "exposure_gaps",
    )
    if not complete or any(counts[name] for name in unseen) or counts["lines"] != counts["lines_in_bodies"]:
        return "incomplete"
    if counts["findings"] > counts["findings_accepted"]:
        return "findings"
    return "accepted" if counts["findings"] else "clean"


def _snapshot_id(draft: Draft, parameters: Parameters, rules: list[Rule], decisions: Decisions, sync_id: int) -> str:
    raw = draft.query(
        "select sha256(coalesce(string_agg(digest, '' order by digest), '')) from raw.version where last_sync = $id",
        {"id": sync_id},
    ).scalar()
    counting = (decisions.links, decisions.forbidden, decisions.jobs, decisions.markups, decisions.acceptances)
    decided = [sorted(map(list, rows), key=str) for rows in counting]
    whole = json.dumps([raw, parameters.shown(), [rule.digest for rule in rules], decided], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()
