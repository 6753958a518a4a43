-- id: nrb-on-draft
-- title: Left on a draft invoice
-- assertion: completeness
-- severity: medium
-- subject: nrb
-- param: days int = 15
-- out: subject_id text, job_number text, amount_at_risk money, reason text, invoice text, draft_date date, days_old int, jnid text
-- key: jnid
-- why: A draft charges nobody: the cost stays unbilled until somebody sends the invoice.
-- remedy: Send the draft, or move the cost to the invoice that is sent.
-- note: Billable leaves that only drafts bill, or whose mark names one, more than $days after the draft's date (else its creation); this month's
--   drafts are silent. A draft without any date fires: NULL days_old. A NULL total fires.
with draft as (
    select k.nrb_guid, min(k.jnid) as jnid from link as k where k.state = 'draft' group by k.nrb_guid
), placed as (
    select s.guid, s.job_number, s.total, coalesce(d.jnid, s.found_jnid) as jnid
    from nrb_status as s left join draft as d on d.nrb_guid = s.guid
    where s.state = 'on_draft'
), dated as (
    select p.guid, p.job_number, p.total, p.jnid, i.number as invoice, coalesce(i.invoice_date, i.created_on) as draft_date,
        days_between(coalesce(i.invoice_date, i.created_on), $as_of) as days_old
    from placed as p left join invoice as i on i.jnid = p.jnid
)
select guid as subject_id, job_number, total as amount_at_risk,
    'on draft ' || coalesce(invoice, jnid, '') || coalesce(' for ' || cast(days_old as text) || ' days', ' without a date') as reason,
    invoice, draft_date, days_old, jnid
from dated
where days_old > $days or days_old is null
