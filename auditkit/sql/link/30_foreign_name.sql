-- On lines of how many jobs a name is found where no NRB of the job is called so: there it means something else.
-- out: spelled text, jobs int
with home as (
    select distinct n.spelled, l.job_key from nrb_name as n join nrb_leaf as l on l.guid = n.nrb_guid
), found as (
    select distinct p.spelled, j.job_key
    from line_name as p
    join invoice_job as j on j.jnid = p.jnid and j.sure
    where not p.part and not p.explained and not p.place_word and not p.poor_place
)
select f.spelled, count(*) as jobs
from found as f
where not exists (select 1 from home as h where h.spelled = f.spelled and h.job_key = f.job_key)
group by f.spelled
