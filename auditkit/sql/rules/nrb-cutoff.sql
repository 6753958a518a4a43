-- id: nrb-cutoff
-- title: Cut-off: cost and revenue in different periods
-- assertion: cutoff
-- severity: medium
-- subject: nrb
-- param: days int = 45
-- out: subject_id text, job_number text, amount_at_risk money, reason text, accounting_date date, invoice_date date, days_later int, jnid text
-- why: Revenue before its cost, or long after it, makes one month's margin too high and another's too low.
-- remedy: Check both dates; if they are right, accrue the cost or the revenue.
-- note: The first issued invoice that charges for the cost, else the one that its mark names: later ones are progress billing. Fires when that
--   invoice's month is before the cost's, or the invoice is more than $days later. The cost's date is the vendor's invoice date, else its creation;
--   the invoice's its own, else its creation; where either is NULL there is nothing to compare. A cost of 0.00 is silent, a NULL total fires.
with is_on as (
    select k.nrb_guid as guid, k.jnid from link as k
    union
    select s.guid, s.found_jnid from nrb_status as s where not s.linked
), dated as (
    select s.guid, s.job_number, s.total, s.accounting_date, o.jnid, coalesce(i.invoice_date, i.created_on) as invoice_date,
        days_between(s.accounting_date, coalesce(i.invoice_date, i.created_on)) as days_later,
        coalesce(i.invoice_date, i.created_on) < s.month as is_early,
        row_number() over (partition by s.guid order by coalesce(i.invoice_date, i.created_on), o.jnid) as turn
    from is_on as o
    join nrb_status as s on s.guid = o.guid and s.total is distinct from 0
    join invoice_status as t on t.jnid = o.jnid and t.state = 'issued'
    join invoice as i on i.jnid = o.jnid
    where coalesce(i.invoice_date, i.created_on) is not null
)
select guid as subject_id, job_number, total as amount_at_risk,
    case when is_early then 'invoiced in a month before the cost''s'
        else 'invoiced ' || cast(days_later as text) || ' days after the cost' end as reason,
    accounting_date, invoice_date, days_later, jnid
from dated
where turn = 1 and (is_early or days_later > $days)
