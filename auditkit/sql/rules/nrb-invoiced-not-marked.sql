-- id: nrb-invoiced-not-marked
-- title: On an invoice, but not marked as billed
-- assertion: accuracy
-- severity: medium
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text, methods text, vendor_code text
-- why: JobNimbus charges for it while Aimsio still shows it as open, so that somebody may bill it a second time.
-- remedy: Compare the line; if it is this NRB, mark it as billed in Aimsio.
-- note: On an issued invoice, by the invoice's external id, by a reference or by amount. What a person linked by hand is silent here,
--   and so is an NRB whose parent has the mark. A NULL total fires.
with evidence as (
    select k.nrb_guid, k.method
    from link as k join invoice_status as i on i.jnid = k.jnid and i.state = 'issued'
    where k.method in ('external-id', 'reference', 'amount', 'group')
    group by k.nrb_guid, k.method
)
select s.guid as subject_id, s.job_number, s.total as amount_at_risk,
    'on an issued invoice, but Aimsio does not say so' as reason,
    string_agg(e.method, ', ' order by e.method) as methods, s.vendor_code
from nrb_status as s
join evidence as e on e.nrb_guid = s.guid
where not s.billed_mark
group by s.guid, s.job_number, s.total, s.vendor_code
