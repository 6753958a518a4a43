-- The rows of the frame `given` (a decision about a cost and a line, or with a NULL line_key about an invoice), with what is known of
-- both. What has gone since is NULL.
with decided as (
    select cast(decision as varchar) as decision, cast(nrb_guid as varchar) as nrb_guid, cast(jnid as varchar) as jnid,
        cast(line_key as varchar) as line_key, cast(note as varchar) as note, cast(who as varchar) as who,
        cast(decided_at as timestamptz) as decided_at, cast(turn as integer) as turn
    from given
)
select d.decision, d.nrb_guid, s.vendor_code as vendor, n.vendor_invoice_number as vendor_invoice, s.accounting_date as cost_date,
    s.total as cost, s.job_number, d.jnid, t.position, d.line_key, i.number as invoice,
    concat_ws(': ', t.name, t.description) as line_text, t.amount as line_amount, d.note, d.who, d.decided_at
from decided as d
left join nrb_status as s on s.guid = d.nrb_guid
left join nrb as n on n.guid = d.nrb_guid
left join invoice as i on i.jnid = d.jnid
left join invoice_item as t on t.jnid = d.jnid and t.line_key = d.line_key
order by d.turn
