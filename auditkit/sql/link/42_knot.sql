-- What own names leave: components of several NRBs and several lines, and shared names. They are solved block by block
-- (checks/knots.py).
-- out: nrb_guid text, jnid text, position int, is_own flag, manual flag, cents int, line_cents int
select e.nrb_guid, e.jnid, e.position, e.is_own, e.rank = 0 as manual, l.cents, e.line_cents
from edge as e
join nrb_leaf as l on l.guid = e.nrb_guid
where e.line_cents <> 0
    and not exists (select 1 from settled as s where s.jnid = e.jnid and s.position = e.position)
    and not exists (select 1 from settled as s where s.nrb_guid = e.nrb_guid)
