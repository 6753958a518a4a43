-- id: nrb-invoiced-not-marked
-- title: Billed, not marked billed in Aimsio
-- assertion: accuracy
-- severity: low
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text, matched_by text, vendor_code text
-- why: JobNimbus charges for it while Aimsio still shows it as open, so somebody may bill it a second time.
-- remedy: Compare the line; if it is this cost, mark it as billed in Aimsio.
-- note: On an issued invoice by name, mark or amount. What a person linked by hand is silent here, and so is an NRB whose parent has the
--   mark. A NULL total fires.
select s.guid as subject_id, s.job_number, s.total as amount_at_risk,
    'on an issued invoice (matched by ' || n.matched_by || '), but not marked as billed in Aimsio' as reason,
    n.matched_by, s.vendor_code
from nrb_status as s
join nrb_state as n on n.guid = s.guid
where not s.billed_mark and s.billable and not s.internal and n.matched_by is not null
    and not exists (select 1 from link as k where k.nrb_guid = s.guid and k.method = 'manual')
