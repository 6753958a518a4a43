-- id: invoice-no-job
-- title: Invoice without a job
-- assertion: classification
-- severity: medium
-- subject: invoice
-- out: subject_id text, job_number text, amount_at_risk money, reason text, number text
-- why: Without a job its revenue cannot be compared with any cost: the job looks under-billed, and this invoice belongs nowhere.
-- remedy: Relate the invoice to its job in JobNimbus.
-- note: Issued invoices that name no job at all: no related entry of type job with a number, name or id. A job that Aimsio does not know is
--   normal: jobs of labor alone have no third-party cost. A NULL total fires.
select s.jnid as subject_id, s.job_number, s.total as amount_at_risk, 'no related job' as reason, s.number
from invoice_status as s
where s.state = 'issued'
    and not exists (
        select 1 from invoice_related as r
        where r.jnid = s.jnid and folded(r.type) = 'job' and coalesce(r.number, r.name, r.related_id) is not null
    )
