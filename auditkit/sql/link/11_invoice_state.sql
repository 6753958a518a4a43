-- Issued, draft or void, and the keys by which an NRB may name the invoice. NULL is_active and an unknown or NULL status_name
-- count as issued.
-- out: jnid text, state text, state_rank int, guid_key text, number_key text, number_loose text, external_key text, day date
select i.jnid,
    case when i.is_active is not distinct from false or v.name is not null then 'void'
        when d.name is not null then 'draft' else 'issued' end as state,
    case when i.is_active is not distinct from false or v.name is not null then 3
        when d.name is not null then 2 else 1 end as state_rank,
    folded(i.guid) as guid_key, reference_key(i.number) as number_key,
    key_without_prefix(reference_key(i.number)) as number_loose, reference_key(i.external_id) as external_key,
    coalesce(i.invoice_date, i.created_on) as day
from invoice as i
left join void_status as v on v.name = folded(i.status_name)
left join draft_status as d on d.name = folded(i.status_name)
