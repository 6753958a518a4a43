-- How the newest invoice of each job names it, as JSON. An invoice of several jobs says nothing.
select s.job_key, arg_max(cast(b.body -> '$.related' as varchar), (i.created_at, s.jnid)) as related
from invoice_status as s
join invoice as i on i.jnid = s.jnid
join raw.invoice_body as b on b.jnid = s.jnid and b.last_sync = (select max(sync_id) from sync_run)
where s.job_key is not null and s.job_key <> '(several)'
group by s.job_key
