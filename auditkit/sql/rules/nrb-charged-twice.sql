-- id: nrb-charged-twice
-- title: Charged twice
-- assertion: existence
-- severity: high
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text, lines text, line_keys text, charged money, total money
-- key: line_keys
-- why: The client pays for the same cost twice, and will ask for it back.
-- remedy: Compare both lines; if they are one cost, credit one of them. A person decides.
-- note: Billable leaves that two or more issued lines charge, together within 5 % of twice the total. At risk is what is charged beyond the total.
--   A NULL total counts as 0.00, which cannot be charged twice.
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
select s.guid as subject_id, s.job_number, -s.left_over as amount_at_risk, 'charged on ' || l.lines as reason, l.lines,
    l.line_keys, s.charged, s.total
from nrb_status as s
join line as l on l.nrb_guid = s.guid
where s.state = 'charged_twice'
