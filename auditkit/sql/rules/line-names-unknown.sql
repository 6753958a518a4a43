-- id: line-names-unknown
-- title: Line names a document that nobody booked
-- assertion: existence
-- severity: low
-- subject: invoice_item
-- out: subject_id text, job_number text, amount_at_risk money, reason text, number text, words text
-- why: The client is charged for a vendor's document whose cost is not in Aimsio: it may be missing in the books.
-- remedy: Look for the document; book its cost, or correct the line's text.
-- note: Lines of issued invoices, other than labor, with a word such as invoice, inv, bill or AP before a number of 4 digits or more that no NRB
--   has. Words that hold the number of one of our own invoices, as a credit's do, are silent. NULL
--   words and a NULL amount: silent.
select q.jnid || '/' || cast(q.position as text) as subject_id, i.job_number, q.amount as amount_at_risk,
    'no cost has the document number that the line names' as reason, i.number,
    coalesce(t.name, '') || ' ' || coalesce(t.description, '') as words
from line_question as q
join invoice_status as i on i.jnid = q.jnid
join invoice_item as t on t.jnid = q.jnid and t.position = q.position
where q.kind = 'names nothing known'
    and not exists (
        select 1 from invoice as o
        where contains(visible_text(coalesce(t.name, '') || ' ' || coalesce(t.description, '')), visible_text(o.number))
    )
