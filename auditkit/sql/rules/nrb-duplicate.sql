-- id: nrb-duplicate
-- title: Duplicate vendor invoice
-- assertion: existence
-- severity: high
-- subject: nrb
-- param: days int = 60
-- param: min_amount decimal = 0.00
-- out: subject_id text, job_number text, amount_at_risk money, reason text, vendor_code text, vendor_invoice_number text, members int, earliest text, others text
-- key: others
-- why: The same document of the same vendor for the same cost on one job: it is probably booked, paid and charged twice.
-- remedy: Compare the documents; delete or reverse the later one.
-- note: Leaves of one job with the same vendor, vendor's invoice number (letters and digits, case-folded) and cost before markup, at most
--   $days apart. The subject is each surplus copy: all but the earliest. Not items of one receipt, not a cost that was reversed in Aimsio, not
--   equal items of one document, which are entered on one day under one spelling of the number, and each on an invoice line of its own.
--   N/A, CASH, TBD, 0 and the like are no numbers. Amounts below $min_amount, whatever their sign, are left out. NULL vendor, number,
--   amount or date: no duplicate.
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
        document_number(n.vendor_invoice_number) as number_key,
        folded(n.vendor_invoice_number) as written, n.created_on,
        coalesce(total_after_markup(n.rate, n.quantity, 0, n.vendor_tax, 'SUB_TOTAL'), s.total) as cost, o.line
    from nrb_status as s
    join nrb as n on n.guid = s.guid
    left join own_line as o on o.nrb_guid = s.guid
    where s.state <> 'reversed' and s.total <> 0 and abs(s.total) >= $min_amount
), pair as (
    select b.guid, a.guid as other, a.accounting_date as other_date, a.accounting_date < b.accounting_date
        or (a.accounting_date = b.accounting_date and a.guid < b.guid) as is_earlier
    from item as b
    join item as a on a.vendor_key = b.vendor_key and a.number_key = b.number_key and a.cost = b.cost
        and a.job_key is not distinct from b.job_key and a.family <> b.family
        and abs(days_between(a.accounting_date, b.accounting_date)) <= $days
    where a.line is null or b.line is null or a.written <> b.written
        or a.created_on is distinct from b.created_on
), grouped as (
    select p.guid, count(*) + 1 as members, string_agg(p.other, ' ' order by p.other) as others,
        max(case when p.is_earlier then 1 else 0 end) as is_copy,
        min(case when p.turn = 1 then p.other end) as earliest
    from (
        select guid, other, is_earlier, row_number() over (partition by guid order by other_date, other) as turn from pair
    ) as p
    group by p.guid
)
select i.guid as subject_id, i.job_number, i.total as amount_at_risk,
    'vendor ' || i.vendor_code || ', invoice ' || i.vendor_invoice_number || ' and cost are booked '
        || cast(g.members as text) || ' times' as reason,
    i.vendor_code, i.vendor_invoice_number, g.members, g.earliest, g.others
from grouped as g
join item as i on i.guid = g.guid
where g.is_copy = 1
