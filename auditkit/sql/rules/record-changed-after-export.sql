-- id: record-changed-after-export
-- title: Changed after it was booked in the ledger
-- assertion: accuracy
-- severity: high
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text, changes int, first_change_sync int
-- key: changes
-- why: The ledger holds the amount or the job of the day of export; what changed since is not booked.
-- remedy: Book the difference in the ledger, or undo the change in Aimsio.
-- note: A NULL amount or job counts as a value of its own. At risk is the sum of the changes of the total, or the total where the mark was taken away.
with step as (
    select a.guid, b.first_sync,
        b.is_exported is distinct from true as unexported,
        a.job_number is distinct from b.job_number as moved,
        a.rate is distinct from b.rate or a.quantity is distinct from b.quantity or a.vendor_tax is distinct from b.vendor_tax
            or a.upcharge_percent is distinct from b.upcharge_percent
            or a.total_after_markup is distinct from b.total_after_markup as revalued,
        case when b.is_exported is distinct from true then abs(coalesce(a.total_after_markup, 0))
            else abs(coalesce(b.total_after_markup, 0) - coalesce(a.total_after_markup, 0)) end as difference
    from nrb_version as a
    join nrb_version as b on b.guid = a.guid and b.first_sync = a.last_sync + 1
    where a.is_exported
), changed as (
    select guid, count(*) as changes, min(first_sync) as first_change_sync, sum(difference) as difference,
        max(case when unexported then 1 else 0 end) as unexported, max(case when moved then 1 else 0 end) as moved,
        max(case when revalued then 1 else 0 end) as revalued
    from step where unexported or moved or revalued
    group by guid
)
select c.guid as subject_id, n.job_number, cast(c.difference as decimal(38, 2)) as amount_at_risk,
    case when c.revalued = 1 then 'amount changed, ' else '' end || case when c.moved = 1 then 'job changed, ' else '' end
        || case when c.unexported = 1 then 'export mark taken away, ' else '' end
        || 'after export, since sync ' || cast(c.first_change_sync as text) as reason,
    cast(c.changes as integer) as changes, c.first_change_sync
from changed as c
join nrb as n on n.guid = c.guid
