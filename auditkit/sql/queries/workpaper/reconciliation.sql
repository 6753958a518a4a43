-- Each job: its cost against its invoices. NULL job: what has no job.
select job_number, verdict, nrb_count, nrb_total, invoice_count, invoice_total, invoice_total - nrb_total as difference,
    billable_total, linked_line_total, variance, billed_total, linked_total, unbilled_total, undecided_total,
    rounding, free_line_total, other_line_total
from job_reconciliation
order by abs(variance) desc, job_number nulls last
