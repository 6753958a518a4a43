-- The invoice of an NRB: issued before draft before void, then the lowest rung. It must be the only one there; a tie is
-- broken by the one invoice that has a line of the NRB's amount, else nothing is found.
-- out: nrb_guid text, jnid text, method text, state text
with ranked as (
    select nrb_guid, jnid, method, state,
        rank() over (partition by nrb_guid order by state_rank, rung) as place
    from invoice_candidate
), best as (
    select nrb_guid, jnid, method, state, count(*) over (partition by nrb_guid) as rivals
    from ranked where place = 1
), equal_amount as (
    select b.nrb_guid, min(b.jnid) as jnid
    from best as b
    join nrb_leaf as l on l.guid = b.nrb_guid
    where b.rivals > 1
        and exists (select 1 from invoice_item as t where t.jnid = b.jnid and t.amount = l.total)
    group by b.nrb_guid having count(*) = 1
)
select b.nrb_guid, b.jnid, b.method, b.state
from best as b
left join equal_amount as e on e.nrb_guid = b.nrb_guid and e.jnid = b.jnid
where b.rivals = 1 or e.jnid is not null
