-- The NRB $guid and the line of the invoice $jnid at $position. NULL position: the invoice alone. No row if one does not exist.
select n.guid as nrb_guid, i.jnid, t.line_key
from nrb as n join invoice as i on i.jnid = $jnid
left join invoice_item as t on t.jnid = i.jnid and t.position = $position
where n.guid = $guid and ($position is null or t.line_key is not null)
