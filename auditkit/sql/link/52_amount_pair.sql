-- Each open NRB with each open line of its amount in its block. A forbidden pair never enters.
-- out: block text, cents int, nrb_guid text, jnid text, position int, state_rank int
select n.block, n.cents, n.nrb_guid, o.jnid, o.position, o.state_rank
from open_nrb as n
join open_line as o on o.block = n.block and o.cents = n.cents
join invoice_line as t on t.jnid = o.jnid and t.position = o.position
where not exists (
    select 1 from decision_forbid as d
    where d.nrb_guid = n.nrb_guid and d.jnid = o.jnid and (d.line_key is null or d.line_key = t.line_key)
)
