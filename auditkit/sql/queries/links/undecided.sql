-- Each undecided cost with each line that may carry it, largest cost first; with $look_first instead the unbilled costs that an open line
-- of their job equals, NULL: both. $job: only this one; NULL: all. A cost whose mark fits several invoices has one row with a NULL line.
with candidate as (
    select nrb_guid, jnid, position, reason from undecided
    union all
    select nrb_guid, null, null, terms from evidence
    where kind = 'mark' and nrb_guid in (select guid from nrb_status where state = 'marked_several')
        and nrb_guid not in (select nrb_guid from undecided)
    union all
    select e.nrb_guid, e.jnid, e.position, min(e.terms) from evidence as e
    where e.kind = 'amount' and e.nrb_guid in (select guid from nrb_status where look_first)
        and not exists (select 1 from link as k where k.jnid = e.jnid and k.position = e.position)
    group by e.nrb_guid, e.jnid, e.position
), pair as (
    select nrb_guid, jnid, position, max(points) as points from evidence where kind <> 'mark' group by nrb_guid, jnid, position
)
select s.guid as nrb_guid, s.state, s.vendor_code as vendor, n.vendor_invoice_number as vendor_invoice,
    s.accounting_date as cost_date, s.total as cost, s.job_number,
    c.jnid, c.position, t.line_key, i.number as invoice, i.state as invoice_state,
    concat_ws(': ', t.name, t.description) as line_text, t.amount as line_amount, p.points, c.reason as why
from nrb_status as s
join nrb as n on n.guid = s.guid
join candidate as c on c.nrb_guid = s.guid
left join invoice_item as t on t.jnid = c.jnid and t.position = c.position
left join invoice_status as i on i.jnid = c.jnid
left join pair as p on p.nrb_guid = c.nrb_guid and p.jnid = c.jnid and p.position = c.position
where (s.state in ('undecided', 'marked_several') or s.look_first)
    and ($look_first is null or s.look_first = $look_first)
    and ($job is null or s.job_key is not distinct from folded($job))
order by abs(s.total) desc nulls first, s.guid, p.points desc, c.jnid, c.position
