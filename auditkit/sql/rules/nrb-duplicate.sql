-- id: nrb-duplicate
-- title: The same vendor invoice booked more than once
-- assertion: existence
-- severity: high
-- subject: nrb
-- param: min_amount decimal = 0.00
-- out: subject_id text, job_number text, amount_at_risk money, reason text, vendor_code text, vendor_invoice_number text, members int, earliest text, others text
-- key: others
-- why: The same vendor, invoice number and amount: the cost is probably booked, paid and charged twice.
-- remedy: Compare the documents; delete or reverse the later one.
-- note: Numbers are equal after keeping letters and digits, case-folded. Children of one parent are not duplicates of each other.
--   Amounts below $min_amount, whatever their sign, are left out. NULL vendor, number or amount: no duplicate.
with item as (
    select n.guid, n.job_number, n.vendor_code, n.vendor_invoice_number, s.total, coalesce(n.parent_guid, n.guid) as family,
        s.accounting_date, folded(n.vendor_code) as vendor_key, normal_key(n.vendor_invoice_number) as number_key
    from nrb_status as s join nrb as n on n.guid = s.guid
    where n.vendor_code is not null and n.vendor_invoice_number is not null and abs(s.total) >= $min_amount
), member as (
    select guid, job_number, vendor_code, vendor_invoice_number, total, family, accounting_date, vendor_key, number_key,
        count(*) over (partition by vendor_key, number_key, total) as members,
        first_value(guid) over (
            partition by vendor_key, number_key, total order by accounting_date, guid
            rows between unbounded preceding and unbounded following
        ) as earliest
    from item
    where vendor_key is not null and number_key is not null
)
select m.guid as subject_id, m.job_number, m.total as amount_at_risk,
    'vendor ' || m.vendor_code || ', invoice ' || m.vendor_invoice_number || ' and amount stand '
        || cast(m.members as text) || ' times' as reason,
    m.vendor_code, m.vendor_invoice_number, m.members, m.earliest,
    string_agg(o.guid, ' ' order by o.guid) as others
from member as m
join item as o on o.vendor_key = m.vendor_key and o.number_key = m.number_key and o.total = m.total and o.guid <> m.guid
where m.members > 1
group by m.guid, m.job_number, m.vendor_code, m.vendor_invoice_number, m.total, m.members, m.earliest, m.family
having count(case when o.family <> m.family then 1 end) > 0
