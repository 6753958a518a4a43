-- id: job-variance
-- title: Cost and invoices of a job do not agree
-- assertion: completeness
-- severity: high
-- subject: job
-- out: subject_id text, job_number text, amount_at_risk money, reason text, verdict text, variance money, billable_total money, linked_line_total money, invoice_total money
-- key: verdict
-- why: What the job's invoices charge for its NRBs is not what these should bring.
-- remedy: Work through the job's own findings; what is left is explained here by amount.
-- note: The verdict of job_reconciliation is not agrees. A NULL job is one subject of its own, and none that a job's number can be.
select case when job_number is null then '(no job)' when starts_with(job_number, '(no job)') then job_number || '.'
        else job_number end as subject_id,
    job_number,
    case when verdict = 'nrb-only' then billable_total when verdict = 'invoice-only' then invoice_total
        else abs(variance) end as amount_at_risk,
    verdict as reason, verdict, variance, billable_total, linked_line_total, invoice_total
from job_reconciliation
where verdict <> 'agrees'
