-- id: nrb-billed-not-billable
-- title: Billed, though it is internal or not billable
-- assertion: classification
-- severity: medium
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text, vendor_code text, linked flag, billed_mark flag
-- key: reason
-- why: The client is charged for what was meant to stay with the contractor, and may ask for it back.
-- remedy: Ask who decided: take it off the invoice, or make it billable.
-- note: Billed: marked as billed, or carried by a line. NULL is_internal counts as not internal; NULL is_billable as account_type
--   says, else as billable. A NULL total fires.
select guid as subject_id, job_number, total as amount_at_risk,
    case when linked then 'on an invoice line' else 'marked as billed' end || ', but '
        || case when internal then 'internal' else 'not billable' end as reason,
    vendor_code, linked, billed_mark
from nrb_status
where (billed_mark or linked) and (internal or not billable)
