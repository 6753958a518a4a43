-- id: nrb-line-not-found
-- title: Its invoice is there, but no line carries it
-- assertion: completeness
-- severity: high
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text, found_jnid text, found_method text
-- why: The NRB points at an issued invoice on which nothing charges for it.
-- remedy: Look for a line that charges for several items together; if there is none, bill it.
-- note: Billable, not internal; the invoice is issued.
select guid as subject_id, job_number, total as amount_at_risk,
    'its invoice was found (' || found_method || '), but none of its lines carries it' as reason,
    found_jnid, found_method
from nrb_status
where billable and not internal and invoice_found and not linked and invoice_state = 'issued'
