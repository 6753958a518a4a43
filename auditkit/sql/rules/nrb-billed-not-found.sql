-- id: nrb-billed-not-found
-- title: Marked as billed, but no invoice is found
-- assertion: existence
-- severity: high
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text, billed_in_guid text, billed_in_name text
-- why: Aimsio says that the client was charged; JobNimbus does not know of it.
-- remedy: Look for the invoice under another number; if there is none, take the mark off and bill it.
-- note: Billable, not internal. Internal and non-billable NRBs stand in rows of their own.
select s.guid as subject_id, s.job_number, s.total as amount_at_risk,
    'marked as billed in ' || coalesce(n.billed_in_name, n.billed_in_guid, 'its parent''s invoice')
        || ', which is not in JobNimbus' as reason,
    n.billed_in_guid, n.billed_in_name
from nrb_status as s
join nrb as n on n.guid = s.guid
where s.billable and not s.internal and s.billed_mark and not s.invoice_found and not s.linked
