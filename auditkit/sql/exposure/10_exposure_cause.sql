-- Why money is exposed, in the order in which causes are tried for one cost or invoice: the first that fits is taken. rule_id: whose
-- findings show it; under_billed and over_billed have two rules, one for lines and one for costs.
-- out: side text, position int, cause text, label text, rule_id text
select side, position, cause, label, rule_id
from (values
    ('charge', 1, 'never_invoiced', 'Never invoiced', 'nrb-unbilled'),
    ('charge', 2, 'look_first', 'Never invoiced, but an equal line to look at', 'nrb-unbilled'),
    ('charge', 3, 'line_missing', 'Missing from its invoice', 'nrb-line-not-found'),
    ('charge', 4, 'invoice_missing', 'Marked billed, no such invoice', 'nrb-billed-not-found'),
    ('charge', 5, 'on_void', 'Only on a void invoice', 'nrb-billed-on-void'),
    ('charge', 6, 'on_draft', 'On a draft invoice', 'nrb-on-draft'),
    ('charge', 7, 'under_billed', 'Under-billed', 'nrb-billed-part'),
    ('charge', 7, 'under_billed', 'Under-billed', 'line-amount-difference'),
    ('overcharge', 1, 'non_billable_charged', 'Non-billable cost billed', 'nrb-billed-not-billable'),
    ('overcharge', 2, 'duplicate_charged', 'Duplicate vendor invoice billed', 'nrb-duplicate'),
    ('overcharge', 3, 'charged_twice', 'Charged twice', 'nrb-charged-twice'),
    ('overcharge', 4, 'over_billed', 'Over-billed', 'nrb-billed-part'),
    ('overcharge', 4, 'over_billed', 'Over-billed', 'line-amount-difference'),
    ('ledger', 1, 'duplicate_exported', 'Duplicate vendor invoice in the ledger', 'nrb-duplicate'),
    ('ledger', 2, 'changed_after_export', 'Changed after posting to the ledger', 'record-changed-after-export'),
    ('ledger', 3, 'not_exported', 'Not exported to the ledger', 'nrb-unexported'),
    ('invoice', 1, 'duplicate_invoice', 'Duplicate invoice', 'invoice-duplicate'),
    ('invoice', 2, 'draft_old', 'Draft invoice never sent', 'invoice-draft-old'),
    ('invoice', 3, 'total', 'Subtotal and tax are not the total', 'invoice-total'),
    ('invoice', 4, 'subtotal', 'Lines are not the subtotal', 'invoice-subtotal'),
    ('invoice', 5, 'extension', 'Quantity times price is not the line', 'line-arithmetic'),
    ('invoice', 6, 'balance', 'Balance due is not total less payments', 'invoice-due'),
    ('invoice', 7, 'no_job', 'Invoice without a job', 'invoice-no-job')
) as c(side, position, cause, label, rule_id)
