-- Equal amounts in a block: so many NRBs and so many lines of the best invoice state, and so many credits of that amount.
-- expected: how many such hits chance would make in the block. Within half of the amount either way there are amount / roundness
-- values as round as this one; a line of that roundness hits one by chance. So: open NRBs in reach × open lines in reach × the larger
-- of roundness / amount × the share of the account's lines that are so round, and of the amount's own frequency on lines elsewhere.
-- A line of several jobs belongs to no block of a job.
-- all_allowed: a person has forbidden none of the pairs.
-- out: block text, cents int, nrbs int, lines int, credits int, state_rank int, all_allowed flag, expected ratio
with several as (
    select jnid, position from open_line group by jnid, position having count(*) > 1
), pair as (
    select p.block, p.cents, p.nrb_guid, p.jnid, p.position, p.state_rank
    from amount_pair as p
    where not exists (select 1 from several as s where s.jnid = p.jnid and s.position = p.position)
), best as (
    select block, cents, min(state_rank) as state_rank from pair group by block, cents
), counted as (
    select p.block, p.cents, b.state_rank, count(distinct p.nrb_guid) as nrbs,
        count(distinct p.jnid || '/' || cast(p.position as text)) as lines, count(*) as pairs
    from pair as p
    join best as b on b.block = p.block and b.cents = p.cents and b.state_rank = p.state_rank
    group by p.block, p.cents, b.state_rank
), line as (
    select o.block, o.cents, o.state_rank
    from open_line as o
    where not exists (select 1 from several as s where s.jnid = o.jnid and s.position = o.position)
), credit as (
    select block, cents, state_rank, count(*) as lines from line where cents < 0 group by block, cents, state_rank
), hit as (
    select c.block, c.cents, c.nrbs, c.lines, c.state_rank, c.pairs = c.nrbs * c.lines as all_allowed,
        case when o.block is null then coalesce(m.lines, 0) else 0 end as credits
    from counted as c
    left join credit as m on m.block = c.block and m.cents = -c.cents and m.state_rank = c.state_rank
    left join (select distinct block, cents from open_nrb) as o on o.block = c.block and o.cents = -c.cents
), reach_nrb as (
    select h.block, h.cents, count(*) as nrbs
    from hit as h
    join open_nrb as o on o.block = h.block and abs(o.cents - h.cents) * 2 <= abs(h.cents)
    group by h.block, h.cents
), reach_line as (
    select h.block, h.cents, count(*) as lines
    from hit as h
    join line as o on o.block = h.block and abs(o.cents - h.cents) * 2 <= abs(h.cents)
    group by h.block, h.cents
), every as (
    select count(*) as lines from invoice_line where cents <> 0
), frequency as (
    select cents, count(*) as times from invoice_line where cents <> 0 group by cents
)
select h.block, h.cents, h.nrbs, h.lines, h.credits, h.state_rank, h.all_allowed,
    rn.nrbs * rl.lines * greatest(ratio(roundness(abs(h.cents)), abs(h.cents)) * r.share, ratio(f.times - h.lines, e.lines))
        as expected
from hit as h
join reach_nrb as rn on rn.block = h.block and rn.cents = h.cents
join reach_line as rl on rl.block = h.block and rl.cents = h.cents
join round_share as r on r.roundness = roundness(abs(h.cents))
join frequency as f on f.cents = h.cents
cross join every as e
