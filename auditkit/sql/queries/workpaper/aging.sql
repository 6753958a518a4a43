-- Each NRB that was never invoiced with its total in the column of its aging band. NULL age: without a date.
with aged as (
    select s.*, days_between(s.accounting_date, a.as_of) as age_days
    from nrb_status as s cross join audit_run as a
    where s.unbilled
)
select guid as nrb_guid, job_number, vendor_code, type_name, accounting_date, age_days, exported, total,
    case when age_band(age_days) = 'future' then total end as "future",
    case when age_band(age_days) = '0-30' then total end as "0-30",
    case when age_band(age_days) = '31-60' then total end as "31-60",
    case when age_band(age_days) = '61-90' then total end as "61-90",
    case when age_band(age_days) = '91-180' then total end as "91-180",
    case when age_band(age_days) = 'over 180' then total end as "over 180",
    case when age_band(age_days) = 'no date' then total end as "no date"
from aged
order by age_days desc nulls last, abs(total) desc, guid
