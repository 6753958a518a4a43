"""The questions behind `Audit`'s tables: each is one SELECT that anybody can run again on the snapshot.

Not here: what the words in them mean; that is decided in `sql/`.
"""

__all__ = [
    "BY_RULE",
    "COMPLETENESS",
    "FINDINGS",
    "LAST_RUN",
    "LINE",
    "RUN",
    "STATEMENT",
    "SUBJECTS",
    "SYNC_RUN",
    "UNBILLED",
    "UNEXPORTED",
]

STATEMENT = "select label, amount, gross, items from statement where scope = 'all' order by position"

RUN = """
select a.snapshot_id, a.sync_id, a.as_of, a.verdict, a.environment, a.account, a.time_zone, s.status, s.reason
from audit_run as a join sync_run as s on s.sync_id = a.sync_id
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

FINDINGS = """
select rule_id, severity, subject_type, subject_id, job_number, amount_at_risk, reason, evidence, fingerprint, state,
    first_seen
from finding
where {condition}
order by case severity when 'high' then 1 when 'medium' then 2 else 3 end, rule_id, abs(amount_at_risk) desc, subject_id
"""

BY_RULE = """
select r.rule_id, r.severity, count(f.rule_id) as findings, coalesce(sum(f.amount_at_risk), 0) as amount_at_risk,
    r.title
from rule as r left join finding as f on f.rule_id = r.rule_id
group by r.rule_id, r.severity, r.title
order by case r.severity when 'high' then 1 when 'medium' then 2 else 3 end, r.rule_id
"""

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

SUBJECTS = """
select n.*, f.job_number, f.amount_at_risk, f.fingerprint, f.reason,
    exists (
        select 1 from raw.nrb_body as b
        where b.guid = n.guid and b.last_sync = (select max(sync_id) from sync_run)
    ) as has_own_record
from finding as f join nrb as n on n.guid = f.subject_id
where f.rule_id = $rule
order by n.guid
"""

LINE = """
select n.guid as nrb_guid, i.jnid, t.line_key
from nrb as n join invoice as i on i.jnid = $jnid
left join invoice_item as t on t.jnid = i.jnid and t.position = $position
where n.guid = $guid and ($position is null or t.line_key is not null)
"""
