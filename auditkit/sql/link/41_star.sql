-- Own names where one side of the component is single. One NRB and its lines: each line is all its own (progress, credit, re-issue,
-- a second charge). One line and its NRBs: each its own total and a part of the difference, dealt out by largest remainder over the
-- absolute totals; no exact sum is asked, and signs may mix. Lines of 0.00 carry nothing.
-- out: nrb_guid text, jnid text, position int, method text, share_cents int
with counted as (
    select nrb_guid, jnid, position, rank, line_cents,
        count(*) over (partition by nrb_guid) as lines, count(*) over (partition by jnid, position) as nrbs
    from edge
    where is_own and line_cents <> 0
), shaped as (
    select nrb_guid, jnid, position, rank, line_cents, nrbs,
        max(nrbs) over (partition by nrb_guid) as most_nrbs, max(lines) over (partition by jnid, position) as most_lines
    from counted
), lump as (
    select s.nrb_guid, s.jnid, s.position, s.rank, l.cents,
        s.line_cents - sum(l.cents) over (partition by s.jnid, s.position) as difference,
        sum(abs(l.cents)) over (partition by s.jnid, s.position) as weight,
        s.nrbs
    from shaped as s
    join nrb_leaf as l on l.guid = s.nrb_guid
    where s.most_lines = 1 and s.nrbs > 1
), floored as (
    select nrb_guid, jnid, position, rank, cents, difference, share_floor(difference, cents, weight, nrbs) as part,
        share_rest(difference, cents, weight) as rest
    from lump
), dealt as (
    select nrb_guid, jnid, position, rank, cents, difference, part,
        row_number() over (partition by jnid, position order by rest desc, nrb_guid) as turn,
        abs(difference) - sum(part) over (partition by jnid, position) as left_over
    from floored
)
select nrb_guid, jnid, position, case when rank = 0 then 'manual' else 'name' end as method, line_cents as share_cents
from shaped
where nrbs = 1 and most_nrbs = 1
union all
select nrb_guid, jnid, position, case when rank = 0 then 'manual' else 'name' end as method,
    cast(cents + sign(difference) * (part + case when turn <= left_over then 1 else 0 end) as bigint) as share_cents
from dealt
