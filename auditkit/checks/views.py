"""The questions behind `Audit`'s tables: each is one SELECT that anybody can run again on the snapshot.

Not here: what the words in them mean; that is decided in `sql/`.
"""

from collections.abc import Mapping

from auditkit.checks.lifecycle import LAST
from auditkit.checks.rules import SEVERITIES
from auditkit.errors import FindingError

__all__ = [
    "BY_RULE",
    "COLUMNS",
    "COMPLETENESS",
    "FINDINGS",
    "JOURNAL_HEAD",
    "LAST_RUN",
    "LINE",
    "OFFSETS",
    "OVERRIDES",
    "PARAMETERS",
    "RUN",
    "SENSITIVITY",
    "STATEMENT",
    "STATEMENT_BY",
    "STATEMENT_OF",
    "SYNC_RUN",
    "TABLES",
    "UNBILLED",
    "UNEXPORTED",
    "findings",
]

STATEMENT = "select label, amount, gross, items from statement where scope = 'all' order by position"

STATEMENT_BY = """
select key, label, amount, gross, items from statement where scope = $by order by key nulls last, position
"""

STATEMENT_OF = """
select label, amount, gross, items from statement where scope = $by
    and coalesce(folded(key), '') = coalesce(folded($key), '') order by position
"""

OFFSETS = """
select scope, key, amount, minus_label, minus_type, minus_id, minus_nrb_guid, plus_label, plus_type, plus_id,
    plus_nrb_guid
from statement_offset
order by scope, amount desc, key nulls last, minus_label, minus_id, minus_nrb_guid, plus_label, plus_id, plus_nrb_guid
"""

# What would agree if more were tolerated: an amount, or thousandths of a job's billable total and of a part's NRB. Jobs
# without an invoice, or without an NRB, are no matter of tolerance. A line counts once for each NRB that it carries.
SENSITIVITY = """
with tolerance as (
    select place, tolerance, amount, thousandths
    from (values (1, '0.00', 0.00, 0), (2, '0.01', 0.01, 0), (3, '0.05', 0.05, 0), (4, '1.00', 1.00, 0),
        (5, '0.1 %', 0.00, 1), (6, '1 %', 0.00, 10)) as t(place, tolerance, amount, thousandths)
), compared as (
    select 'job' as subject, variance as difference, abs(billable_total) as size
    from job_reconciliation where verdict in ('agrees', 'under-billed', 'over-billed')
    union all
    select 'line', k.invoiced_amount - k.nrb_amount, abs(k.nrb_amount)
    from link as k
    join nrb_status as s on s.guid = k.nrb_guid and s.billable and not s.internal
    join invoice_status as i on i.jnid = k.jnid and i.state = 'issued'
    where k.position is not null
), judged as (
    select t.place, t.tolerance, c.subject, c.difference,
        c.subject is not null and abs(c.difference) * 1000 <= t.amount * 1000 + t.thousandths * c.size as agrees
    from tolerance as t left join compared as c on true
), counted as (
    select place, tolerance,
        count(*) filter (where subject = 'job' and agrees) as jobs_agree,
        count(*) filter (where subject = 'job' and not agrees and difference < 0) as jobs_under_billed,
        count(*) filter (where subject = 'job' and not agrees and difference > 0) as jobs_over_billed,
        coalesce(sum(abs(difference)) filter (where subject = 'job' and not agrees), 0) as job_variance,
        count(*) filter (where subject = 'line' and agrees) as lines_agree,
        count(*) filter (where subject = 'line' and not agrees and difference < 0) as lines_under_billed,
        count(*) filter (where subject = 'line' and not agrees and difference > 0) as lines_over_billed,
        coalesce(sum(abs(difference)) filter (where subject = 'line' and not agrees), 0) as line_variance
    from judged
    group by place, tolerance
)
select c.tolerance, c.jobs_agree, c.jobs_agree - z.jobs_agree as jobs_more, c.jobs_under_billed, c.jobs_over_billed,
    c.job_variance, c.lines_agree, c.lines_agree - z.lines_agree as lines_more, c.lines_under_billed,
    c.lines_over_billed, c.line_variance
from counted as c join counted as z on z.place = 1
order by c.place
"""

RUN = """
select a.snapshot_id, a.sync_id, a.as_of, a.verdict, a.environment, a.account, a.time_zone, a.warnings, s.status,
    s.reason, s.finished_at
from audit_run as a join sync_run as s on s.sync_id = a.sync_id
"""

# What an audit was run with, of what a notebook may ask otherwise.
PARAMETERS = "select as_of, cast(parameters ->> 'tolerance' as decimal(18, 2)) as tolerance from audit_run"

TABLES = """
select case schema_name when 'main' then table_name else schema_name || '.' || table_name end as name,
    comment as holds
from duckdb_tables() where database_name = 'audit' and not internal
order by schema_name, table_name
"""

COLUMNS = """
select column_name as name, lower(data_type) as type, comment as holds
from duckdb_columns()
where database_name = 'audit' and not internal
    and case schema_name when 'main' then table_name else schema_name || '.' || table_name end = lower($name)
order by column_index
"""

LAST_RUN = "select environment, account from sync_run order by sync_id desc limit 1"

