-- id: invoice-draft-old
-- title: Draft invoice never sent
-- assertion: completeness
-- severity: high
-- subject: invoice
-- param: days int = 30
-- out: subject_id text, job_number text, amount_at_risk money, reason text, number text, total money, draft_date date, days_old int
-- why: Work that is written up and never sent is not paid.
-- remedy: Send the invoice, or deactivate the draft if another invoice replaced it.
-- note: Drafts more than $days after their date (else their creation). At risk is what they charge beside costs, which nrb-on-draft finds; a draft
--   of such costs alone is silent. A draft without any date fires: NULL days_old. A NULL total counts as 0.00.
with carried as (
    select jnid, sum(invoiced_amount) as amount from link group by jnid
), dated as (
    select s.jnid, s.job_number, i.number, coalesce(s.total, 0) as total, coalesce(c.amount, 0) as carried,
        coalesce(i.invoice_date, i.created_on) as draft_date,
        days_between(coalesce(i.invoice_date, i.created_on), $as_of) as days_old
    from invoice_status as s
    join invoice as i on i.jnid = s.jnid
    left join carried as c on c.jnid = s.jnid
    where s.state = 'draft'
)
select jnid as subject_id, job_number, total - carried as amount_at_risk,
    coalesce('a draft for ' || cast(days_old as text) || ' days', 'a draft without a date') as reason,
    number, total, draft_date, days_old
from dated
where (days_old > $days or days_old is null) and total - carried > $tolerance
