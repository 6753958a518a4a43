-- id: nrb-billed-part
-- title: Billed in part
-- assertion: completeness
-- severity: medium
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text, charged money, total money, lines int
-- why: A part of the cost was billed; the rest may be waiting for the next progress invoice, or was forgotten.
-- remedy: Look for the rest on other lines, and ask whether it is still to come. Bill the rest at most, never the whole.
-- note: Billable leaves that issued lines charge for less than their total: several lines together, or one line of their own for less than 80 % of
--   it. A smaller difference, or one of a line for several costs, is line-amount-difference. At risk is the rest, by more than $tolerance. A NULL total counts as 0.00, which
--   has no part.
with charged as (
    select k.nrb_guid, k.jnid, k.position, count(*) over (partition by k.nrb_guid) as lines,
        count(*) over (partition by k.jnid, k.position) as nrbs
    from link as k
    join nrb_status as s on s.guid = k.nrb_guid and s.billable and not s.internal
    where k.state = 'issued'
), shaped as (
    select nrb_guid, lines, nrbs, max(lines) over (partition by jnid, position) as most_lines from charged
), counted as (
    select nrb_guid, max(lines) as lines, max(nrbs) as nrbs, max(most_lines) as most_lines from shaped group by nrb_guid
)
select s.guid as subject_id, s.job_number, s.left_over as amount_at_risk,
    cast(s.charged as text) || ' of ' || cast(s.total as text) || ' is billed' as reason, s.charged, s.total, c.lines
from nrb_status as s
join counted as c on c.nrb_guid = s.guid
where s.state = 'billed_part' and abs(s.left_over) > $tolerance
    and (c.most_lines > 1 or (c.nrbs = 1 and abs(s.charged) * 5 < abs(s.total) * 4))
