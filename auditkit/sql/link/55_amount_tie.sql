-- Equal amounts that are no coincidence, but not as many NRBs as lines: nothing tells them apart.
-- out: nrb_guid text, jnid text, position int, reason text
select p.nrb_guid, p.jnid, p.position,
    cast(h.nrbs as text) || case when h.nrbs = 1 then ' NRB and ' else ' NRBs and ' end || cast(h.lines as text)
        || case when h.lines = 1 then ' line have this amount' else ' lines have this amount' end
        || ', and nothing tells them apart' as reason
from amount_hit as h
join amount_pair as p on p.block = h.block and p.cents = h.cents and p.state_rank = h.state_rank
where ($by_mark or h.expected <= $chance)
    and not exists (select 1 from settled as s where s.nrb_guid = p.nrb_guid)
    and not exists (select 1 from settled as s where s.jnid = p.jnid and s.position = p.position)
