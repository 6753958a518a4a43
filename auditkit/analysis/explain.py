"""Why a finding is one: the rule and its SQL, the row, the links and how they were made, and what the vendor sent.

Every part is a query on the snapshot, so it can be run again. Text from vendors is hostile: it is escaped.

Not here: choosing the finding by the start of its fingerprint (`acceptance.named`).
"""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from auditkit.sql import filled, read
from auditkit.values import printable
from auditkit.warehouse.snapshots import Snapshot

__all__ = ["Explanation", "explain"]

MOST_BODIES = 5
FEW, WIDE = 3, 8  # at most so many rows, of at least so many columns, are turned on their side

_PARTS = {
    "NRBs": "nrbs",
    "Invoices": "invoices",
    "Lines": "lines",
    "Links": "links",
    "Not decided": "not_decided",
    "Evidence": "evidence",
    "History": "history",
    "Acceptance": "acceptance",
}


@dataclass(frozen=True)
class Explanation:
    """One finding with all its evidence. Print it, or show it in a notebook; the parts are DataFrames.

    `finding` and `rule` are rows of those tables; `row` is what the rule gives for the subject when run again; `parts`
    are tables by title; `raw` is what the vendor sent, each version with its digest and reads.
    """

    snapshot_id: str
    finding: Mapping[str, Any]
    rule: Mapping[str, Any]
    row: pd.DataFrame
    parts: Mapping[str, pd.DataFrame]
    raw: pd.DataFrame

    @property
    def sections(self) -> list[tuple[str, str | pd.DataFrame]]:
        """Title and content, in reading order."""
        finding, rule = self.finding, self.rule
        because = f"\nRe-opened: {finding['reopened_because']}" if finding["reopened_because"] else ""
        shown: list[tuple[str, str | pd.DataFrame]] = [
            (
                f"Finding {finding['fingerprint'][:12]} in snapshot {self.snapshot_id[:12]}",
                f"{rule['rule_id']} ({rule['severity']}): {rule['title']}\n{finding['subject_type']}"
                f" {finding['subject_id']}, job {finding['job_number']}, at risk {finding['amount_at_risk']}\n"
                f"{finding['reason']}\n"
                f"{finding['state']}, {finding['change']}, first seen {finding['first_seen']}{because}",
            ),
            ("Why it matters", f"{rule['why']}\n{rule['remedy']}"),
            ("The row the rule gives", _upright(self.row)),
        ]
        shown += [(title, _upright(frame)) for title, frame in self.parts.items() if len(frame)]
        for version in self.raw.head(MOST_BODIES).itertuples():
            holds = "its digest matches" if version.digest_holds else "ITS DIGEST DOES NOT MATCH"
            title = f"As sent: {version.subject_type} {version.subject_id}"
            syncs = f"reads {version.first_sync} to {version.last_sync}; SHA-256 {version.digest}, {holds}"
            shown.append((title, f"{syncs}\n{version.body}"))
        if len(self.raw) > MOST_BODIES:
            shown.append(("As sent", f"{len(self.raw) - MOST_BODIES:,} more versions are in .raw"))
        return [*shown, (f"The SQL of {rule['rule_id']}, with {rule['parameters']}", str(rule["executed"]))]

    def __str__(self) -> str:
        text = "\n\n".join(
            f"{title}\n{content if isinstance(content, str) else content.to_string(index=False)}"
            for title, content in self.sections
        )
        return printable(text)

    def _repr_html_(self) -> str:
        blocks = []
        for title, content in self.sections:
            shown = (
                f"<pre>{html.escape(content)}</pre>"
                if isinstance(content, str)
                else content.to_html(index=False, escape=True)
            )
            blocks.append(f"<h4>{html.escape(title)}</h4>{shown}")
        return "".join(blocks)


def explain(snapshot: Snapshot, finding: Mapping[str, Any]) -> Explanation:
    """All the evidence for one row of `finding`, from the snapshot alone."""
    asked = {
        "rule": finding["rule_id"],
        "id": finding["subject_id"],
        "type": finding["subject_type"],
        "job": finding["job_number"],
        "evidence": str(finding["evidence"]),
        "fingerprint": finding["fingerprint"],
    }
    (rule,) = _frame(snapshot, "rule", asked).to_dict("records")
    row = _frame(snapshot, "row", asked, executed=rule["executed"])
    return Explanation(
        snapshot_id=snapshot.query(read("queries/audit_run")).records()[0]["snapshot_id"],
        finding=finding,
        rule={str(name): value for name, value in rule.items()},
        row=row if len(row) == 1 or "subject_type" not in row else row[row["subject_type"] == finding["subject_type"]],
        parts={title: _frame(snapshot, name, asked) for title, name in _PARTS.items()},
        raw=_frame(snapshot, "raw", asked),
    )


def _upright(frame: pd.DataFrame) -> pd.DataFrame:
    """A few rows of many columns as a column for each row: they fit a screen so."""
    if len(frame) > FEW or len(frame.columns) < WIDE:
        return frame
    return frame.T.rename(columns=lambda number: f"row {number + 1}").reset_index(names="column")


def _frame(snapshot: Snapshot, name: str, asked: Mapping[str, str | None], executed: str = "") -> pd.DataFrame:
    """One of the queries in `queries/explain/`, with those of the values that it uses."""
    subjects = {part: read(f"queries/explain/{part}") for part in ("subject_nrbs", "subject_invoices")}
    sql = filled(f"queries/explain/{name}", executed=executed, **subjects)
    frame = snapshot.query(sql, {key: value for key, value in asked.items() if f"${key}" in sql}).frame()
    frame.attrs["snapshot"] = snapshot.short_id
    return frame
