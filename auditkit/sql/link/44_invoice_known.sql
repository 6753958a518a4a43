-- The invoice of an NRB as far as it is known: the one that its mark names, else the one on which a line of 0.00 names it surely.
-- out: nrb_guid text, jnid text, method text, state_rank int, rivals int
select f.nrb_guid, f.jnid, f.method, f.state_rank, f.rivals from invoice_found as f
union all
select e.nrb_guid, min(e.jnid) as jnid, 'reference on a line of 0.00' as method, min(e.state_rank) as state_rank,
    count(distinct e.jnid) as rivals
from name_raised as e
where e.points >= $settles and e.line_cents = 0
    and not exists (select 1 from invoice_found as f where f.nrb_guid = e.nrb_guid)
group by e.nrb_guid
