-- id: line-amount-difference
-- title: Under- or over-billed line
-- assertion: accuracy
-- severity: medium
-- subject: invoice_item
-- out: subject_id text, job_number text, amount_at_risk money, reason text, nrb_guids text, nrb_amount money, invoiced_amount money, difference money
-- key: nrb_guids, difference
-- why: The line carries the cost, but for more or less than its total with markup.
-- remedy: Correct the line, or the NRB if the price was agreed. Never bill the whole cost again.
-- note: Issued lines whose billable costs are on no other issued line: all of a line's costs together, by more than $tolerance. A cost that
--   several lines overcharge is found on the last of them. What is rounding within a line of several costs is left out. Where one cost is billed for less than 80 %, or several lines bill less than it,
--   nrb-billed-part finds it; twice the total is nrb-charged-twice. NULL totals count as 0.00. amount_at_risk is absolute; evidence signs it.
with charged as (
    select k.nrb_guid, k.jnid, k.position, k.invoiced_amount, s.job_number, s.job_key, coalesce(s.total, 0) as total, s.charged, s.state,
        case when s.state in ('billed_part', 'billed_over') then -s.left_over else 0 end as difference,
        count(*) over (partition by k.nrb_guid) as lines,
        row_number() over (
            partition by k.nrb_guid order by coalesce(i.invoice_date, i.created_on) desc nulls last, k.jnid desc, k.position desc
        ) as turn
    from link as k
    join nrb_status as s on s.guid = k.nrb_guid and s.billable and not s.internal
    join invoice as i on i.jnid = k.jnid
    where k.state = 'issued'
), shaped as (
    select nrb_guid, jnid, position, invoiced_amount, job_number, job_key, total, charged, state, difference, turn,
        max(lines) over (partition by jnid, position) as most_lines
    from charged
), counted as (
    select nrb_guid, jnid, position, job_number, job_key, total, invoiced_amount, difference from shaped where most_lines = 1
    union all
    select nrb_guid, jnid, position, job_number, job_key, total, charged, difference
    from shaped where most_lines > 1 and turn = 1 and state = 'billed_over'
), line as (
    select jnid, position, case when count(distinct job_key) > 1 then '(several)' else min(job_number) end as job_number,
        count(*) as nrbs, string_agg(nrb_guid, ' ' order by nrb_guid) as nrb_guids, sum(total) as nrb_amount,
        sum(invoiced_amount) as invoiced_amount, sum(difference) as difference
    from counted
    group by jnid, position
)
select jnid || '/' || cast(position as text) as subject_id, job_number, abs(difference) as amount_at_risk,
    case when difference < 0 then 'charged less than ' else 'charged more than ' end
        || case when nrbs = 1 then 'the cost' else 'the ' || cast(nrbs as text) || ' costs together' end as reason,
    nrb_guids, nrb_amount, invoiced_amount, difference
from line
where abs(difference) > $tolerance and not (nrbs = 1 and abs(invoiced_amount) * 5 < abs(nrb_amount) * 4)
