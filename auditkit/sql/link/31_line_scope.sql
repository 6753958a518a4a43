-- Where the line of an NRB may be. Pass 1: inside the invoice of rungs 1 to 3. Pass 2: on the job's invoices, for NRBs that
-- have none; by reference also for those whose invoice is a draft or void, because it may have been issued again.
-- out: nrb_guid text, jnid text, pass int, state text, by_amount flag
select f.nrb_guid, f.jnid, 1 as pass, f.state, true as by_amount
from invoice_found as f
union all
select l.guid as nrb_guid, j.jnid, 2 as pass, i.state, f.nrb_guid is null as by_amount
from nrb_leaf as l
join invoice_job as j on j.job_key = l.job_key
join invoice_state as i on i.jnid = j.jnid
left join invoice_found as f on f.nrb_guid = l.guid
where f.nrb_guid is null or (f.state <> 'issued' and i.state = 'issued')
