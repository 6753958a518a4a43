-- id: nrb-credited-back
-- title: Billed, then credited back
-- assertion: completeness
-- severity: high
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text, lines text, line_keys text
-- key: line_keys
-- why: The client was charged and got the money back: as it is, nobody pays for the cost.
-- remedy: Ask why it was credited, and look for it on later invoices. Only if it is on none, bill it again; or mark it not billable.
-- note: Billable leaves that issued lines of both signs charge, and that sum to 0.00. A NULL total fires.
with line as (
    select k.nrb_guid, string_agg(coalesce(i.number, k.jnid) || ' line ' || cast(k.position + 1 as text) || ' for '
            || cast(k.invoiced_amount as text), ', ' order by coalesce(i.invoice_date, i.created_on), k.jnid, k.position) as lines,
        string_agg(t.line_key, ' ' order by t.line_key) as line_keys
    from link as k
    join invoice as i on i.jnid = k.jnid
    join invoice_item as t on t.jnid = k.jnid and t.position = k.position
    where k.state = 'issued'
    group by k.nrb_guid
)
select s.guid as subject_id, s.job_number, s.total as amount_at_risk, 'charged and credited on ' || l.lines as reason, l.lines,
    l.line_keys
from nrb_status as s
join line as l on l.nrb_guid = s.guid
where s.state = 'credited_back'
