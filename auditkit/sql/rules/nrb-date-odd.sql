-- id: nrb-date-odd
-- title: Vendor invoice date out of range
-- assertion: cutoff
-- severity: low
-- subject: nrb
-- param: days int = 90
-- out: subject_id text, job_number text, amount_at_risk money, reason text, vendor_invoice_date date, created_on date, days_before int
-- why: The date decides month, age and cutoff, so a wrong one moves the cost into another period.
-- remedy: Compare with the vendor's document and correct the date.
-- note: After $as_of, before 2005, or more than $days before the NRB was entered. A date of 1970 is often one that was sent in
--   another unit, or not at all. NULL date: nothing to compare; NULL creation: only the first two.
with dated as (
    select s.guid, s.job_number, s.total, n.vendor_invoice_date, n.created_on,
        days_between(n.vendor_invoice_date, n.created_on) as days_before
    from nrb_status as s join nrb as n on n.guid = s.guid
)
select guid as subject_id, job_number, total as amount_at_risk,
    case when vendor_invoice_date > $as_of then 'in the future'
        when vendor_invoice_date < cast('2005-01-01' as date) then 'before 2005'
        else cast(days_before as text) || ' days before it was entered' end as reason,
    vendor_invoice_date, created_on, days_before
from dated
where vendor_invoice_date > $as_of or vendor_invoice_date < cast('2005-01-01' as date) or days_before > $days
