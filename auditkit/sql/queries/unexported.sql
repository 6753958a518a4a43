-- Cost that was not exported to the ledger, the largest first.
select f.subject_id as guid, f.job_number, s.vendor_code, s.type_name, s.accounting_date, s.total, s.billed_mark,
    f.reason
from finding as f join nrb_status as s on s.guid = f.subject_id
where f.rule_id = 'nrb-unexported'
order by abs(s.total) desc, guid
