-- Rung 0: a person said so. What is not in this snapshot any more links nothing.
-- out: nrb_guid text, jnid text, position int, method text
select d.nrb_guid, t.jnid, t.position, 'manual' as method
from decision_link as d
join invoice_item as t on t.line_key = d.line_key
join nrb_leaf as l on l.guid = d.nrb_guid
