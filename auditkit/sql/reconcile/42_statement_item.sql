-- Every member of every row of the statement, with the job and month that it counts for: its NRB's on the cost side, its invoice's on
-- the other. NULL: the NRB or the invoice has none; an invoice has no vendor and no type.
-- out: position int, code text, label text, subject_type text, subject_id text, nrb_guid text, jnid text, line_position int,
--   job_number text, month date, vendor_code text, type_name text, amount money
with owned as (
    select r.position, r.code, r.label, m.subject_type, m.nrb_guid, m.jnid, m.line_position, m.amount,
        case when r.owner = 'nrb' then s.job_key else i.job_key end as job_key,
        case when r.owner = 'nrb' then s.month else i.month end as month,
        case when r.owner = 'nrb' then s.vendor_code end as vendor_code,
        case when r.owner = 'nrb' then s.type_name end as type_name
    from statement_member as m
    join statement_row as r on r.code = m.code
    left join nrb_status as s on s.guid = m.nrb_guid
    left join invoice_status as i on i.jnid = m.jnid
)
select o.position, o.code, o.label, o.subject_type,
    case o.subject_type when 'nrb' then o.nrb_guid when 'invoice' then o.jnid
        else o.jnid || '/' || cast(o.line_position as text) end as subject_id,
    o.nrb_guid, o.jnid, o.line_position, j.job_number, o.month, o.vendor_code, o.type_name, o.amount
from owned as o
left join job_name as j on j.job_key = o.job_key
