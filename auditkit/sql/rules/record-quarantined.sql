-- id: record-quarantined
-- title: Record could not be read
-- assertion: accuracy
-- severity: high
-- subject: any
-- out: subject_id text, job_number text, amount_at_risk money, reason text, subject_type text, field text, digest text
-- key: digest
-- why: What cannot be read cannot be audited: an amount is missing from the totals, or its job, invoice or status is unknown.
-- remedy: Correct the field at the vendor and sync again.
-- note: A record in quarantine has no identity, so it is in no other table; of any other record, the fields that matter for
--   money or for a decision are NULL. NULL amount: it is the amount, or the record, that could not be read.
with unread as (
    select subject_type, subject_id, field, reason, digest from quarantine
    union all
    select subject_type, subject_id,
        case when place = '' then field when field = '' then place else place || '.' || field end as field, reason, digest
    from unreadable_field
    where matters is not null
), listed as (
    select subject_type, subject_id, string_agg(case when starts_with(field, '(') then reason else field || ': ' || reason end, '; ' order by field, reason) as reason,
        string_agg(field, ', ' order by field, reason) as field, min(digest) as digest
    from unread
    group by subject_type, subject_id
)
select l.subject_id, case when l.subject_type = 'nrb' then n.job_number end as job_number,
    case when l.subject_type = 'nrb' then n.total_after_markup else i.total end as amount_at_risk, l.reason, l.subject_type,
    l.field, l.digest
from listed as l
left join nrb as n on n.guid = l.subject_id
left join invoice as i on i.jnid = l.subject_id
