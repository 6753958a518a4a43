-- Why money is exposed, in the order in which causes are tried for one cost or invoice: the first that fits is taken. rule_id: whose
-- findings show it; under_billed and over_billed have two rules, one for lines and one for costs. A cause that is a row of the statement has
-- its label (NULL here).
-- out: side text, position int, cause text, label text, rule_id text
select c.side, c.position, c.cause, coalesce(c.label, r.label) as label, c.rule_id
from (values
    ('charge', 1, 'never_invoiced', null, 'nrb-unbilled'),
    ('charge', 2, 'look_first', null, 'nrb-unbilled'),
    ('charge', 3, 'line_missing', null, 'nrb-line-not-found'),
    ('charge', 4, 'invoice_missing', null, 'nrb-billed-not-found'),
    ('charge', 5, 'on_void', null, 'nrb-billed-on-void'),
    ('charge', 6, 'on_draft', null, 'nrb-on-draft'),
    ('charge', 7, 'under_billed', null, 'nrb-billed-part'),
    ('charge', 7, 'under_billed', null, 'line-amount-difference'),
    ('overcharge', 1, 'non_billable_charged', 'Non-billable cost billed', 'nrb-billed-not-billable'),
    ('overcharge', 2, 'duplicate_charged', 'Duplicate vendor invoice billed', 'nrb-duplicate'),
    ('overcharge', 3, 'charged_twice', null, 'nrb-charged-twice'),
    ('overcharge', 4, 'over_billed', null, 'nrb-billed-part'),
    ('overcharge', 4, 'over_billed', null, 'line-amount-difference'),
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
left join statement_row as r on r.code = c.cause
