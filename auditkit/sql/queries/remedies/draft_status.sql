-- The number of the status that most drafts have, if an invoice is a draft.
select i.status
from invoice_status as s join invoice as i on i.jnid = s.jnid
where s.state = 'draft' and i.status is not null
group by i.status
order by count(*) desc, i.status
limit 1
