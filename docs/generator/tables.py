"""The page of tables: every table by topic, every column with its meaning, from the comments of the schema.

Not here: what a table or a column means (`auditkit/fields.py`, `auditkit/warehouse/schema.sql`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from auditkit.warehouse.schema import Described
from docs.generator.markdown import anchor, fenced, inline, made_from, table

__all__ = ["GROUPS", "Group", "page"]

_START = """\
# The tables

`auditkit sql`, `audit.sql(…)`, `%%sql` and a DuckDB client (1.2 or newer) that opens `audit.duckdb` see these tables.
`auditkit tables` and `auditkit tables nrb` show the same in a terminal.

Money is DECIMAL, rounded to the cent where a vendor sent parts of a cent (see [lenient_reading](#lenient_reading)).
Instants are in UTC, calendar days (DATE) in the account's time zone. NULL is what the vendor did not send, or what
could not be read (see [unreadable_field](#unreadable_field)), never 0. The SQL is DuckDB's.
"""


@dataclass(frozen=True)
class Group:
    """Tables of one topic, and a query as an example."""

    title: str
    about: str
    tables: tuple[str, ...]
    asks: str
    example: str


GROUPS = (
    Group(
        "What the vendors sent",
        "One row per record, typed from the JSON that was sent.",
        ("nrb", "invoice", "invoice_item", "invoice_related", "payment"),
        "Cost by vendor, over leaves only, because a parent repeats the sum of its children.",
        """\
select vendor_code, count(*) as nrbs, sum(total_after_markup) as total
from nrb where is_leaf group by vendor_code order by total desc""",
    ),
    Group(
        "What could not be read, and what was read leniently",
        "A field that cannot be read is NULL and listed here; a record is left out only if it has no identity.",
        ("quarantine", "unreadable_field", "lenient_reading", "date_zone"),
        "NRBs whose total could not be read.",
        """\
select n.guid, n.job_number, u.reason
from nrb as n join unreadable_field as u on u.subject_type = 'nrb' and u.subject_id = n.guid
where u.column_name = 'total_after_markup' order by n.guid""",
    ),
    Group(
        "Which cost is on which invoice",
        "What was settled, what a person must decide, and why; [linking](linking.md) explains the words.",
        ("link", "undecided", "evidence", "nrb_name", "line_spot", "line_question"),
        "The strongest evidence for each candidate that a person must decide.",
        """\
select u.nrb_guid, u.jnid, u.position, u.reason, e.points, e.terms
from undecided as u
left join evidence as e on e.nrb_guid = u.nrb_guid and e.jnid = u.jnid and e.position = u.position
order by u.nrb_guid, e.points desc""",
    ),
    Group(
        "Which job is which",
        "Jobs of the two vendors, from `job_map.csv` and their numbers.",
        ("job_map", "job_suggestion", "invoice_job", "related_token"),
        "Pairs of jobs to confirm in `job_map.csv`.",
        """\
select aimsio_job_number, jobnimbus_job_number, jobnimbus_job_name, invoices
from job_suggestion where not confirmed order by invoices desc""",
    ),
    Group(
        "What the audit decided about each record",
        "The audit's terms as columns: billable, exported, linked, and the state of each cost; issued, draft, void.",
        ("nrb_status", "nrb_state", "invoice_status", "invoice_status_name", "agreed_markup", "usual_tax_rate"),
        "Cost by state.",
        """\
select state, count(*) as nrbs, sum(total) as total, sum(charged) as charged
from nrb_status group by state order by total desc""",
    ),
    Group(
        "The statement and the reconciliation",
        "From cost to invoice, in total and item by item.",
        ("statement", "statement_item", "statement_offset", "job_reconciliation"),
        "The items of one row of the statement; they sum to it.",
        """\
select i.nrb_guid, n.job_number, n.vendor_invoice_number, i.amount
from statement_item as i join nrb as n on n.guid = i.nrb_guid
where i.code = 'invoice_missing' order by i.amount""",
    ),
    Group(
        "Findings",
        "What the rules found, since when, and what was accepted.",
        ("finding", "exposure", "finding_history", "acceptance", "rule"),
        "Open exceptions and money at risk by rule.",
        """\
select rule_id, count(*) as findings, sum(amount_at_risk) as at_risk
from finding where state = 'open' group by rule_id order by at_risk desc""",
    ),
    Group(
        "The basis of the figures",
        "Whether everything was read, what could not be read, what was deleted, and what people decided.",
        ("audit_run", "sync_run", "sync_source", "vanished", "journal", "made_by"),
        "The status of each read, and its reason.",
        """\
select r.sync_id, r.finished_at, r.status, r.reason, s.source, s.listed
from sync_run as r join sync_source as s on s.sync_id = r.sync_id order by r.sync_id desc, s.source""",
    ),
    Group(
        "Versions and raw bodies",
        "Every version that a read returned, exactly as it was sent; carried from snapshot to snapshot.",
        (
            "nrb_version",
            "raw.nrb_body",
            "raw.invoice_body",
            "raw.held",
            "raw.unread",
            "raw.tombstone",
            "raw.version",
            "raw.partly_read",
        ),
        "The value of an Aimsio field in each version of an NRB.",
        """\
select guid, first_sync, last_sync, body ->> '$.nrbNotes' as notes
from raw.nrb_body order by guid, first_sync""",
    ),
)


def page(schema: Mapping[str, Described]) -> str:
    """Markdown: a list of all tables, then each table by group. Raises `KeyError` if schema and groups differ."""
    grouped = [name for group in GROUPS for name in group.tables]
    if single := set(schema).symmetric_difference(grouped):
        raise KeyError(f"{', '.join(sorted(single))}: is in the schema or in a group, but must be in both")
    return "\n".join(_lines(schema)) + "\n"


def _lines(schema: Mapping[str, Described]) -> Iterator[str]:
    yield from (_START, made_from("`auditkit/fields.py` and the comments in `auditkit/warehouse/schema.sql`"), "")
    yield from table(("tables", "about"), ((", ".join(map(_link, g.tables)), _link(g.title)) for g in GROUPS))
    for group in GROUPS:
        yield from ("", f"## {group.title}", "", group.about, "", group.asks, "", fenced(group.example, "sql"))
        for name in group.tables:
            columns = schema[name].columns
            yield from ("", f"### {name}", "", inline(schema[name].holds), "")
            yield from table(
                ("column", "type", "meaning"), ((f"`{c}`", kind, inline(held)) for c, kind, held in columns)
            )


def _link(heading: str) -> str:
    return f"[{heading}](#{anchor(heading)})"
