-- What a line may call an NRB. Strength 1: its own guid, external id, origin reference; 2: its vendor's invoice number;
-- 3: its parent's. References under 4 characters or without a digit are not used.
-- out: nrb_guid text, reference text, strength int
with named as (
    select l.guid as nrb_guid, usable_reference(n.guid) as reference, 1 as strength
    from nrb_leaf as l join nrb as n on n.guid = l.guid
    union all
    select l.guid, usable_reference(n.external_id), 1 from nrb_leaf as l join nrb as n on n.guid = l.guid
    union all
    select l.guid, usable_reference(n.origin_reference), 1 from nrb_leaf as l join nrb as n on n.guid = l.guid
    union all
    select l.guid, usable_reference(n.vendor_invoice_number), 2 from nrb_leaf as l join nrb as n on n.guid = l.guid
    union all
    select l.guid, usable_reference(p.guid), 3 from nrb_leaf as l join nrb as p on p.guid = l.parent_guid
    union all
    select l.guid, usable_reference(p.external_id), 3 from nrb_leaf as l join nrb as p on p.guid = l.parent_guid
    union all
    select l.guid, usable_reference(p.origin_reference), 3 from nrb_leaf as l join nrb as p on p.guid = l.parent_guid
    union all
    select l.guid, usable_reference(p.vendor_invoice_number), 3 from nrb_leaf as l join nrb as p on p.guid = l.parent_guid
)
select nrb_guid, reference, min(strength) as strength
from named where reference is not null
group by nrb_guid, reference
