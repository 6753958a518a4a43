-- id: nrb-duplicate-near
-- title: Possible duplicate vendor invoice
-- assertion: existence
-- severity: medium
-- subject: nrb
-- param: days int = 20
-- param: min_amount decimal = 0.00
-- out: subject_id text, job_number text, amount_at_risk money, reason text, vendor_code text, vendor_invoice_number text, accounting_date date, others text
-- key: others
-- why: A number typed in two ways, a bill entered under two vendors or on two jobs hides that the cost was booked, paid and charged twice.
-- remedy: Compare the documents; delete or reverse the one that is wrong.
-- note: Leaves with the same cost before markup, at most $days apart, and: one vendor and a number that is the same but for leading zeros, O
--   for 0 or a revision letter; or one vendor, numbers of 6 letters and digits or more one edit apart, and within 2 days; or the same number
--   and date under another vendor; or the same number on another job, split or booked twice. Running numbers, which differ in their last digit
--   alone, are silent, as is a weekly rent. The second and the last kind are silent where each cost is on an invoice line of its own.
--   The subject is each surplus copy: all but the earliest. Not items of one receipt, not reversed. Numbers without a digit other than 0
--   are none. Amounts below $min_amount, whatever their sign, are left out. NULL vendor, number, amount or date: no duplicate.
with own_line as (
    select k.nrb_guid, min(k.jnid || '/' || cast(k.position as text)) as line
    from link as k
    join (select jnid, position from link group by jnid, position having count(*) = 1) as a
        on a.jnid = k.jnid and a.position = k.position
    where k.state = 'issued'
    group by k.nrb_guid
), item as (
    select n.guid, n.job_number, s.job_key, n.vendor_code, n.vendor_invoice_number, s.total, s.accounting_date,
        coalesce(n.parent_guid, n.guid) as family, folded(n.vendor_code) as vendor_key,
        document_number(n.vendor_invoice_number) as number_key, document_family(n.vendor_invoice_number) as number_family,
        coalesce(total_after_markup(n.rate, n.quantity, 0, n.vendor_tax, 'SUB_TOTAL'), s.total) as cost, o.line
    from nrb_status as s
    join nrb as n on n.guid = s.guid
    left join own_line as o on o.nrb_guid = s.guid
    where s.state <> 'reversed' and s.total <> 0 and abs(s.total) >= $min_amount
), alike as (
    select b.guid, a.guid as other, 1 as kind
    from item as b
    join item as a on a.vendor_key = b.vendor_key and a.cost = b.cost and a.number_family = b.number_family
    where a.number_key <> b.number_key
    union all
    select b.guid, a.guid, 2
    from item as b
    join item as a on a.vendor_key = b.vendor_key and a.cost = b.cost
        and abs(days_between(a.accounting_date, b.accounting_date)) <= 2
    where length(a.number_key) >= 6 and length(b.number_key) >= 6
        and one_edit_apart(a.number_key, b.number_key)
        and regexp_replace(a.number_key, '[0-9]$', '', 'g') <> regexp_replace(b.number_key, '[0-9]$', '', 'g')
    union all
    select b.guid, a.guid, 3
    from item as b
    join item as a on a.number_key = b.number_key and a.cost = b.cost and a.accounting_date = b.accounting_date
    where a.vendor_key <> b.vendor_key
    union all
    select b.guid, a.guid, 4
    from item as b
    join item as a on a.vendor_key = b.vendor_key and a.number_key = b.number_key and a.cost = b.cost
    where a.job_key is distinct from b.job_key
), pair as (
    select b.guid, b.other, b.kind
    from alike as b
    join item as i on i.guid = b.guid
    join item as o on o.guid = b.other
    where o.family <> i.family and abs(days_between(o.accounting_date, i.accounting_date)) <= $days
        and (b.kind in (1, 3) or o.line is null or i.line is null)
        and (o.accounting_date < i.accounting_date or (o.accounting_date = i.accounting_date and o.guid < i.guid))
)
select i.guid as subject_id, i.job_number, i.total as amount_at_risk,
    case min(p.kind) when 1 then 'the same cost is booked under another spelling of the number'
        when 2 then 'the same cost is booked under an almost equal number of the same vendor'
        when 3 then 'the same number, date and cost are booked under another vendor'
        else 'the same vendor invoice and cost are booked on another job: split or booked twice' end as reason,
    i.vendor_code, i.vendor_invoice_number, i.accounting_date, string_agg(distinct p.other, ' ' order by p.other) as others
from item as i
join pair as p on p.guid = i.guid
group by i.guid, i.job_number, i.total, i.vendor_code, i.vendor_invoice_number, i.accounting_date
