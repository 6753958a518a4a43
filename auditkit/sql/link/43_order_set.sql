-- A purchase order or WBS names a set: it settles only where all its NRBs together are exactly the line that names it.
-- out: nrb_guid text, jnid text, position int, method text, share_cents int
with pair as (
    select e.nrb_guid, e.jnid, e.position, e.name, e.line_cents, e.cents, e.state_rank,
        min(e.state_rank) over (partition by e.nrb_guid) as best_state
    from name_raised as e
    where e.rank = 4 and e.away < 3 and e.line_cents <> 0 and not e.retention
        and not exists (select 1 from settled as s where s.nrb_guid = e.nrb_guid)
        and not exists (select 1 from settled as s where s.jnid = e.jnid and s.position = e.position)
), exact as (
    select jnid, position, name
    from pair where state_rank = best_state
    group by jnid, position, name having sum(cents) = min(line_cents)
)
select p.nrb_guid, p.jnid, p.position, 'name' as method, p.cents as share_cents
from pair as p
join exact as e on e.jnid = p.jnid and e.position = p.position and e.name = p.name
where p.state_rank = p.best_state
