"""Why a finding is one: the rule and its SQL, the row, the links and how they were made, and what the vendor sent.

Every part is a question to the snapshot, so that it can be asked again. Vendors' text is hostile: it is shown escaped.

Not here: choosing the finding by the start of its fingerprint (`acceptance.named`).
"""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from auditkit.values import printable
from auditkit.warehouse.snapshots import Snapshot

__all__ = ["HOW", "Explanation", "explain"]

MOST_BODIES = 5
FEW, WIDE = 3, 8  # so many rows of so many columns are shown upright

_SNAPSHOT = "select snapshot_id from audit_run"
HOW = """case k.method when 'manual' then 'a person said so'
        when 'billed-guid' then 'its billed mark is the id of the invoice'
        when 'billed-number' then 'its billed mark is the number of the invoice'
        when 'external-id' then 'they share an external id'
        when 'reference' then 'the line names a reference of the NRB'
        when 'amount' then 'the only equal amount on both sides: by amount alone'
        when 'group' then 'the only set whose amounts sum to it: by amount alone' end"""
# The NRBs and invoices that a subject is about. Of an NRB also its parent, which may be the record that names it, and
# those that its evidence names; of a job also what crosses to and from other jobs.
_OF_JOB = "job_key is not distinct from folded($job)"
_NRBS = f"""
select $id as guid where $type = 'nrb'
union select parent_guid from nrb where $type = 'nrb' and guid = $id and parent_guid is not null
union select guid from nrb where $type = 'nrb' and guid <> $id and contains($evidence, '"' || guid)
union select guid from nrb where $type = 'nrb' and guid <> $id and contains($evidence, ' ' || guid)
union select nrb_guid from link where ($type = 'invoice' and jnid = $id)
    or ($type = 'invoice_item' and jnid || '/' || position = $id)
union select guid from nrb_status where $type = 'job' and {_OF_JOB}
union select nrb_guid from link where $type = 'job' and jnid in (select jnid from invoice_status where {_OF_JOB})
"""
_INVOICES = f"""
select $id as jnid where $type = 'invoice'
union select jnid from invoice_item where $type = 'invoice_item' and jnid || '/' || position = $id
union select jnid from link where $type = 'nrb' and nrb_guid = $id
union select jnid from link_ambiguous where $type = 'nrb' and nrb_guid = $id and jnid is not null
union select jnid from invoice_status where $type = 'job' and {_OF_JOB}
union select jnid from link where $type = 'job' and nrb_guid in (select guid from nrb_status where {_OF_JOB})
"""
_PARTS = {
    "NRBs": f"select * from nrb_status where guid in ({_NRBS}) order by guid",
    "Invoices": f"select * from invoice_status where jnid in ({_INVOICES}) order by jnid",
    "Lines": f"""
select t.jnid, t.position, t.name, t.description, t.quantity, t.price, t.amount from invoice_item as t
where t.jnid in ({_INVOICES}) and ($type <> 'invoice_item' or t.jnid || '/' || t.position = $id)
order by t.jnid, t.position""",
    "Links": f"""
select k.nrb_guid, k.jnid, k.position, k.method, {HOW} as how, k.nrb_amount, k.invoiced_amount from link as k
where k.nrb_guid in ({_NRBS}) and k.jnid in ({_INVOICES})
order by k.nrb_guid, k.jnid, k.position nulls first""",
    "Not linked": f"""
select nrb_guid, jnid, position, method, reason from link_ambiguous where nrb_guid in ({_NRBS})
order by nrb_guid, jnid, position nulls first""",
    "History": """
select as_of, sync_id, state, amount_at_risk, reason from finding_history where fingerprint = $fingerprint
order by rowid""",
    "Acceptance": """
select note, who, until, accepted_at, amount_at_risk, evidence, lapsed from acceptance
where fingerprint = $fingerprint""",
}
_RAW = f"""
select 'nrb' as subject_type, guid as subject_id, digest, sha256(body) = digest as digest_holds, first_sync, last_sync,
    body
from raw.nrb_body where guid in ({_NRBS})
union all
select 'invoice', jnid, digest, sha256(body) = digest, first_sync, last_sync, body
from raw.invoice_body where jnid in ({_INVOICES})
order by subject_type desc, subject_id, first_sync
"""


@dataclass(frozen=True)
class Explanation:
    """One finding with everything that it rests on. Print it, or show it in a notebook; the parts are DataFrames.

    `finding` and `rule` are rows of those tables; `row` is what the rule gives for the subject when it is run again;
    `parts` are tables by title; `raw` is what the vendor sent, each version with its digest and syncs.
    """

    snapshot_id: str
    finding: Mapping[str, Any]
    rule: Mapping[str, Any]
    row: pd.DataFrame
    parts: Mapping[str, pd.DataFrame]
    raw: pd.DataFrame

    @property
    def sections(self) -> list[tuple[str, str | pd.DataFrame]]:
        """Title and content, in the order of reading."""
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
            ("The row that the rule gives", _upright(self.row)),
        ]
        shown += [(title, _upright(frame)) for title, frame in self.parts.items() if len(frame)]
        for version in self.raw.head(MOST_BODIES).itertuples():
            holds = "its digest holds" if version.digest_holds else "ITS DIGEST DOES NOT HOLD"
            title = f"As it came: {version.subject_type} {version.subject_id}"
            syncs = f"syncs {version.first_sync} to {version.last_sync}; SHA-256 {version.digest}, {holds}"
            shown.append((title, f"{syncs}\n{version.body}"))
        if len(self.raw) > MOST_BODIES:
            shown.append(("As it came", f"{len(self.raw) - MOST_BODIES:,} more versions are in .raw"))
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
    """Everything behind one row of `finding`, from the snapshot alone."""
    (rule,) = snapshot.query("select * from rule where rule_id = $rule", {"rule": finding["rule_id"]}).records()
    again = f"select * from (\n{rule['executed']}\n) where subject_id = $id"
    asked = {
        "id": finding["subject_id"],
        "type": finding["subject_type"],
        "job": finding["job_number"],
        "evidence": str(finding["evidence"]),
        "fingerprint": finding["fingerprint"],
    }
    row = _frame(snapshot, again, asked)
    return Explanation(
        snapshot_id=str(snapshot.query(_SNAPSHOT).scalar()),
        finding=finding,
        rule=rule,
        row=row if len(row) == 1 or "subject_type" not in row else row[row["subject_type"] == finding["subject_type"]],
        parts={title: _frame(snapshot, sql, asked) for title, sql in _PARTS.items()},
        raw=_frame(snapshot, _RAW, asked),
    )


def _upright(frame: pd.DataFrame) -> pd.DataFrame:
    """A few rows of many columns, a column for each row: a screen is wide enough for them."""
    if len(frame) > FEW or len(frame.columns) < WIDE:
        return frame
    return frame.T.rename(columns=lambda number: f"row {number + 1}").reset_index(names="column")


def _frame(snapshot: Snapshot, sql: str, asked: Mapping[str, str | None]) -> pd.DataFrame:
    frame = snapshot.query(sql, {name: value for name, value in asked.items() if f"${name}" in sql}).frame()
    frame.attrs["snapshot"] = str(snapshot.query(_SNAPSHOT).scalar())[:12]
    return frame
