-- id: record-vanished
-- title: Record deleted at the vendor
-- assertion: existence
-- severity: high
-- subject: any
-- out: subject_id text, job_number text, amount_at_risk money, reason text, subject_type text, name text, last_sync int, vanished_sync int
-- why: Cost or revenue that was reported once and no longer exists changes the books without leaving a trace in them.
-- remedy: Ask who deleted it; if that was right, accept the exception with a note.
-- note: The total is NULL if the last body had none that could be read. Silent for an invoice that auditkit deactivated and verified so: JobNimbus may hide it afterwards. One that was active again when it was last seen is an exception.
with verified as (
    select json_extract_string(body, '$.correction') as correction, json_extract_string(body, '$.object') as jnid, written_at
    from journal where kind = 'correction' and json_extract_string(body, '$.step') = 'VERIFIED'
), deactivation as (
    select json_extract_string(body, '$.correction') as correction
    from journal
    where kind = 'correction' and json_extract_string(body, '$.change.operation') = 'deactivate-invoice'
    group by json_extract_string(body, '$.correction')
), deactivated as (
    select v.jnid, max(v.written_at) as written_at
    from verified as v join deactivation as d on d.correction = v.correction
    group by v.jnid
)
select g.subject_id, g.job_number, g.total as amount_at_risk,
    'last seen in sync ' || cast(g.last_sync as text) || ', answered 404 in sync ' || cast(g.vanished_sync as text) as reason,
    g.subject_type, g.name, g.last_sync, g.vanished_sync
from vanished as g
where not exists (
    select 1 from deactivated as d
    left join sync_run as s on s.sync_id = g.last_sync
    where g.subject_type = 'invoice' and d.jnid = g.subject_id and (g.is_active = false or d.written_at >= s.started_at)
)
