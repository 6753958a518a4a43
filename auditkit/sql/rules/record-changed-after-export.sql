-- id: record-changed-after-export
-- title: Changed after it was booked in the ledger
-- assertion: accuracy
-- severity: high
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text, export_sync int, change_sync int, total_at_export money, total_now money, job_at_export text, job_now text
-- key: job_now
-- why: The ledger holds the amount and the job of the day of export; what has changed since then is not booked.
-- remedy: Book the difference in the ledger, or undo the change in Aimsio.
-- note: Compares the newest version with the first one that was exported, also if the NRB was gone in between or was exported twice; a change that was undone is silent. A NULL amount or job counts as a value of its own. At risk is the difference of the totals, or the total at export if the mark was removed.
with first_export as (
    select guid, min(first_sync) as first_sync from nrb_version where is_exported group by guid
), exported as (
    select v.* from nrb_version as v join first_export as e on e.guid = v.guid and e.first_sync = v.first_sync
), newest as (
    select guid, max(first_sync) as first_sync from nrb_version group by guid
), compared as (
    select v.guid, v.first_sync, e.first_sync as export_sync, e.job_number as job_at_export, v.job_number as job_now,
        e.total_after_markup as total_at_export, v.total_after_markup as total_now,
        v.is_exported is distinct from true as unmarked,
        v.job_number is distinct from e.job_number as moved,
        v.rate is distinct from e.rate or v.quantity is distinct from e.quantity or v.vendor_tax is distinct from e.vendor_tax
            or v.upcharge_percent is distinct from e.upcharge_percent
            or v.total_after_markup is distinct from e.total_after_markup as revalued
    from exported as e
    join nrb_version as v on v.guid = e.guid
), last_same as (
    select guid, max(first_sync) as first_sync from compared where not (unmarked or moved or revalued) group by guid
), changed as (
    select c.guid, min(c.first_sync) as change_sync
    from compared as c join last_same as s on s.guid = c.guid and c.first_sync > s.first_sync
    group by c.guid
)
select c.guid as subject_id, n.job_number,
    case when c.unmarked then abs(coalesce(c.total_at_export, 0))
        else abs(coalesce(c.total_now, 0) - coalesce(c.total_at_export, 0)) end as amount_at_risk,
    case when c.revalued then 'amount changed, ' else '' end || case when c.moved then 'job changed, ' else '' end
        || case when c.unmarked then 'export mark removed, ' else '' end
        || 'after export, since sync ' || cast(k.change_sync as text) as reason,
    c.export_sync, k.change_sync, c.total_at_export, c.total_now, c.job_at_export, c.job_now
from compared as c
join newest as w on w.guid = c.guid and w.first_sync = c.first_sync
join changed as k on k.guid = c.guid
join nrb as n on n.guid = c.guid
