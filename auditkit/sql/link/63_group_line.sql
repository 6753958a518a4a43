-- Rung 6: the lines that remain where these NRBs may be, above 0. A line that calls an NRB by its own reference is not there
-- for any sum (`by_amount` is false), only for those that it names.
-- out: block text, jnid text, position int, cents int, by_amount flag
with place as (
    select distinct g.block, s.jnid
    from group_nrb as g
    join line_scope as s on s.nrb_guid = g.nrb_guid
    where s.pass = $pass and s.state = $state
), own as (
    select distinct k.jnid, k.position
    from line_token as k
    join nrb_reference as r on r.reference = k.token and r.strength = 1
)
select p.block, t.jnid, t.position, cast(cast(t.amount as decimal(28, 2)) * 100 as bigint) as cents, o.jnid is null as by_amount
from place as p
join invoice_item as t on t.jnid = p.jnid
left join own as o on o.jnid = t.jnid and o.position = t.position
where t.amount > 0
    and not exists (select 1 from link_line as k where k.jnid = t.jnid and k.position = t.position)
