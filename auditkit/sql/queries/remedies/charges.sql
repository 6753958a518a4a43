-- Each cost: its state, and what the lines that carry it charge, of whatever invoices. A NULL total counts as 0.00.
select s.guid, s.parent_guid, s.job_number, s.state, coalesce(s.total, 0) as total, coalesce(k.carried, 0) as carried,
    coalesce(k.invoices, []) as invoices
from nrb_status as s
left join (
    select nrb_guid, sum(invoiced_amount) as carried, list(distinct jnid) as invoices from link group by nrb_guid
) as k on k.nrb_guid = s.guid
order by s.guid
