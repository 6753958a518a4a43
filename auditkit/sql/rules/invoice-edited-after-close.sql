-- id: invoice-edited-after-close
-- title: Invoice changed after close
-- assertion: cutoff
-- severity: low
-- subject: invoice
-- param: days int = 7
-- out: subject_id text, job_number text, amount_at_risk money, reason text, number text, closed_on date, updated_on date, days_after int
-- why: What changes after the close changes a month that was reported already.
-- remedy: Ask what was changed and why; JobNimbus's own history names the person.
-- note: Issued invoices whose status is Closed (code 4 or by name) now: updated more than $days after that status was set. NULL dates:
--   nothing to compare. JobNimbus does not report what was changed; archiving counts as a change, too.
with closed as (
    select i.jnid, s.job_number, i.total, i.number, i.status_changed_on, i.updated_on,
        days_between(i.status_changed_on, i.updated_on) as days_after
    from invoice as i
    join invoice_status as s on s.jnid = i.jnid and s.state = 'issued'
    where folded(i.status_name) = 'closed' or (i.status_name is null and i.status = 4)
)
select jnid as subject_id, job_number, total as amount_at_risk,
    'changed ' || cast(days_after as text) || ' days after it was closed' as reason,
    number, status_changed_on as closed_on, updated_on, days_after
from closed
where days_after > $days
