-- Issued, draft or void, and the keys that NRBs may name. NULL is_active or status_name counts as issued.
-- out: jnid text, state text, state_rank int, guid_key text, number_key text, external_key text
select
    i.jnid,
    case when i.is_active is not distinct from false then 'void' when d.name is not null then 'draft' else 'issued' end as state,
    case when i.is_active is not distinct from false then 3 when d.name is not null then 2 else 1 end as state_rank,
    folded(i.guid) as guid_key, folded(i.number) as number_key, folded(i.external_id) as external_key
from invoice as i
left join draft_status as d on d.name = folded(i.status_name)
