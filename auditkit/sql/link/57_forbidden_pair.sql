-- The pairs of open NRBs and open lines that a person has forbidden.
-- out: block text, nrb_guid text, jnid text, position int
select n.block, n.nrb_guid, o.jnid, o.position
from decision_forbid as d
join open_nrb as n on n.nrb_guid = d.nrb_guid
join open_line as o on o.block = n.block and o.jnid = d.jnid
join invoice_line as t on t.jnid = o.jnid and t.position = o.position
where d.line_key is null or d.line_key = t.line_key
