-- id: record-quarantined
-- title: A record could not be typed
-- assertion: accuracy
-- severity: high
-- subject: any
-- out: subject_id text, job_number text, amount_at_risk money, reason text, subject_type text, field text, digest text
-- key: digest
-- why: What cannot be read cannot be audited: the record is in no total above.
-- remedy: Correct the field at the vendor and sync again.
-- note: A record without job or amount here: they may be among the fields that could not be read.
select q.subject_id, cast(null as text) as job_number, cast(null as decimal(18, 2)) as amount_at_risk,
    string_agg(q.reason, '; ' order by q.reason, q.digest) as reason, q.subject_type,
    string_agg(q.field, ', ' order by q.reason, q.digest) as field, min(q.digest) as digest
from quarantine as q
group by q.subject_type, q.subject_id
