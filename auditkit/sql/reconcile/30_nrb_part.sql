-- The cost side of the statement: each leaf, split over the lines that carry it. A NULL total counts as 0.00 here.
-- out: guid text, jnid text, position int, method text, state text, linked flag, internal flag, billable flag, unbilled flag,
--   invoice_found flag, amount money, invoiced_amount money
select s.guid, k.jnid, k.position, k.method, i.state, true as linked, s.internal, s.billable, s.unbilled, s.invoice_found,
    k.nrb_amount as amount, k.invoiced_amount
from nrb_status as s
join link as k on k.nrb_guid = s.guid and k.position is not null
join invoice_state as i on i.jnid = k.jnid
union all
select s.guid, s.found_jnid, cast(null as int), s.found_method, s.invoice_state, false, s.internal, s.billable, s.unbilled,
    s.invoice_found, coalesce(s.total, 0), cast(null as decimal(18, 2))
from nrb_status as s
where not s.linked
