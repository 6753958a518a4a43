-- One leaf, with every word of the audit: what it is, what it is marked, where it was found. NULL total stays NULL.
-- out: guid text, parent_guid text, job_number text, job_key text, vendor_code text, type_name text, accounting_date date,
--   month date, total money, internal flag, billable flag, exported flag, billed_mark flag, invoice_found flag,
--   found_jnid text, found_method text, linked flag, line_state text, invoice_state text, unbilled flag
with line as (
    select k.nrb_guid, min(i.state_rank) as state_rank
    from link as k join invoice_state as i on i.jnid = k.jnid
    where k.position is not null
    group by k.nrb_guid
)
select l.guid, l.parent_guid, l.job_number, l.job_key, l.vendor_code, l.type_name, l.accounting_date,
    cast(date_trunc('month', l.accounting_date) as date) as month,
    l.total, l.internal, l.billable, l.exported, l.billed_mark,
    f.nrb_guid is not null as invoice_found, f.jnid as found_jnid, f.method as found_method,
    k.nrb_guid is not null as linked,
    case k.state_rank when 1 then 'issued' when 2 then 'draft' when 3 then 'void' end as line_state,
    case when k.state_rank = 1 then 'issued' when k.state_rank = 2 then 'draft' when k.state_rank = 3 then 'void'
        else f.state end as invoice_state,
    l.billable and not l.internal and not l.billed_mark and f.nrb_guid is null and k.nrb_guid is null as unbilled
from nrb_leaf as l
left join invoice_found as f on f.nrb_guid = l.guid
left join line as k on k.nrb_guid = l.guid
