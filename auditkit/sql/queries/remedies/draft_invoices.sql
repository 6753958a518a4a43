-- The newest draft invoice of each job. An invoice of several jobs is none.
select s.job_key, arg_max(s.jnid, (i.created_at, s.jnid)) as jnid
from invoice_status as s join invoice as i on i.jnid = s.jnid
where s.state = 'draft' and s.job_key is not null and s.job_key <> '(several)'
group by s.job_key
