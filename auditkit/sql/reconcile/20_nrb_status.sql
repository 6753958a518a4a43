-- One leaf with its attributes and its state. NULL total stays NULL.
-- out: guid text, parent_guid text, job_number text, job_key text, vendor_code text, type_name text, accounting_date date,
--   month date, total money, internal flag, billable flag, exported flag, billed_mark flag, found_jnid text, linked flag, state text,
--   charged money, left_over money, look_first flag, unbilled flag
select l.guid, l.parent_guid, l.job_number, l.job_key, l.vendor_code, l.type_name, l.accounting_date,
    cast(date_trunc('month', l.accounting_date) as date) as month,
    l.total, l.internal, l.billable, l.exported, l.billed_mark, s.found_jnid, s.matched_by is not null
        or exists (select 1 from link as k where k.nrb_guid = l.guid) as linked,
    s.state, s.charged, s.left_over, s.look_first, s.state = 'unbilled' as unbilled
from nrb_leaf as l
join nrb_state as s on s.guid = l.guid
