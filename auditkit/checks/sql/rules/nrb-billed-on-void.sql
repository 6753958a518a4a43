-- id: nrb-billed-on-void
-- title: Billed on an invoice that is void
-- assertion: existence
-- severity: high
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text, found_jnid text
-- why: A void invoice charges nobody: the cost is open again, though it is marked as billed.
-- remedy: Put it on the invoice that replaced the void one.
-- note: The invoice of its line, else that of rungs 1 to 3. Billable, not internal.
select guid as subject_id, job_number, total as amount_at_risk,
    'its invoice is void' as reason, found_jnid
from nrb_status
where billable and not internal and invoice_state = 'void'
