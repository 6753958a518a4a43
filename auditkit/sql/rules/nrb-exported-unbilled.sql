-- id: nrb-exported-unbilled
-- title: Cost in the ledger whose revenue is missing
-- assertion: completeness
-- severity: high
-- subject: nrb
-- param: min_amount decimal = 0.00
-- out: subject_id text, job_number text, amount_at_risk money, reason text, vendor_code text, accounting_date date
-- why: The ledger carries the cost, but no invoice carries the revenue: the margin of the job is understated by the whole amount.
-- remedy: Bill it: add a line with the NRB's reference to the job's next invoice.
-- note: A subset of nrb-unbilled: its money is not added a second time.
select guid as subject_id, job_number, total as amount_at_risk,
    'exported to the ledger, and on no invoice' as reason, vendor_code, accounting_date
from nrb_status
where unbilled and exported and (total is null or abs(total) > $min_amount)
