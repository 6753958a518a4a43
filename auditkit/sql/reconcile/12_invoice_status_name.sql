-- Every status that an invoice has, and how it is treated. known: a setting names it; an unknown one counts as issued. A NULL status_name
-- is a row of its own.
-- out: status_name text, treated_as text, known flag, invoices int, total money
select min(i.status_name) as status_name,
    case when v.name is not null then 'void' when d.name is not null then 'draft' else 'issued' end as treated_as,
    v.name is not null or d.name is not null or folded(i.status_name) in ('sent', 'open', 'approved', 'paid', 'closed', 'overdue',
        'partially paid', 'partial', 'viewed') as known,
    count(*) as invoices, sum(coalesce(i.total, 0)) as total
from invoice as i
left join void_status as v on v.name = folded(i.status_name)
left join draft_status as d on d.name = folded(i.status_name)
group by folded(i.status_name), v.name, d.name
