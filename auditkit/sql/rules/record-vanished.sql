-- id: record-vanished
-- title: A record that was there is gone
-- assertion: existence
-- severity: high
-- subject: any
-- out: subject_id text, job_number text, amount_at_risk money, reason text, subject_type text, name text, last_sync int, vanished_sync int
-- why: Cost or revenue that was reported once and exists no more changes the books without leaving a trace in them.
-- remedy: Ask who deleted it; if rightly so, accept the finding with a note.
-- note: Without a total where the last body had none that could be typed.
select subject_id, job_number, total as amount_at_risk,
    'last seen in sync ' || cast(last_sync as text) || ', answered 404 in sync ' || cast(vanished_sync as text) as reason,
    subject_type, name, last_sync, vanished_sync
from vanished
