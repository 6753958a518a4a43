-- id: nrb-billed-not-billable
-- title: Non-billable cost billed
-- assertion: classification
-- severity: medium
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text, vendor_code text, charged money, billed_mark flag
-- key: reason
-- why: The client is charged for what was meant to stay with the contractor, and may ask for it back.
-- remedy: Ask who decided: take it off the invoice, or make it billable.
-- note: Internal or not billable, and an issued line charges for it, or it is marked as billed. NULL is_internal counts as not internal;
--   NULL is_billable as account_type has it, else as billable. Charged counts above $tolerance. A NULL total fires; a mark on a cost of 0.00 is silent.
select guid as subject_id, job_number, case when abs(charged) > $tolerance then charged else total end as amount_at_risk,
    case when abs(charged) > $tolerance then 'on an invoice line' else 'marked as billed' end || ', but '
        || case when internal then 'internal' else 'not billable' end as reason,
    vendor_code, charged, billed_mark
from nrb_status
where (internal or not billable) and (abs(charged) > $tolerance or (billed_mark and total is distinct from 0))
