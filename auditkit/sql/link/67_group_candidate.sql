-- Rung 6: what matching did not decide (a line), and where it did not look (an invoice), with the reason.
-- out: nrb_guid text, jnid text, position int, reason text
select nrb_guid, jnid, cast(position as int) as position, reason from group_disputed
union all
select g.nrb_guid, u.jnid, cast(null as int), u.reason
from group_unsearched as u join group_nrb as g on g.block = u.block and g.by_amount
