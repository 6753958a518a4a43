-- id: nrb-split
-- title: Purchase split below a limit
-- assertion: existence
-- severity: low
-- subject: nrb
-- param: limit decimal = 0.00
-- param: days int = 3
-- out: subject_id text, job_number text, amount_at_risk money, reason text, vendor_code text, accounting_date date, members int, together money
-- key: members
-- why: Purchases just below an approval limit that together exceed it may have been split to avoid the approval.
-- remedy: Ask who ordered, and whether it was one purchase.
-- note: Off unless limit is set in auditkit.toml, to the approval limit. Leaves of one vendor and job, each from half of limit to below it, under
--   different vendor's invoice numbers (or without one), within $days before the last of them, together at limit or above. The subject is the last
--   of them: none follows within $days. Ordinary deliveries in parts are a false alarm: accept it. Items of one receipt are one purchase. NULL
--   vendor, amount or date: silent.
with item as (
    select s.guid, s.job_number, s.job_key, s.vendor_code, folded(s.vendor_code) as vendor_key, s.total, s.accounting_date,
        coalesce(s.parent_guid, s.guid) as family, coalesce(document_number(n.vendor_invoice_number), s.guid) as document
    from nrb_status as s
    join nrb as n on n.guid = s.guid
    where s.total < $limit and s.total * 2 >= $limit
), pair as (
    select b.guid, a.guid as other, a.total as other_total, case when a.accounting_date < b.accounting_date
            or (a.accounting_date = b.accounting_date and a.guid < b.guid) then 1 else 0 end as is_before
    from item as b
    join item as a on a.vendor_key = b.vendor_key and a.job_key is not distinct from b.job_key
        and a.family <> b.family and a.document <> b.document
    where abs(days_between(a.accounting_date, b.accounting_date)) <= $days
), summed as (
    select guid, count(*) + 1 as members, sum(other_total) as others
    from pair group by guid having min(is_before) = 1
)
select i.guid as subject_id, i.job_number, i.total + s.others as amount_at_risk,
    cast(s.members as text) || ' purchases below the limit make ' || cast(i.total + s.others as text) || ' within days' as reason,
    i.vendor_code, i.accounting_date, s.members, i.total + s.others as together
from item as i
join summed as s on s.guid = i.guid
