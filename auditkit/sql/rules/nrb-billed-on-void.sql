-- id: nrb-billed-on-void
-- title: Billed on a void invoice
-- assertion: existence
-- severity: high
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text, found_jnid text, invoice_number text
-- why: A void invoice charges nobody: the cost is open again, though it looks billed.
-- remedy: Look for the invoice that replaced the void one. Only if no invoice carries the cost, add it there.
-- note: Billable leaves that only lines of void invoices carry, or that are marked with a void invoice and on no other. A NULL total fires.
with on_line as (
    select k.nrb_guid, min(k.jnid) as jnid from link as k where k.state = 'void' group by k.nrb_guid
)
select s.guid as subject_id, s.job_number, s.total as amount_at_risk,
    'its invoice ' || coalesce(i.number, i.jnid, '') || ' is void' as reason, coalesce(l.jnid, s.found_jnid) as found_jnid,
    i.number as invoice_number
from nrb_status as s
left join on_line as l on l.nrb_guid = s.guid
left join invoice as i on i.jnid = coalesce(l.jnid, s.found_jnid)
where s.state = 'on_void'
