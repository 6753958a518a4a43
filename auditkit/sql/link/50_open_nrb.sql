-- The NRBs that are still open and may be found by amount, in the block where their line can be: first the invoice that their mark
-- names ($by_mark), then their job. Not those that a line of issued or draft invoices names, though not surely, nor those of a tie.
-- out: nrb_guid text, cents int, block text
select l.guid as nrb_guid, l.cents, case when $by_mark then k.jnid else l.job_key end as block
from nrb_leaf as l
left join invoice_known as k on k.nrb_guid = l.guid and k.rivals = 1
where l.billable and not l.internal and l.cents <> 0
    and not exists (select 1 from settled as s where s.nrb_guid = l.guid)
    and not exists (select 1 from unsettled as u where u.nrb_guid = l.guid)
    and case when $by_mark then k.jnid is not null
        else exists (select 1 from invoice_job as j where j.job_key = l.job_key and j.sure)
            and not exists (select 1 from invoice_known as r where r.nrb_guid = l.guid and r.rivals > 1)
            and not exists (
                select 1 from name_raised as e where e.nrb_guid = l.guid and e.points >= $asks and e.state_rank < 3
            ) end
