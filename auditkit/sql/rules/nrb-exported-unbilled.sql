-- id: nrb-exported-unbilled
-- title: In the ledger, never invoiced
-- assertion: completeness
-- severity: high
-- subject: nrb
-- param: min_amount decimal = 0.00
-- out: subject_id text, job_number text, amount_at_risk money, reason text, vendor_code text, accounting_date date, look_first flag
-- key: look_first
-- why: The ledger carries the cost, but no invoice carries the revenue: the margin of the job is understated by the whole amount.
-- remedy: Look for it on other invoices, also under another name; where an open line of the job has the same amount, look at that line first. Only if it is on none, bill it with a line that names its reference.
-- note: Some of what nrb-unbilled finds: its money is not added a second time. A NULL total fires, a NULL mark of export does not.
select guid as subject_id, job_number, total as amount_at_risk,
    'exported to the ledger, and on no invoice' as reason, vendor_code, accounting_date, look_first
from nrb_status
where unbilled and exported and (total is null or abs(total) > $min_amount)