SYNC_RUN = "select * from sync_run order by sync_id desc limit 1"

COMPLETENESS = """
with run as (select * from sync_run order by sync_id desc limit 1)
select 'Aimsio' as source, 'NRBs' as records, nrb_listed as listed, nrb_quarantined as quarantined,
    nrb_gone as vanished, nrb_total as total, nrb_first_on as first_on, nrb_last_on as last_on, nrb_lists as reads,
    left(nrb_id_hash, 12) as ids, status
from run
union all
select 'JobNimbus', 'invoices', invoice_listed, invoice_quarantined, invoice_gone, invoice_total, invoice_first_on,
    invoice_last_on, invoice_passes, left(invoice_id_hash, 12), status from run
"""

# What no longer fires is known from its history alone; its evidence is in the kept snapshots.
FINDINGS = """
with cleared as (
    {last}
), seen as (
    select fingerprint, min(as_of) filter (state <> 'cleared') as first_seen from finding_history group by fingerprint
), every as (
    select rule_id, severity, subject_type, subject_id, job_number, amount_at_risk, reason, evidence, fingerprint,
        state, first_seen, change, reopened_because
    from finding
    union all
    select c.rule_id, r.severity, r.subject, c.subject_id, c.job_number, c.amount_at_risk, c.reason, null,
        c.fingerprint, c.state, s.first_seen, 'cleared', null
    from cleared as c
    join seen as s on s.fingerprint = c.fingerprint
    left join rule as r on r.rule_id = c.rule_id
    where c.state = 'cleared' and c.fingerprint not in (select fingerprint from finding)
)
select * from every
where {conditions}
order by severity_rank(severity), rule_id, abs(amount_at_risk) desc, subject_id
"""

BY_RULE = f"""
with cleared as (
    select rule_id, count(*) as cleared from ({LAST})
    where state = 'cleared' and sync_id = (select sync_id from audit_run) group by rule_id
)
select r.rule_id, r.severity, count(f.rule_id) as findings, count(*) filter (f.change = 'new') as new,
    count(*) filter (f.change = 're-opened') as reopened, count(*) filter (f.state = 'accepted') as accepted,
    coalesce(any_value(c.cleared), 0) as cleared, coalesce(sum(f.amount_at_risk), 0) as amount_at_risk, r.title
from rule as r
left join finding as f on f.rule_id = r.rule_id
left join cleared as c on c.rule_id = r.rule_id
group by r.rule_id, r.severity, r.title
order by severity_rank(r.severity), r.rule_id
"""

STATES = ("open", "accepted", "cleared")


_FILTERS = {
    "rule": "rule_id = $rule",
    "severity": "severity = $severity",
    "state": "state = $state",
    "job": "folded(job_number) = folded($job)",
}


def findings(asked: Mapping[str, str], *, new: bool) -> str:
    """The question for findings of a rule, severity, state or job, each a `$name`. Raises `FindingError`."""
    for name, known in (("severity", SEVERITIES), ("state", STATES)):
        if asked.get(name, known[0]) not in known:
            raise FindingError(f"no {name} is called {asked[name]!r}; there are {', '.join(known)}")
    conditions = [_FILTERS[name] for name in asked]
    if "state" not in asked:
        conditions.append("state <> 'cleared'")
    if new:
        conditions.append("change in ('new', 're-opened')")
    return FINDINGS.format(last=LAST, conditions="\n    and ".join(conditions))


UNBILLED = """
select f.subject_id as guid, f.job_number, s.vendor_code, s.type_name, s.accounting_date,
    cast(json_extract_string(f.evidence, '$.age_days') as bigint) as age_days,
    json_extract_string(f.evidence, '$.age_bucket') as age_bucket, s.total, s.exported
from finding as f join nrb_status as s on s.guid = f.subject_id
where f.rule_id = 'nrb-unbilled'
order by abs(s.total) desc, guid
"""

UNEXPORTED = """
select f.subject_id as guid, f.job_number, s.vendor_code, s.type_name, s.accounting_date, s.total, s.billed_mark,
    f.reason
from finding as f join nrb_status as s on s.guid = f.subject_id
where f.rule_id = 'nrb-unexported'
order by abs(s.total) desc, guid
"""

JOURNAL_HEAD = "select count(*) as records, coalesce(arg_max(hash, seq), repeat('0', 64)) as head from journal"

# What was approved beyond limits or expiry: it stands first in every report of a month.
OVERRIDES = """
select body ->> 'who' as who, left(body ->> 'plan', 12) as plan, body ->> '$.approval.override' as reason,
    array_to_string(cast(body -> 'lifted' as varchar[]), '; ') as lifted, written_at
from journal
where kind = 'approval' and body ->> '$.approval.override' is not null
    and json_array_length(body -> 'lifted') > 0
    and written_at > (select max(finished_at) from sync_run) - interval 31 day
order by seq
"""

LINE = """
select n.guid as nrb_guid, i.jnid, t.line_key
from nrb as n join invoice as i on i.jnid = $jnid
left join invoice_item as t on t.jnid = i.jnid and t.position = $position
where n.guid = $guid and ($position is null or t.line_key is not null)
"""
