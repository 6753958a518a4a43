-- id: record-changed-after-export
-- title: Changed after posting to the ledger
-- assertion: accuracy
-- severity: high
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text, exported_in_sync int, total_at_export money, total_now money, job_at_export text
-- key: reason
-- why: The ledger holds the amount or the job of the day of export; what changed since is not booked.
-- remedy: Book the difference in the ledger, or undo the change in Aimsio.
-- note: Compares the NRB as it is with the state in which it was last exported: the first sync in which it was marked so, whether or not it was
--   gone for a while since. A change that was undone, or that a new export has booked, is silent, and so is a cost of which a field cannot be read now, or
--   could not when it was exported. Money is cost before markup, vendor tax and total, each by more than $tolerance; a NULL amount
--   or job is a value of its own. Without the mark, the whole total is at risk, else the difference of the totals.
with version as (
    select guid, first_sync, last_sync, job_number, total_after_markup as total, vendor_tax as tax, coalesce(is_exported, false) as exported,
        total_after_markup(rate, quantity, 0, 0, 'SUB_TOTAL') as cost, partly_read,
        coalesce(lag(is_exported) over (partition by guid order by first_sync), false) as exported_before,
        row_number() over (partition by guid order by first_sync desc) as age
    from nrb_version
), exported as (
    select guid, first_sync, job_number, total, tax, cost, partly_read, row_number() over (partition by guid order by first_sync desc) as age
    from version
    where exported and not exported_before
), compared as (
    select n.guid, n.job_number, e.first_sync, e.total as total_at_export, n.total as total_now, e.job_number as job_at_export,
        not n.exported as is_unmarked, n.job_number is distinct from e.job_number as is_moved,
        abs(n.cost - e.cost) > $tolerance or (n.cost is null) <> (e.cost is null)
            or abs(coalesce(n.tax, 0) - coalesce(e.tax, 0)) > $tolerance
            or abs(n.total - e.total) > $tolerance or (n.total is null) <> (e.total is null) as is_revalued
    from version as n
    join exported as e on e.guid = n.guid and e.age = 1 and not e.partly_read
    where n.age = 1
)
select c.guid as subject_id, c.job_number,
    case when c.is_unmarked then abs(coalesce(c.total_at_export, 0)) else abs(coalesce(c.total_now, 0) - coalesce(c.total_at_export, 0)) end
        as amount_at_risk,
    case when c.is_revalued then 'amount changed, ' else '' end || case when c.is_moved then 'job changed, ' else '' end
        || case when c.is_unmarked then 'export mark removed, ' else '' end
        || 'after export in sync ' || cast(c.first_sync as text) as reason,
    c.first_sync as exported_in_sync, c.total_at_export, c.total_now, c.job_at_export
from compared as c
join nrb as n on n.guid = c.guid
where (c.is_revalued or c.is_moved or c.is_unmarked)
    and not exists (
        select 1 from unreadable_field as u
        where u.subject_type = 'nrb' and u.subject_id = c.guid
            and u.column_name in ('is_exported', 'job_number', 'rate', 'quantity', 'vendor_tax', 'total_after_markup')
    )
