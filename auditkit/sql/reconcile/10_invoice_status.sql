-- One invoice: issued, draft or void; its one job (several jobs: that of its linked NRBs, else '(several)'); the sum of its lines.
-- NULL subtotal counts as the sum of its lines, NULL tax as 0.00; a NULL total stays NULL.
-- out: jnid text, number text, state text, job_number text, job_key text, month date, line_count int, line_total money,
--   subtotal money, tax money, total money
with job as (
    select jnid, count(*) as jobs, min(job_number) as job_number from invoice_job group by jnid
), linked as (
    select k.jnid, count(distinct l.job_key) as jobs, min(l.job_number) as job_number
    from link as k join nrb_leaf as l on l.guid = k.nrb_guid
    where k.position is not null
    group by k.jnid
), line as (
    select jnid, count(*) as line_count, sum(coalesce(amount, 0)) as line_total from invoice_item group by jnid
), resolved as (
    select i.jnid,
        case when j.jobs = 1 then j.job_number
            when j.jobs > 1 then case when k.jobs = 1 then k.job_number else '(several)' end end as job_number
    from invoice as i
    left join job as j on j.jnid = i.jnid
    left join linked as k on k.jnid = i.jnid
)
select i.jnid, i.number, s.state, r.job_number, folded(r.job_number) as job_key,
    cast(date_trunc('month', coalesce(i.invoice_date, i.created_on)) as date) as month,
    coalesce(t.line_count, 0) as line_count, coalesce(t.line_total, 0) as line_total,
    coalesce(i.subtotal, t.line_total, 0) as subtotal, coalesce(i.tax, 0) as tax, i.total
from invoice as i
join invoice_state as s on s.jnid = i.jnid
join resolved as r on r.jnid = i.jnid
left join line as t on t.jnid = i.jnid
