-- The candidates of what was not linked, and why; of an NRB those of its strongest evidence only. By rung 6 also where sets
-- were not searched: the invoice without a line.
-- out: nrb_guid text, jnid text, position int, method text, reason text
select c.nrb_guid, c.jnid, cast(null as int) as position, c.method,
    'several ' || c.state || ' invoices are named alike, and not exactly one has a line of this amount' as reason
from invoice_candidate as c
where not exists (select 1 from invoice_found as f where f.nrb_guid = c.nrb_guid)
    and not exists (select 1 from link_line as k where k.nrb_guid = c.nrb_guid)
union all
select r.nrb_guid, r.jnid, r.position, 'reference' as method,
    'several NRBs or lines share the reference, and not exactly one pair has equal amounts' as reason
from reference_open as r
where not exists (select 1 from link_line as k where k.nrb_guid = r.nrb_guid)
    and not exists (select 1 from link_line as k where k.jnid = r.jnid and k.position = r.position)
union all
select a.nrb_guid, a.jnid, a.position, 'amount' as method,
    'several NRBs or lines have the amount, and nothing else tells them apart' as reason
from amount_open as a
where not exists (select 1 from link_line as k where k.nrb_guid = a.nrb_guid)
    and not exists (select 1 from reference_open as r where r.nrb_guid = a.nrb_guid)
    and not exists (
        select 1 from invoice_candidate as c
        where c.nrb_guid = a.nrb_guid
            and not exists (select 1 from invoice_found as f where f.nrb_guid = c.nrb_guid)
    )
    and not exists (select 1 from link_line as k where k.jnid = a.jnid and k.position = a.position)
union all
select g.nrb_guid, g.jnid, g.position, 'group' as method, min(g.reason) as reason
from group_open as g
where not exists (select 1 from link_line as k where k.nrb_guid = g.nrb_guid)
    and not exists (select 1 from link_line as k where k.jnid = g.jnid and k.position = g.position)
    and not exists (select 1 from reference_open as r where r.nrb_guid = g.nrb_guid)
    and not exists (
        select 1 from invoice_candidate as c
        where c.nrb_guid = g.nrb_guid
            and not exists (select 1 from invoice_found as f where f.nrb_guid = c.nrb_guid)
    )
group by g.nrb_guid, g.jnid, g.position
