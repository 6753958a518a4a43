-- id: nrb-duplicate-near
-- title: Almost the same vendor invoice booked more than once
-- assertion: existence
-- severity: medium
-- subject: nrb
-- param: days int = 20
-- param: min_amount decimal = 0.00
-- out: subject_id text, job_number text, amount_at_risk money, reason text, vendor_code text, vendor_invoice_number text, accounting_date date, others text
-- key: others
-- why: A number typed in two ways, or a bill entered under two vendors, hides that the cost was booked, paid and charged twice.
-- remedy: Compare the documents; delete or reverse the one that is wrong.
-- note: Same vendor and amount, at most $days apart (below a month, so that a monthly rent with running numbers is silent), and numbers
--   that are equal without leading zeros, or one edit apart (a character changed, put in or left out, or two neighbours swapped) and
--   of 6 letters and digits at least; or same number, date and amount from another vendor. Equal numbers of one vendor are
--   nrb-duplicate. Items of one receipt are no duplicates. Amounts below $min_amount, whatever their sign, are left out. NULL vendor,
--   number, amount or date: no duplicate.
with item as (
    select s.guid, s.job_number, n.vendor_code, n.vendor_invoice_number, s.total, s.accounting_date,
        coalesce(n.parent_guid, n.guid) as family, folded(n.vendor_code) as vendor_key,
        normal_key(n.vendor_invoice_number) as number_key, zero_free_key(n.vendor_invoice_number) as zero_free
    from nrb_status as s join nrb as n on n.guid = s.guid
    where abs(s.total) >= $min_amount
), pair as (
    select a.guid, b.guid as other, 'almost equal number' as kind
    from item as a
    join item as b on b.vendor_key = a.vendor_key and b.total = a.total
    where b.number_key <> a.number_key and b.family <> a.family
        and abs(days_between(a.accounting_date, b.accounting_date)) <= $days
        and (b.zero_free = a.zero_free
            or (length(a.number_key) >= 6 and length(b.number_key) >= 6 and one_edit_apart(a.number_key, b.number_key)))
    union all
    select a.guid, b.guid, 'another vendor'
    from item as a
    join item as b on b.number_key = a.number_key and b.total = a.total and b.accounting_date = a.accounting_date
    where b.vendor_key <> a.vendor_key and b.family <> a.family
)
select i.guid as subject_id, i.job_number, i.total as amount_at_risk,
    case when min(p.kind) = 'almost equal number' then 'the same amount stands under an almost equal number of the same vendor'
        else 'the same number, date and amount stand under another vendor' end as reason,
    i.vendor_code, i.vendor_invoice_number, i.accounting_date, string_agg(p.other, ' ' order by p.other) as others
from item as i
join pair as p on p.guid = i.guid
group by i.guid, i.job_number, i.total, i.vendor_code, i.vendor_invoice_number, i.accounting_date
