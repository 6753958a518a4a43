-- id: nrb-line-not-found
-- title: Missing from its invoice
-- assertion: completeness
-- severity: high
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text, found_jnid text, found_method text, invoice_number text
-- why: The cost is marked with an issued invoice on which nothing charges for it.
-- remedy: Look for a line that charges for several items together, here and on other invoices. Only if there is none, bill the cost.
-- note: Billable leaves. No line of the invoice names it, and no free line or sum of lines has its amount. A NULL total fires.
select s.guid as subject_id, s.job_number, s.total as amount_at_risk,
    'its invoice ' || coalesce(i.number, i.jnid) || ' was found (by ' || n.found_method || '), but none of its lines is this cost' as reason,
    n.found_jnid, n.found_method, i.number as invoice_number
from nrb_status as s
join nrb_state as n on n.guid = s.guid
join invoice as i on i.jnid = n.found_jnid
where s.state = 'not_on_invoice'
