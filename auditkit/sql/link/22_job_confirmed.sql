-- A suggested job becomes sure for all invoices of the same JobNimbus job where one of their lines calls an NRB of that Aimsio job
-- by a distinct reference of its own.
-- out: entry_key text, job_key text
select distinct s.entry_key, s.job_key
from job_suggested as s
join line_spot as p on p.jnid = s.jnid and not p.part and not p.poor_place
join nrb_name as n on n.spelled = p.run and n.rank = 1 and n.form = 'distinct'
join nrb_leaf as l on l.guid = n.nrb_guid and l.job_key = s.job_key
