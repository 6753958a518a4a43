-- id: line-amount-difference
-- title: Charged another amount than the cost with mark-up
-- assertion: accuracy
-- severity: medium
-- subject: invoice_item
-- out: subject_id text, job_number text, amount_at_risk money, reason text, nrb_guids text, nrb_amount money, invoiced_amount money, difference money
-- key: nrb_guids, difference
-- why: The line carries the NRB, but for more or less than its total after mark-up.
-- remedy: Correct the line, or the NRB if the price was agreed.
-- note: Lines of issued invoices and the billable, non-internal NRBs that they carry, each by its part. amount_at_risk is the sum of
--   the parts' absolute differences; evidence signs it.
with part as (
    select k.jnid, k.position, k.nrb_guid, s.job_number, s.job_key, k.nrb_amount, k.invoiced_amount,
        k.invoiced_amount - k.nrb_amount as difference
    from link as k
    join nrb_status as s on s.guid = k.nrb_guid and s.billable and not s.internal
    join invoice_status as i on i.jnid = k.jnid and i.state = 'issued'
    where k.position is not null
), line as (
    select jnid, position, case when count(distinct job_key) > 1 then '(several)' else min(job_number) end as job_number,
        count(*) as parts, string_agg(nrb_guid, ' ' order by nrb_guid) as nrb_guids, sum(nrb_amount) as nrb_amount,
        sum(invoiced_amount) as invoiced_amount, sum(difference) as difference, sum(abs(difference)) as amount_at_risk
    from part
    group by jnid, position
)
select jnid || '/' || cast(position as text) as subject_id, job_number, amount_at_risk,
    case when difference < 0 then 'charged less than ' when difference > 0 then 'charged more than '
        else 'charged in all, but not one by one, what belongs to ' end
        || case when parts = 1 then 'the NRB' else 'the NRBs ' || nrb_guids end as reason,
    nrb_guids, nrb_amount, invoiced_amount, difference
from line
where amount_at_risk > $tolerance
