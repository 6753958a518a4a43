-- Billable cost that no invoice carries, the largest first. NULL age: without a date.
select f.subject_id as guid, f.job_number, s.vendor_code, s.type_name, s.accounting_date,
    cast(json_extract_string(f.evidence, '$.age_days') as bigint) as age_days,
    json_extract_string(f.evidence, '$.age_bucket') as age_bucket, s.total, s.exported
from finding as f join nrb_status as s on s.guid = f.subject_id
where f.rule_id = 'nrb-unbilled'
order by abs(s.total) desc, guid
