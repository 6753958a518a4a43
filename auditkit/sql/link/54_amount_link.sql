-- The pairs of equal amount, where the mark or the improbability of the amount excludes coincidence: as many NRBs as lines, in the order
-- of their ids, as any pairing is right; or one NRB with a line, its credit and the line again. A line of several blocks is not paired.
-- out: nrb_guid text, jnid text, position int, method text, share_cents int
with sure as (
    select block, cents, nrbs, lines, credits, state_rank
    from amount_hit where all_allowed and ($by_mark or expected <= $chance)
), pair as (
    select p.block, p.cents, p.nrb_guid, p.jnid, p.position, s.nrbs, s.lines, s.credits,
        dense_rank() over (partition by p.block, p.cents order by p.nrb_guid) as nrb_turn,
        dense_rank() over (partition by p.block, p.cents order by p.jnid, p.position) as line_turn
    from amount_pair as p
    join sure as s on s.block = p.block and s.cents = p.cents and s.state_rank = p.state_rank
), found as (
    select nrb_guid, jnid, position, cents from pair where nrbs = lines and credits = 0 and nrb_turn = line_turn
    union all
    select nrb_guid, jnid, position, cents from pair where nrbs = 1 and credits > 0 and lines - credits between 0 and 1
    union all
    select distinct p.nrb_guid, o.jnid, o.position, o.cents
    from pair as p
    join open_line as o on o.block = p.block and o.cents = -p.cents
    join sure as s on s.block = p.block and s.cents = p.cents and s.state_rank = o.state_rank
    where p.nrbs = 1 and p.credits > 0 and p.lines - p.credits between 0 and 1
), counted as (
    select nrb_guid, jnid, position, cents, count(*) over (partition by jnid, position) as claims from found
)
select nrb_guid, jnid, position, case when $by_mark then 'mark' else 'amount' end as method, cents as share_cents
from counted
where claims = 1
