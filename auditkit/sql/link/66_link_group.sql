-- Rung 6: what matching found, one row for each NRB on each line.
-- out: nrb_guid text, jnid text, position int, method text
select nrb_guid, jnid, cast(position as int) as position, 'group' as method
from group_found
