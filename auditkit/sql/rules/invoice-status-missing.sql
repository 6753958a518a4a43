-- id: invoice-status-missing
-- title: Invoice status missing
-- assertion: classification
-- severity: medium
-- subject: invoice
-- out: subject_id text, job_number text, amount_at_risk money, reason text, number text, is_active flag, status_name text
-- why: It counts as issued for lack of a status; as a void invoice or a draft it would be in no total.
-- remedy: Open it in JobNimbus, set its status and sync again.
-- note: NULL is_active or NULL status_name. An invoice that is void by is_active false is silent, whatever its status.
select i.jnid as subject_id, s.job_number, i.total as amount_at_risk,
    case when i.is_active is null and i.status_name is null then 'neither is_active nor a status name'
        when i.is_active is null then 'no is_active' else 'no status name' end || ', counted as ' || s.state as reason,
    i.number, i.is_active, i.status_name
from invoice as i
join invoice_status as s on s.jnid = i.jnid
where s.state <> 'void' and (i.is_active is null or i.status_name is null)
