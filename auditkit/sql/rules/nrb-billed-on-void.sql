-- id: nrb-billed-on-void
-- title: Billed on an invoice that is void
-- assertion: existence
-- severity: high
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text, found_jnid text
-- why: A void invoice charges nobody: the cost is open again, though it is marked as billed.
-- remedy: Put it on the invoice that replaced the void one.
-- note: The invoice of its line, else that of rungs 1 to 3; of an NRB on several lines, the part on void ones. Billable, not internal.
with on_line as (
    select k.nrb_guid, min(k.jnid) as jnid, sum(k.nrb_amount) as amount
    from link as k join invoice_status as i on i.jnid = k.jnid and i.state = 'void'
    where k.position is not null
    group by k.nrb_guid
)
select s.guid as subject_id, s.job_number, coalesce(l.amount, s.total) as amount_at_risk,
    'its invoice is void' as reason, coalesce(l.jnid, s.found_jnid) as found_jnid
from nrb_status as s
left join on_line as l on l.nrb_guid = s.guid
where s.billable and not s.internal and (l.nrb_guid is not null or (not s.linked and s.invoice_state = 'void'))
