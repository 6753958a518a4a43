-- Rung 6: pairs that a person forbade, line by line.
-- out: block text, nrb_guid text, jnid text, position int
select distinct g.block, f.nrb_guid, t.jnid, t.position
from decision_forbid as f
join group_nrb as g on g.nrb_guid = f.nrb_guid
join group_line as t on t.block = g.block
join invoice_item as i on i.jnid = t.jnid and i.position = t.position
where f.line_key = i.line_key or (f.line_key is null and f.jnid = t.jnid)
