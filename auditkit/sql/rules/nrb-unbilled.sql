-- id: nrb-unbilled
-- title: Never invoiced
-- assertion: completeness
-- severity: high
-- subject: nrb
-- param: min_amount decimal = 0.00
-- param: days int = 0
-- out: subject_id text, job_number text, amount_at_risk money, reason text, vendor_code text, accounting_date date, age_days int, age_bucket text, look_first flag
-- key: look_first
-- why: Cost that was bought for the client, but never reaches an invoice, is paid by the contractor.
-- remedy: Look for it on other invoices, also under another name; where an open line of the job has the same amount, look at that line first. Only if it is on none, bill it with a line that names its reference; or mark it not billable, with the reason.
-- note: $days of grace: a younger cost is not yet due, and not a finding. Billable leaves that no line names, whose amount no line can only mean, and that are not marked as billed. A NULL total fires: it may
--   hide money. look_first: an open line of the job has the same amount, but it is too common to be taken for this cost.
with aged as (
    select guid, job_number, total, vendor_code, accounting_date, look_first, days_between(accounting_date, $as_of) as age_days
    from nrb_status
    where unbilled and (total is null or abs(total) > $min_amount)
        and ($days <= 0 or accounting_date is null or days_between(accounting_date, $as_of) >= $days)
)
select guid as subject_id, job_number, total as amount_at_risk,
    case when look_first then 'on no invoice by name; a line of its job has the same amount, so look at it first'
        else 'billable, and on no invoice' end as reason,
    vendor_code, accounting_date, age_days,
    age_band(age_days) as age_bucket,
    look_first
from aged
