-- What the newest audit and its read are: snapshot, as-of day, verdict, account and completeness.
select a.snapshot_id, a.sync_id, a.as_of, a.verdict, a.environment, a.account, a.time_zone, a.warnings, s.status,
    s.reason, s.finished_at
from audit_run as a join sync_run as s on s.sync_id = a.sync_id
