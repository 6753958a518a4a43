-- The rows of the bridge, in order. Side: what leads from the cost to the NRBs on issued invoices ('cost', then 'carried'), from
-- these to the invoices ('invoice', then 'total'), and what changes the job or the month between ('job', 'month'). Owner: whether a
-- member counts for the job and month of its NRB or of its invoice. Differences are what somebody may have to put right.
-- out: position int, label text, side text, owner text, is_difference flag
select position, label, side, owner, is_difference
from (values
    (1, 'NRB total after mark-up', 'cost', 'nrb', false),
    (2, 'internal', 'cost', 'nrb', false),
    (3, 'not billable', 'cost', 'nrb', false),
    (4, 'unbilled', 'cost', 'nrb', true),
    (5, 'billed, invoice not found', 'cost', 'nrb', true),
    (6, 'on a void invoice', 'cost', 'nrb', true),
    (7, 'on a draft invoice', 'cost', 'nrb', true),
    (8, 'billed, line not found', 'cost', 'nrb', true),
    (9, 'amount differences: under-billed', 'cost', 'nrb', true),
    (10, 'amount differences: over-billed', 'cost', 'nrb', true),
    (11, 'NRBs on issued invoices, by reference', 'carried', 'nrb', false),
    (12, 'NRBs on issued invoices, by amount only', 'carried', 'nrb', false),
    (13, 'NRBs of this job on other jobs'' invoices', 'job', 'nrb', false),
    (14, 'NRBs of other jobs on this job''s invoices', 'job', 'invoice', false),
    (15, 'NRBs of this month on other months'' invoices', 'month', 'nrb', false),
    (16, 'NRBs of other months on this month''s invoices', 'month', 'invoice', false),
    (17, 'parts that carry internal or non-billable NRBs', 'invoice', 'invoice', false),
    (18, 'other lines', 'invoice', 'invoice', true),
    (19, 'other negative lines', 'invoice', 'invoice', true),
    (20, 'lines do not sum to the subtotal', 'invoice', 'invoice', true),
    (21, 'tax', 'invoice', 'invoice', false),
    (22, 'subtotal and tax are not the total', 'invoice', 'invoice', true),
    (23, 'JobNimbus invoice total', 'total', 'invoice', false)
) as r(position, label, side, owner, is_difference)
