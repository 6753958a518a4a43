-- Rung 5: unlinked billable NRBs and remaining lines of the same amount, inside one invoice (pass 1) or one job (pass 2). Not
-- zero, and not a line that names another NRB.
-- out: nrb_guid text, jnid text, position int, block text, total money
with open_nrb as (
    select l.guid as nrb_guid, l.total, l.job_key, s.jnid
    from nrb_leaf as l
    join line_scope as s on s.nrb_guid = l.guid
    where s.pass = $pass and s.state = $state and s.by_amount
        and l.billable and not l.internal and l.total <> 0
        and not exists (select 1 from link_line as k where k.nrb_guid = l.guid)
), open_line as (
    select t.jnid, t.position, t.amount, t.line_key
    from invoice_item as t
    where not exists (select 1 from link_line as k where k.jnid = t.jnid and k.position = t.position)
)
select n.nrb_guid, t.jnid, t.position,
    case when $pass = 1 then n.jnid else n.job_key end as block, n.total
from open_nrb as n
join open_line as t on t.jnid = n.jnid and t.amount = n.total
where not exists (
        select 1 from decision_forbid as f
        where f.nrb_guid = n.nrb_guid and (f.line_key = t.line_key or (f.line_key is null and f.jnid = t.jnid))
    )
    and not exists (
        select 1 from line_token as k
        join nrb_reference as r on r.reference = k.token and r.strength = 1
        where k.jnid = t.jnid and k.position = t.position and r.nrb_guid <> n.nrb_guid
    )
