-- Each exposed cost and invoice with what people call it, by side and money. NULL vendor, number or date: the record has none.
select e.side, e.label, e.standing, e.amount, e.job_number, s.vendor_code, n.type_name,
    coalesce(n.vendor_invoice_number, i.number) as number, coalesce(s.accounting_date, i.invoice_date, i.created_on) as dated,
    e.rule_id, e.also, left(e.fingerprint, 12) as finding, e.subject_type, e.subject_id
from exposure as e
left join nrb as n on n.guid = e.nrb_guid
left join nrb_status as s on s.guid = e.nrb_guid
left join invoice as i on i.jnid = e.jnid
order by case e.side when 'charge' then 1 when 'overcharge' then 2 when 'ledger' then 3 else 4 end, e.amount desc, e.subject_id
