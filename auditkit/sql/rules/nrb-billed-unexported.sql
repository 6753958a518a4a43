-- id: nrb-billed-unexported
-- title: Billed, cost not in the ledger
-- assertion: cutoff
-- severity: medium
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text, vendor_code text, found_jnid text
-- why: The client was charged, but the cost is not booked: the margin is overstated until it is.
-- remedy: Export it from Aimsio, or mark it exported where it was booked by hand.
-- note: An issued line charges for it, and it is not exported (NULL counts as not exported).
select guid as subject_id, job_number, total as amount_at_risk,
    'billed, but not exported' as reason, vendor_code, found_jnid
from nrb_status
where charged <> 0 and exported is distinct from true
