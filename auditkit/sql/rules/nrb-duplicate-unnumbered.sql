-- id: nrb-duplicate-unnumbered
-- title: Possible duplicate without a vendor invoice number
-- assertion: existence
-- severity: low
-- subject: nrb
-- param: min_amount decimal = 0.00
-- out: subject_id text, job_number text, amount_at_risk money, reason text, vendor_code text, type_name text, accounting_date date, others text
-- key: others
-- why: Without a number nobody can tell two purchases from one that was entered twice.
-- remedy: Look at both receipts; delete or reverse the one that is wrong, and enter the number.
-- note: Leaves of one vendor, job, type and day with the same cost before markup and no vendor's invoice number (N/A, CASH, TBD, 0 and the
--   like are none). Two loads on one day are a false alarm: accept it. The subject is each surplus copy. Not items of one receipt, not
--   reversed, not each on an invoice line of its own. Amounts below $min_amount, whatever their sign, are left out. NULL vendor, amount
--   or date: no duplicate.
with own_line as (
    select k.nrb_guid, min(k.jnid || '/' || cast(k.position as text)) as line
    from link as k
    join (select jnid, position from link group by jnid, position having count(*) = 1) as a
        on a.jnid = k.jnid and a.position = k.position
    where k.state = 'issued'
    group by k.nrb_guid
), item as (
    select n.guid, n.job_number, s.job_key, n.vendor_code, s.type_name, s.total, s.accounting_date,
        coalesce(n.parent_guid, n.guid) as family, folded(n.vendor_code) as vendor_key, folded(s.type_name) as type_key,
        coalesce(total_after_markup(n.rate, n.quantity, 0, n.vendor_tax, 'SUB_TOTAL'), s.total) as cost, o.line
    from nrb_status as s
    join nrb as n on n.guid = s.guid
    left join own_line as o on o.nrb_guid = s.guid
    where s.state <> 'reversed' and s.total <> 0 and abs(s.total) >= $min_amount
        and document_number(n.vendor_invoice_number) is null
)
select b.guid as subject_id, b.job_number, b.total as amount_at_risk,
    'the same vendor, day and cost are booked without a number' as reason, b.vendor_code, b.type_name, b.accounting_date,
    string_agg(a.guid, ' ' order by a.guid) as others
from item as b
join item as a on a.vendor_key = b.vendor_key and a.cost = b.cost and a.accounting_date = b.accounting_date
    and a.job_key is not distinct from b.job_key and a.type_key is not distinct from b.type_key
    and a.family <> b.family and a.guid < b.guid
where a.line is null or b.line is null
group by b.guid, b.job_number, b.total, b.vendor_code, b.type_name, b.accounting_date
