-- The rows of the statement, in order; a code never changes, a label may. side: what leads from the cost to the billed cost ('cost', then
-- 'carried'), from this to the invoices ('invoice', then 'total'), what changes the job or the month between ('job', 'month'), and sums
-- of rows above ('subtotal'). owner: whether a member counts for the job and month of its NRB or of its invoice. cause: the rows of
-- the subtotal unbilled, which exclude each other. is_difference: somebody may have to put it right.
-- out: position int, code text, label text, side text, owner text, cause flag, is_difference flag
select position, code, label, side, owner, cause, is_difference
from (values
    (1, 'cost_booked', 'Cost booked, with markup', 'cost', 'nrb', false, false),
    (2, 'internal', 'Internal', 'cost', 'nrb', false, false),
    (3, 'not_billable', 'Not billable', 'cost', 'nrb', false, false),
    (4, 'billable_cost', 'Billable cost', 'subtotal', 'nrb', false, false),
    (5, 'never_invoiced', 'Never invoiced', 'cost', 'nrb', true, true),
    (6, 'look_first', 'Never invoiced, but an equal line to look at', 'cost', 'nrb', true, true),
    (7, 'line_missing', 'Missing from its invoice', 'cost', 'nrb', true, true),
    (8, 'invoice_missing', 'Marked billed, no such invoice', 'cost', 'nrb', true, true),
    (9, 'on_void', 'Only on a void invoice', 'cost', 'nrb', true, true),
    (10, 'on_draft', 'On a draft invoice', 'cost', 'nrb', true, true),
    (11, 'under_billed', 'Under-billed', 'cost', 'nrb', true, true),
    (12, 'unbilled', 'Unbilled', 'subtotal', 'nrb', false, false),
    (13, 'undecided', 'To be decided: named, but not surely', 'cost', 'nrb', false, true),
    (14, 'marked_several', 'To be decided: its mark fits several invoices', 'cost', 'nrb', false, true),
    (15, 'unreadable', 'To be decided: something could not be read', 'cost', 'nrb', false, true),
    (16, 'credited_back', 'Billed, then credited back', 'cost', 'nrb', false, true),
    (17, 'reversed', 'Reversed in Aimsio', 'cost', 'nrb', false, false),
    (18, 'over_billed', 'Over-billed', 'cost', 'nrb', false, true),
    (19, 'charged_twice', 'Charged twice', 'cost', 'nrb', false, true),
    (20, 'rounding', 'Rounding and vendor tax', 'cost', 'nrb', false, false),
    (21, 'billed_cost', 'Billed cost, on issued invoices', 'subtotal', 'nrb', false, false),
    (22, 'billed_by_name', 'Billed cost, matched by reference', 'carried', 'nrb', false, false),
    (23, 'billed_by_mark', 'Billed cost, matched by invoice number', 'carried', 'nrb', false, false),
    (24, 'billed_by_amount', 'Billed cost, matched by amount only', 'carried', 'nrb', false, false),
    (25, 'to_other_jobs', 'This job''s cost on other jobs'' invoices', 'job', 'nrb', false, false),
    (26, 'from_other_jobs', 'Other jobs'' cost on this job''s invoices', 'job', 'invoice', false, false),
    (27, 'to_other_months', 'This month''s cost on other months'' invoices', 'month', 'nrb', false, false),
    (28, 'from_other_months', 'Other months'' cost on this month''s invoices', 'month', 'invoice', false, false),
    (29, 'free_billed', 'Non-billable cost billed', 'invoice', 'invoice', false, false),
    (30, 'other_lines', 'Labor, material and other lines', 'invoice', 'invoice', false, true),
    (31, 'discounts', 'Discounts and credits', 'invoice', 'invoice', false, true),
    (32, 'lines_to_subtotal', 'Footing error: lines to subtotal', 'invoice', 'invoice', false, true),
    (33, 'tax', 'Tax', 'invoice', 'invoice', false, false),
    (34, 'subtotal_to_total', 'Footing error: subtotal and tax to total', 'invoice', 'invoice', false, true),
    (35, 'invoice_total', 'Invoice total', 'total', 'invoice', false, false)
) as r(position, code, label, side, owner, cause, is_difference)
