-- id: nrb-billed-by-amount
-- title: Billed, matched by amount only
-- assertion: existence
-- severity: low
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text, lines text, line_keys text
-- key: line_keys
-- why: Nothing on the line names the cost: only the amount, which chance would hardly produce, connects the two.
-- remedy: Look at the lines and confirm the pairs, many at once (`auditkit link confirm`); forbid one that is another cost.
-- note: Billable leaves without a mark that leads there, on an issued line of their job with the same amount, or in a unique sum. A NULL total
--   or job matches nothing.
with line as (
    select k.nrb_guid, string_agg(coalesce(i.number, k.jnid) || ' line ' || cast(k.position + 1 as text) || ': ' || coalesce(t.name, '') || ' '
            || coalesce(t.description, ''), '; ' order by k.jnid, k.position) as lines,
        string_agg(t.line_key, ' ' order by t.line_key) as line_keys
    from link as k
    join invoice as i on i.jnid = k.jnid
    join invoice_item as t on t.jnid = k.jnid and t.position = k.position
    where k.state = 'issued' and k.method = 'amount'
    group by k.nrb_guid
)
select s.guid as subject_id, s.job_number, s.charged as amount_at_risk, 'on ' || l.lines as reason, l.lines, l.line_keys
from line as l
join nrb_status as s on s.guid = l.nrb_guid
