-- The population: every leaf, with the words of the audit decided once.
-- A mark (billed, exported) is the NRB's own or, when it has none, its parent's. Billable: is_billable, else account_type, else true.
-- NULL is_internal counts as not internal.
-- out: guid text, parent_guid text, job_number text, job_key text, vendor_code text, type_name text, accounting_date date,
--   total money, internal flag, billable flag, exported flag, billed_mark flag, billed_guid_key text, billed_name_key text,
--   external_key text, origin_key text
select
    n.guid, n.parent_guid, n.job_number, folded(n.job_number) as job_key, n.vendor_code, n.type_name,
    coalesce(n.vendor_invoice_date, n.created_on) as accounting_date,
    n.total_after_markup as total,
    coalesce(n.is_internal, false) as internal,
    coalesce(n.is_billable, folded(n.account_type) = 'billable', true) as billable,
    coalesce(n.is_exported, p.is_exported) as exported,
    coalesce(n.billed_in_guid, n.billed_in_name, p.billed_in_guid, p.billed_in_name) is not null as billed_mark,
    case when n.billed_in_guid is null and n.billed_in_name is null then folded(p.billed_in_guid)
        else folded(n.billed_in_guid) end as billed_guid_key,
    case when n.billed_in_guid is null and n.billed_in_name is null then folded(p.billed_in_name)
        else folded(n.billed_in_name) end as billed_name_key,
    folded(n.external_id) as external_key,
    folded(n.origin_reference) as origin_key
from nrb as n
left join nrb as p on p.guid = n.parent_guid
where n.is_leaf
