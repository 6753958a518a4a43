-- Rungs 1 to 3: every invoice that an NRB names, or that names the NRB. NULL keys match nothing.
-- out: nrb_guid text, jnid text, rung int, method text, state text, state_rank int
with hit as (
    select l.guid as nrb_guid, i.jnid, 1 as rung
    from nrb_leaf as l join invoice_state as i on i.guid_key = l.billed_guid_key
    union all
    select l.guid, i.jnid, 2
    from nrb_leaf as l join invoice_state as i on i.number_key = l.billed_name_key
    union all
    select l.guid, i.jnid, 2
    from nrb_leaf as l join invoice_state as i on i.external_key = l.billed_name_key
    union all
    select l.guid, i.jnid, 3
    from nrb_leaf as l join invoice_state as i on i.external_key = l.external_key
    union all
    select l.guid, i.jnid, 3
    from nrb_leaf as l join invoice_state as i on i.external_key = l.origin_key
    union all
    select l.guid, i.jnid, 3
    from nrb_leaf as l join invoice_state as i on i.external_key = l.billed_guid_key
), best as (
    select nrb_guid, jnid, min(rung) as rung from hit group by nrb_guid, jnid
)
select b.nrb_guid, b.jnid, b.rung,
    case b.rung when 1 then 'billed-guid' when 2 then 'billed-number' else 'external-id' end as method,
    i.state, i.state_rank
from best as b join invoice_state as i on i.jnid = b.jnid
where not exists (
    select 1 from decision_forbid as f where f.nrb_guid = b.nrb_guid and f.jnid = b.jnid and f.line_key is null
)
