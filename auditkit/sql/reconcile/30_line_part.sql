-- The invoice side of the statement: each line of an issued invoice, split over the NRBs that it carries and the rest; labor that is
-- charged beside the amount belongs to the rest. A part is out of its job or month where the NRB's is not the invoice's; none on
-- both sides is the same.
-- out: jnid text, position int, nrb_guid text, method text, internal flag, billable flag, other_job flag, other_month flag,
--   amount money
with carried as (
    select jnid, position from link group by jnid, position
), rest as (
    select t.jnid, t.position, c.jnid is not null as is_carried,
        case when c.jnid is null then coalesce(t.amount, 0) else 0 end
            + case when i.labor_beside <> 0 then coalesce(t.labor_amount, 0) else 0 end as amount
    from invoice_item as t
    join invoice_status as i on i.jnid = t.jnid and i.state = 'issued'
    left join carried as c on c.jnid = t.jnid and c.position = t.position
)
select k.jnid, k.position, k.nrb_guid, k.method, s.internal, s.billable,
    s.job_key is distinct from i.job_key as other_job, s.month is distinct from i.month as other_month,
    k.invoiced_amount as amount
from link as k
join invoice_status as i on i.jnid = k.jnid and i.state = 'issued'
join nrb_status as s on s.guid = k.nrb_guid
union all
select jnid, position, cast(null as text), cast(null as text), cast(null as boolean), cast(null as boolean),
    cast(null as boolean), cast(null as boolean), amount
from rest
where not is_carried or amount <> 0
