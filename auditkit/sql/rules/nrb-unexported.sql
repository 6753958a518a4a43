-- id: nrb-unexported
-- title: Cost not exported to the ledger
-- assertion: completeness
-- severity: medium
-- subject: nrb
-- param: days int = 0
-- out: subject_id text, job_number text, amount_at_risk money, reason text, vendor_code text, accounting_date date
-- why: Cost that is not exported is missing from the ledger, so the job looks more profitable than it is.
-- remedy: Export it from Aimsio, or mark it exported where it was booked by hand.
-- note: $days of grace: a younger cost is not yet due, and not a finding. NULL counts as not exported: it is not known.
select guid as subject_id, job_number, total as amount_at_risk,
    case when exported is null then 'not known whether it was exported' else 'not exported' end as reason,
    vendor_code, accounting_date
from nrb_status
where exported is distinct from true
    and ($days <= 0 or accounting_date is null or days_between(accounting_date, $as_of) >= $days)
