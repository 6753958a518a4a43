-- id: nrb-late-cost
-- title: Cost booked late
-- assertion: cutoff
-- severity: low
-- subject: nrb
-- param: days int = 30
-- param: most_days int = 90
-- out: subject_id text, job_number text, amount_at_risk money, reason text, vendor_code text, vendor_invoice_date date, created_on date, days_late int
-- why: Cost that is entered weeks after the vendor's invoice misses its month, and the client's final invoice.
-- remedy: Ask why it came late, and look for the line that bills it.
-- note: Leaves entered more than $days after the vendor's invoice date. More than $most_days is nrb-date-odd, as the date itself is doubtful.
--   NULL dates: silent.
select s.guid as subject_id, s.job_number, s.total as amount_at_risk,
    'entered ' || cast(days_between(n.vendor_invoice_date, n.created_on) as text) || ' days after the vendor''s invoice' as reason,
    s.vendor_code, n.vendor_invoice_date, n.created_on, days_between(n.vendor_invoice_date, n.created_on) as days_late
from nrb_status as s join nrb as n on n.guid = s.guid
where days_between(n.vendor_invoice_date, n.created_on) > $days
    and days_between(n.vendor_invoice_date, n.created_on) <= $most_days
