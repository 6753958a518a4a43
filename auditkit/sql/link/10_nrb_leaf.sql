-- The population: every leaf NRB, with its attributes decided once.
-- A mark (billed, exported) is the NRB's own or, when it has none, its parent's. Billable: is_billable, else account_type, else true.
-- NULL is_internal counts as not internal; a NULL total as 0.00 where amounts are compared.
-- out: guid text, parent_guid text, job_number text, job_key text, vendor_code text, type_name text, accounting_date date,
--   total money, cents int, tax_cents int, internal flag, billable flag, exported flag, billed_mark flag, mark_guid text,
--   mark_key text, mark_text text, external_key text, origin_key text, document_key text
with marked as (
    select n.guid, n.billed_in_guid as mark_guid, n.billed_in_name as mark_name
    from nrb as n
    where n.is_leaf and (n.billed_in_guid is not null or n.billed_in_name is not null)
    union all
    select n.guid, p.billed_in_guid, p.billed_in_name
    from nrb as n join nrb as p on p.guid = n.parent_guid
    where n.is_leaf and n.billed_in_guid is null and n.billed_in_name is null
        and (p.billed_in_guid is not null or p.billed_in_name is not null)
)
select n.guid, n.parent_guid, n.job_number, folded(n.job_number) as job_key, n.vendor_code, n.type_name,
    coalesce(n.vendor_invoice_date, n.created_on) as accounting_date,
    n.total_after_markup as total,
    whole_cents(coalesce(n.total_after_markup, 0)) as cents,
    whole_cents(coalesce(n.vendor_tax, 0)) as tax_cents,
    coalesce(n.is_internal, false) as internal,
    coalesce(n.is_billable, folded(n.account_type) = 'billable', true) as billable,
    coalesce(n.is_exported, p.is_exported) as exported,
    m.guid is not null as billed_mark,
    folded(m.mark_guid) as mark_guid, reference_key(m.mark_name) as mark_key,
    coalesce(m.mark_name, m.mark_guid) as mark_text,
    reference_key(n.external_id) as external_key, reference_key(n.origin_reference) as origin_key,
    reference_key(n.vendor_invoice_number) as document_key
from nrb as n
left join nrb as p on p.guid = n.parent_guid
left join marked as m on m.guid = n.guid
where n.is_leaf
