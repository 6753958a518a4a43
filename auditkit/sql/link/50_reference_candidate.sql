-- Rung 4: lines that hold a reference of an NRB as a whole token, inside one pass and state. Only the strongest reference of
-- a line and of an NRB counts: a line that names NRB-7 is not a candidate of NRB-8, even if both are on one vendor invoice.
-- out: nrb_guid text, jnid text, position int, same_amount flag
with named as (
    select r.nrb_guid, t.jnid, t.position, min(r.strength) as strength
    from nrb_reference as r
    join line_token as t on t.token = r.reference
    join line_scope as s on s.nrb_guid = r.nrb_guid and s.jnid = t.jnid
    where s.pass = $pass and s.state = $state
        and not exists (select 1 from link_line as k where k.nrb_guid = r.nrb_guid)
        and not exists (select 1 from link_line as k where k.jnid = t.jnid and k.position = t.position)
    group by r.nrb_guid, t.jnid, t.position
), ranked as (
    select nrb_guid, jnid, position, strength,
        min(strength) over (partition by nrb_guid) as nrb_best,
        min(strength) over (partition by jnid, position) as line_best
    from named
)
select c.nrb_guid, c.jnid, c.position, t.amount is not distinct from l.total as same_amount
from ranked as c
join invoice_item as t on t.jnid = c.jnid and t.position = c.position
join nrb_leaf as l on l.guid = c.nrb_guid
where c.strength = c.nrb_best and c.strength = c.line_best
    and not exists (
        select 1 from decision_forbid as f
        where f.nrb_guid = c.nrb_guid and (f.line_key = t.line_key or (f.line_key is null and f.jnid = c.jnid))
    )
