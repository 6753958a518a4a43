-- The parts of the cost as of a period's end, in order. not_billed: on no issued invoice of that day; to be decided, nobody can say.
-- out: position int, label text, words text, not_billed flag
select position, label, words, not_billed
from (values
    (1, 'never_invoiced', 'Never invoiced', true),
    (2, 'look_first', 'Never invoiced, but an equal line to look at', true),
    (3, 'line_missing', 'Missing from its invoice', true),
    (4, 'invoice_missing', 'Marked billed, no such invoice', true),
    (5, 'on_void', 'Only on a void invoice', true),
    (6, 'on_draft', 'On a draft invoice', true),
    (7, 'invoiced_later', 'Invoiced after the period', true),
    (8, 'under_billed', 'Under-billed', false),
    (9, 'undecided', 'To be decided: named, but not surely', false),
    (10, 'marked_several', 'To be decided: its mark fits several invoices', false),
    (11, 'unreadable', 'To be decided: something could not be read', false),
    (12, 'invoiced_by_then', 'Invoiced by the end of the period', false),
    (13, 'credited_back', 'Billed, then credited back', false),
    (14, 'reversed', 'Reversed in Aimsio', false),
    (15, 'nothing_to_bill', 'Nothing to bill', false),
    (16, 'internal', 'Internal', false),
    (17, 'not_billable', 'Not billable', false)
) as l(position, label, words, not_billed)
