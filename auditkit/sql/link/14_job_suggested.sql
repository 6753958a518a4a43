-- An Aimsio job number as a whole word in the free text of a job that no number decides: a suggestion, no more.
-- out: jnid text, position int, entry_key text, job_key text
with aimsio as (
    select distinct usable_reference(job_number) as token, job_key from nrb_leaf where usable_reference(job_number) is not null
)
select distinct e.jnid, e.position, e.entry_key, a.job_key
from job_entry as e
join related_token as t on t.jnid = e.jnid and t.position = e.position
join aimsio as a on a.token = t.token
where e.job_key is null
