"""The questions behind the sheets of a working paper: each is one SELECT, without values, that anybody can ask again.

Each leaves no record out and ends in an order that is whole, so that the same snapshot gives the same rows.

Not here: which totals must tie to which (`reports/workpaper.py`).
"""

from collections.abc import Iterable

from auditkit.aging_bands import BANDS
from auditkit.analysis.explain import HOW
from auditkit.analysis.question import quoted

__all__ = ["AGING", "FINDINGS", "LINKS", "PERIOD", "RECONCILIATION", "RULES", "RULE_SET", "statement_by"]

RECONCILIATION = """
select job_number, verdict, nrb_count, nrb_total, invoice_count, invoice_total, invoice_total - nrb_total as difference,
    billable_total, linked_line_total, variance, billed_total, linked_total, unbilled_total, other_line_total
from job_reconciliation
order by abs(variance) desc, job_number nulls last
"""

FINDINGS = """
select f.rule_id, f.severity, f.state, f.job_number, f.subject_type, f.subject_id, f.amount_at_risk, f.reason, f.change,
    f.first_seen, a.note as accepted_because, a.who as accepted_by, a.until as accepted_until, r.why, f.evidence,
    f.fingerprint
from finding as f
left join rule as r on r.rule_id = f.rule_id
left join acceptance as a on a.fingerprint = f.fingerprint and f.state = 'accepted'
order by severity_rank(f.severity), f.rule_id, abs(f.amount_at_risk) desc, f.subject_id, f.fingerprint
"""

RULES = """
select r.rule_id, r.severity, r.assertion, count(f.rule_id) as findings,
    count(*) filter (where f.state = 'accepted') as accepted, coalesce(sum(f.amount_at_risk), 0) as amount_at_risk,
    r.title, r.why, r.remedy, r.parameters, r.digest
from rule as r
left join finding as f on f.rule_id = r.rule_id
group by r.rule_id, r.severity, r.assertion, r.title, r.why, r.remedy, r.parameters, r.digest
order by severity_rank(r.severity), r.rule_id
"""

_BAND_COLUMNS = ",\n    ".join(
    f"case when age_band(age_days) = '{band}' then total end as {quoted(band)}" for band in BANDS
)

AGING = f"""
with aged as (
    select s.*, days_between(s.accounting_date, a.as_of) as age_days
    from nrb_status as s cross join audit_run as a
    where s.unbilled
)
select guid as nrb_guid, job_number, vendor_code, type_name, accounting_date, age_days, exported, total,
    {_BAND_COLUMNS}
from aged
order by age_days desc nulls last, abs(total) desc, guid
"""

LINKS = f"""
select k.nrb_guid, s.job_number, s.vendor_code, n.origin_reference, k.jnid, i.number as invoice, i.state, k.position,
    t.name as line, t.description, k.method, {HOW} as how,
    k.group_id, k.nrb_amount, k.invoiced_amount,
    case when k.position is not null and i.state = 'issued' then k.invoiced_amount end as on_issued,
    case when k.position is not null and i.state = 'issued' and s.billable and not s.internal
        then k.invoiced_amount - k.nrb_amount end as difference
from link as k
left join nrb_status as s on s.guid = k.nrb_guid
left join nrb as n on n.guid = k.nrb_guid
left join invoice_status as i on i.jnid = k.jnid
left join invoice_item as t on t.jnid = k.jnid and t.position = k.position
order by k.nrb_guid, k.jnid, k.position nulls first, k.method
"""

PERIOD = """
with nrbs as (
    select min(accounting_date) as nrb_first, max(accounting_date) as nrb_last from nrb_status
), invoices as (
    select min(coalesce(v.invoice_date, v.created_on)) as invoice_first,
        max(coalesce(v.invoice_date, v.created_on)) as invoice_last
    from invoice_status as i join invoice as v on v.jnid = i.jnid
    where i.state = 'issued'
)
select * from nrbs cross join invoices
"""

RULE_SET = """
select count(*) as rules, sha256(coalesce(string_agg(rule_id || ' ' || digest, chr(10) order by rule_id), '')) as digest
from rule
"""


def statement_by(scope: str, rows: Iterable[tuple[int, str]]) -> str:
    """The statement of each job, month, vendor or type side by side: one row of these (position, label)."""
    columns = ",\n    ".join(
        f"sum(amount) filter (where position = {place}) as {quoted(label)}" for place, label in rows
    )
    return f"""
select key as {quoted(scope)},
    {columns}
from statement
where scope = '{scope}'
group by key
order by key nulls last
"""
