"""The life of a finding: new, persisting, accepted, re-opened, cleared; and the warnings above them all.

A finding is *new*, *persisting* or *re-opened* against the end of the sync before, so that auditing one
sync again changes nothing of it. It is *accepted* while a person's acceptance holds: until its last day, and as long
as the money at risk does not grow and what the rule calls its key stays as it was. It is *cleared* once it no longer
fires, with the reason: put right, or out of sight.

Not here: what fires (`findings.py`), and who may accept (`audit.py`).
"""

from collections.abc import Sequence
from typing import Any

from auditkit.checks.engine import Engine
from auditkit.checks.rules import Value
from auditkit.sql import read

__all__ = ["ACCEPTANCE_COLUMNS", "live", "warnings"]

# One acceptance as `Decisions` holds it, all text.
ACCEPTANCE_COLUMNS = (
    "fingerprint",
    "rule_id",
    "subject_id",
    "note",
    "who",
    "until",
    "accepted_at",
    "amount_at_risk",
    "key",
    "evidence",
    "snapshot_id",
)


def live(engine: Engine, acceptances: Sequence[tuple[str | None, ...]], as_of: Value, sync_id: int) -> None:
    """Give every finding its state and change, and write what changed into finding_history.

    `acceptances` are those that still stand, in the order of `ACCEPTANCE_COLUMNS`.
    """
    engine.source("decision_accept", ACCEPTANCE_COLUMNS, acceptances)
    engine.script(read("lifecycle/advance"), {"as_of": as_of, "sync_id": sync_id})


def warnings(engine: Engine, surge: int) -> list[str]:
    """What a reader should know before any finding: rules that suddenly fire often, and marks that lead nowhere."""
    found: list[dict[str, Any]] = engine.query(read("lifecycle/surges"), {"surge": surge}).records()
    lines = [
        f"{row['rule_id']}: {row['found']:,} new findings at once; look for one cause before working through them"
        for row in found
    ]
    lines += [
        f"{row['rule_id']}: was not run, its file is gone: its {row['findings']:,} findings were not looked at"
        for row in engine.query(read("lifecycle/gone_rules")).records()
    ]
    ((marked, lost),) = engine.query(read("lifecycle/lost_marks")).rows
    if lost * 2 > marked:
        lines.append(
            f"{lost:,} of {marked:,} billed marks find no invoice: Aimsio's marks may not name JobNimbus invoices here;"
            " see what they find (`select found_method, count(*) from nrb_state group by found_method`)"
        )
    return lines
