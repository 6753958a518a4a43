-- id: nrb-unbilled
-- title: Billable cost that no invoice carries
-- assertion: completeness
-- severity: high
-- subject: nrb
-- param: min_amount decimal = 0.00
-- out: subject_id text, job_number text, amount_at_risk money, reason text, vendor_code text, accounting_date date, age_days int, age_bucket text
-- why: Cost that was bought for the client, but never reaches an invoice, is paid by the contractor.
-- remedy: Bill it: add a line with the NRB's reference to the job's next invoice, or mark it not billable and say why.
-- note: A NULL total fires: it may hide money.
with aged as (
    select guid, job_number, total, vendor_code, accounting_date, days_between(accounting_date, $as_of) as age_days
    from nrb_status
    where unbilled and (total is null or abs(total) > $min_amount)
)
select guid as subject_id, job_number, total as amount_at_risk,
    'billable, and on no invoice' as reason,
    vendor_code, accounting_date, age_days,
    age_band(age_days) as age_bucket
from aged
