"""What every report and workpaper says about its audit before any figure, so that they say the same.

Not here: how it is shown (`report_page.py`, `cover.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from auditkit.sql import read
from auditkit.warehouse.snapshots import Snapshot

__all__ = ["JOURNAL", "RULE_SET", "SNAPSHOT", "Facts", "ReportHeader", "cover_lines"]

SNAPSHOT, RULE_SET, JOURNAL = "Snapshot", "Rule set", "Journal"


@dataclass(frozen=True)
class Facts:
    """What no single query of the snapshot gives; `title` is on every sheet and page."""

    title: str
    proof: Sequence[str]
    warnings: Sequence[str]
    journal: str
    is_demo: bool


@dataclass(frozen=True)
class ReportHeader:
    """What a report says before any figure, and the tables it adds after the notebook.

    `lines` are labels with their text (snapshot, completeness, verdict, journal …), `tables` headings with DataFrames.
    """

    facts: Facts
    lines: Mapping[str, str]
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)


def cover_lines(snapshot: Snapshot, facts: Facts) -> dict[str, str]:
    """The lines of the cover: label → text."""
    (audit,) = snapshot.query(read("queries/audit_run")).records()
    (period,) = snapshot.query(read("queries/workpaper/period")).records()
    ((rules, digest),) = snapshot.query(read("queries/workpaper/rule_set")).rows
    label, *proof = facts.proof
    warnings = {f"Warning {number}": text for number, text in enumerate(facts.warnings, 1)}
    return {
        "What this is": "Field cost booked in Aimsio (NRBs) against what JobNimbus invoices: an audit by auditkit",
        "Account": "DEMO DATA: the bundled sandbox"
        if facts.is_demo
        else f"{audit['account']} at {audit['environment']}",
        "As of": f"{audit['as_of']}, days are those of {audit['time_zone']}",
        "Period": f"NRBs of {_span(period, 'nrb')}; issued invoices of {_span(period, 'invoice')}",
        "Verdict": audit["verdict"],
        **warnings,
        SNAPSHOT: f"{audit['snapshot_id']}, of sync {audit['sync_id']}",
        RULE_SET: f"{rules} rules, {digest}",
        "Parameters": audit["parameters"],
        JOURNAL: facts.journal,
        "Completeness": label,
        **{words[0]: " ".join(words[1:]) for words in map(str.split, proof)},
    }


def _span(period: Mapping[str, Any], side: str) -> str:
    first, last = period[f"{side}_first"], period[f"{side}_last"]
    return f"{first} to {last}" if first else "no date"
