-- The parts of the cost as of a period's end, in order. not_billed: on no issued invoice of that day; to be decided, nobody can say. A part
-- that is a row of the statement has its words (NULL here).
-- out: position int, label text, words text, not_billed flag
select l.position, l.label, coalesce(l.words, s.label) as words, l.not_billed
from (values
    (1, 'never_invoiced', null, true),
    (2, 'look_first', null, true),
    (3, 'line_missing', null, true),
    (4, 'invoice_missing', null, true),
    (5, 'on_void', null, true),
    (6, 'on_draft', null, true),
    (7, 'invoiced_later', 'Invoiced after the period', true),
    (8, 'under_billed', null, false),
    (9, 'undecided', null, false),
    (10, 'marked_several', null, false),
    (11, 'unreadable', null, false),
    (12, 'invoiced_by_then', 'Invoiced by the end of the period', false),
    (13, 'credited_back', null, false),
    (14, 'reversed', null, false),
    (15, 'nothing_to_bill', 'Nothing to bill', false),
    (16, 'internal', null, false),
    (17, 'not_billable', null, false)
) as l(position, label, words, not_billed)
left join statement as s on s.scope = 'all' and s.code = l.label
