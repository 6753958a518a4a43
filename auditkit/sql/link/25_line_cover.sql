-- Where on a line its own job knows a name.
-- out: jnid text, position int, first int, last int
with known as (
    select distinct n.spelled, l.job_key from nrb_name as n join nrb_leaf as l on l.guid = n.nrb_guid
)
select distinct s.jnid, s.position, s.first, s.last
from line_spot as s
join invoice_job as j on j.jnid = s.jnid and j.sure
join known as k on k.spelled = s.run and k.job_key = j.job_key
