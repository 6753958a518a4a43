-- How a job is written: as its NRBs have it, else as its issued invoices do; of several spellings the first. No job is no row.
-- out: job_key text, job_number text
with cost as (
    select job_key, min(job_number) as job_number from nrb_status where job_key is not null group by job_key
), invoiced as (
    select job_key, min(job_number) as job_number
    from invoice_status where state = 'issued' and job_key is not null group by job_key
)
select coalesce(c.job_key, i.job_key) as job_key, coalesce(c.job_number, i.job_number) as job_number
from cost as c full outer join invoiced as i on i.job_key = c.job_key
