-- id: nrb-duplicate
-- title: The same vendor invoice booked more than once
-- assertion: existence
-- severity: high
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text, vendor_code text, vendor_invoice_number text, members int, earliest text, others text
-- why: The same vendor, invoice number and amount: the cost is probably booked, paid and charged twice.
-- remedy: Compare the documents; delete or reverse the later one.
-- note: Numbers are equal after keeping letters and digits, case-folded. Children of one parent are not duplicates of each other.
--   NULL vendor, number or amount: no duplicate.
with item as (
    select n.guid, n.job_number, n.vendor_code, n.vendor_invoice_number, s.total, coalesce(n.parent_guid, n.guid) as family,
        s.accounting_date, folded(n.vendor_code) as vendor_key, normal_key(n.vendor_invoice_number) as number_key
    from nrb_status as s join nrb as n on n.guid = s.guid
    where n.vendor_code is not null and n.vendor_invoice_number is not null and s.total is not null
), suspect as (
    select vendor_key, number_key, total, count(*) as members, string_agg(guid, ' ' order by guid) as guids
    from item
    where vendor_key is not null and number_key is not null
    group by vendor_key, number_key, total having count(distinct family) > 1
)
select i.guid as subject_id, i.job_number, i.total as amount_at_risk,
    'vendor ' || i.vendor_code || ', invoice ' || i.vendor_invoice_number || ' and amount stand '
        || cast(x.members as text) || ' times' as reason,
    i.vendor_code, i.vendor_invoice_number, x.members,
    first_value(i.guid) over (
        partition by i.vendor_key, i.number_key, i.total order by i.accounting_date, i.guid
        rows between unbounded preceding and unbounded following
    ) as earliest,
    trim(replace(x.guids, i.guid, '')) as others
from item as i
join suspect as x on x.vendor_key = i.vendor_key and x.number_key = i.number_key and x.total = i.total
