-- Which NRB is on which invoice line, and for how much of it: the shares of a line sum to the line.
-- out: nrb_guid text, jnid text, position int, method text, component text, invoiced_amount money, state text, state_rank int
with counted as (
    select nrb_guid, jnid, position, method, share_cents,
        count(*) over (partition by nrb_guid) as lines, count(*) over (partition by jnid, position) as nrbs
    from settled
)
select c.nrb_guid, c.jnid, c.position, c.method,
    case when c.lines > 1 then c.nrb_guid when c.nrbs > 1 then c.jnid || '/' || cast(c.position as text) end as component,
    cast(c.share_cents as decimal(36, 0)) * 0.01 as invoiced_amount, i.state, i.state_rank
from counted as c
join invoice_state as i on i.jnid = c.jnid
