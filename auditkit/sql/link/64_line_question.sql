-- From invoice to cost: issued lines that name an NRB which other lines carry in full already; lines that carry an NRB of another job
-- than any of the invoice's; lines that name a document which no NRB bears.
-- out: kind text, jnid text, position int, nrb_guid text, amount money
select 'charged again' as kind, k.jnid, k.position, k.nrb_guid, k.invoiced_amount as amount
from link as k
join nrb_state as s on s.guid = k.nrb_guid
where s.state = 'charged_twice' and k.state_rank = 1
union all
select 'of another job', k.jnid, k.position, k.nrb_guid, k.invoiced_amount
from link as k
join nrb_leaf as l on l.guid = k.nrb_guid
where k.state_rank = 1 and l.job_key is not null
    and exists (select 1 from invoice_job as j where j.jnid = k.jnid and j.sure)
    and not exists (select 1 from invoice_job as j where j.jnid = k.jnid and j.job_key = l.job_key)
union all
select 'names nothing known', t.jnid, t.position, cast(null as text), cast(cast(t.cents as decimal(36, 0)) * 0.01 as decimal(38, 2))
from invoice_line as t
where t.state_rank = 1 and not t.labor and t.cents <> 0
    and regexp_matches(visible_text(t.words), '(\b(ap|inv|invoice|bill)[-# /.]*[0-9]{4,}\b)')
    and not exists (select 1 from line_name as s where s.jnid = t.jnid and s.position = t.position)
    and not exists (select 1 from link as k where k.jnid = t.jnid and k.position = t.position)
